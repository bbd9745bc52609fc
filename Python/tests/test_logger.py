"""The logger: what is recorded, and what is written where."""

from __future__ import annotations

import json

import numpy as np
import pytest

from offpolicy import SAC, configure
from offpolicy.logger import Figure, FormatUnsupportedError, HumanOutputFormat, Logger, newest_run


def test_every_format_writes_what_is_not_excluded(tmp_path):
    logger = configure(str(tmp_path), ["log", "csv", "json"])
    logger.record("a/x", 1.5)
    logger.record("a/text", 'say "yes", please', exclude="json")
    logger.record("only/csv", 3, exclude=("log", "json"))
    logger.record_mean("mean", 1.0)
    logger.record_mean("mean", 2.0)
    logger.dump(7)
    logger.record("later", np.float32(2))
    logger.dump(8)
    logger.close()
    lines = [json.loads(line) for line in (tmp_path / "progress.json").read_text().splitlines()]
    assert lines == [{"a/x": 1.5, "mean": 1.5}, {"later": 2.0}]
    rows = (tmp_path / "progress.csv").read_text().splitlines()
    assert rows[0] == "a/x,a/text,only/csv,mean,later"
    assert rows[1] == '1.5,"say ""yes"", please",3,1.5,' and rows[2] == ",,,,2.0"
    table = (tmp_path / "log.txt").read_text()
    assert "| a/" in table and "|    x" in table and "csv" not in table


def test_what_a_format_cannot_write_is_said_with_the_remedy(tmp_path):
    logger = configure(str(tmp_path), ["csv"])
    logger.record("figure", Figure(None, True))
    with pytest.raises(FormatUnsupportedError, match="exclude"):
        logger.dump()


def test_two_names_that_are_cut_to_the_same_are_refused(tmp_path):
    logger = Logger(None, [HumanOutputFormat(str(tmp_path / "log"), max_length=8)])
    logger.record("abcdefghijk", 1)
    logger.record("abcdefghijl", 2)
    with pytest.raises(ValueError, match="truncated"):
        logger.dump()


def test_training_logs_every_few_episodes(capsys):
    model = SAC("MlpPolicy", "Pendulum-v1", verbose=1, seed=0, policy_kwargs=dict(net_arch=[8]))
    model.learn(900, log_interval=2)
    shown = capsys.readouterr().out
    for name in ("ep_rew_mean", "ep_len_mean", "critic_loss", "ent_coef", "n_updates", "total_timesteps", "fps"):
        assert name in shown
    assert model.logger.name_to_value["train/n_updates"] == 800
    assert len(model.ep_info_buffer) == 4 and model.ep_info_buffer[0]["l"] == 200


def test_a_logger_that_was_set_stays(tmp_path):
    model = SAC("MlpPolicy", "Pendulum-v1", seed=0, policy_kwargs=dict(net_arch=[8]))
    logger = configure(str(tmp_path), ["json"])
    model.set_logger(logger)
    model.learn(250, log_interval=1)
    assert model.logger is logger and len((tmp_path / "progress.json").read_text().splitlines()) == 1


def test_runs_whose_name_has_a_folder_are_numbered(tmp_path):
    for folder in ("study/sac_1", "study/sac_2", "sac_7"):
        (tmp_path / folder).mkdir(parents=True)
    assert newest_run(str(tmp_path), "study/sac") == 2
    assert newest_run(str(tmp_path), "study/td3") == 0 and newest_run(str(tmp_path), "sac") == 7
