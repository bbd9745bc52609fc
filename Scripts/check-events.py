#!/usr/bin/env python3
"""check-events.py — reads the event file of a run with the tensorboard package and compares it with the run's CSV files.

    pip install tensorboard && Scripts/check-events.py runs/sac-Pendulum-v1-seed0

Every step has each tag once, in order, and the value that the CSV has, rounded to float32.
"""

import csv
import math
import pathlib
import struct
import sys

from tensorboard.backend.event_processing import event_file_loader
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util import tensor_util

COLUMNS = {
    "metrics.csv": {"critic_loss": "train/critic_loss", "policy_loss": "train/actor_loss", "temperature": "train/ent_coef",
                    "target_mean": "train/target_mean", "entropy": "train/entropy"},
    "evaluations.csv": {"return_mean": "eval/mean_reward", "length_mean": "eval/mean_ep_length"},
    "health.csv": None,  # every column, as health/COLUMN
}


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def main(folder):
    files = sorted(folder.glob("events.out.tfevents.*"))
    assert len(files) == 1, f"{len(files)} event files"
    found, versions, declared, hyperparameters = {}, [], [], {}
    for event in event_file_loader.EventFileLoader(str(files[0])).Load():
        if event.HasField("file_version"):
            versions.append(event.file_version)
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "hparams":
                content = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                hyperparameters.update(content.session_start_info.hparams)
                declared += [info.name for info in content.experiment.hparam_infos]
                continue
            number = tensor_util.make_ndarray(value.tensor).item() if value.HasField("tensor") else value.simple_value
            found.setdefault(value.tag, []).append((event.step, number))
    assert versions == ["brain.Event:2"], versions
    assert hyperparameters["seed"].HasField("number_value"), "no hyperparameters"
    assert sorted(declared) == sorted(hyperparameters), "other hyperparameters are declared than given"
    for tag, points in found.items():
        steps = [step for step, _ in points]
        assert steps == sorted(set(steps)), f"{tag} has a step twice: {steps}"
    compared = 0
    for name, columns in COLUMNS.items():
        table = rows(folder / name)
        columns = columns or {column: f"health/{column}" for column in table[0] if column not in ("step", "seconds")}
        for column, tag in columns.items():
            expected = [(int(row["step"]), float(row[column])) for row in table]
            expected = [(step, float32(value)) for step, value in expected if math.isfinite(value)]
            assert found.get(tag, []) == expected, f"{tag}: {found.get(tag, [])[:5]} is not {expected[:5]}"
            compared += len(expected)
    episodes, means = rows(folder / "episodes.csv"), dict(found.get("rollout/ep_rew_mean", []))
    for number in range(4, len(episodes) + 1, 4):
        window = [float(row["return"]) for row in episodes[max(0, number - 100):number]]
        step = int(episodes[number - 1]["step"])
        assert math.isclose(means.pop(step), sum(window) / len(window), rel_tol=1e-6), f"ep_rew_mean at step {step}"
        compared += 1
    assert not means, f"ep_rew_mean where no fourth episode ended: {means}"
    print(f"check-events.py: {len(found)} tags, {compared} values as in the CSV files, no step twice, {len(hyperparameters)} hyperparameters")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
