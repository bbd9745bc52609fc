"""Files of models: what is in them comes back as it was, whatever arguments, infos and spaces a model has."""

from __future__ import annotations

import enum
import pathlib
import subprocess

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Drawn  # noqa: E402

from offpolicy import DQN, SAC, UnsupportedError  # noqa: E402
from offpolicy.common.monitor import Monitor  # noqa: E402
from offpolicy.policy import Policy  # noqa: E402
from offpolicy.replay import ReplayBuffer  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=5, batch_size=8, seed=0)


class Tells(Counter):
    """An environment whose infos say something."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def step(self, action):
        return (*super().step(action)[:4], {"told": self.value})


@pytest.mark.parametrize(
    "value, kept",
    [(None, None), ({"a": 1}, None), (enum.Enum("Kind", "one").one, None), ({1}, None), ("far", None), (np.zeros(3), None),
     (np.bool_(True), 1.0), (np.float32(0.5), 0.5), (np.array(2), 2.0)],
)  # fmt: skip
def test_numbers_of_infos_are_saved_and_nothing_else_of_them(tmp_path, value, kept):
    SAC("MlpPolicy", Monitor(Tells(value), info_keywords=("told",)), **SMALL).learn(20).save(tmp_path / "model")
    first = SAC.load(tmp_path / "model").ep_info_buffer[0]
    assert first["l"] == 4 and first.get("told") == kept


@pytest.mark.parametrize("steps", [34, 22])
def test_a_loaded_model_learns_on_with_a_replay_buffer_that_is_read(tmp_path, steps):
    SAC("MlpPolicy", Counter(), **SMALL).learn(34).save(tmp_path / "model")
    SAC("MlpPolicy", Counter(), **SMALL).learn(steps).save_replay_buffer(tmp_path / "buffer")
    model = SAC.load(tmp_path / "model", env=Counter())
    model.load_replay_buffer(tmp_path / "buffer")
    model.learn(10, reset_num_timesteps=False)
    rows = model.replay_buffer.transitions()
    assert model.num_timesteps == 44 and len(rows["rewards"]) == steps + 10
    assert np.array_equal(rows["observations"][:, 1] + 1, rows["next_observations"][:, 1])


BOX = gym.spaces.Box
PART = BOX(-5, 5, (1,), np.float32)
GOALS = gym.spaces.Dict(observation=BOX(-5, 5, (2,), np.float32), achieved_goal=PART, desired_goal=PART)
SPACES = {
    "choices that begin with 5": (DQN, BOX(-5, 5, (3,), np.float32), gym.spaces.Discrete(3, start=5), {}),
    "a dictionary": (SAC, gym.spaces.Dict(z=BOX(-5, 5, (2,), np.float32), a=gym.spaces.Discrete(3)), BOX(-2, 2, (1,)), {}),
    "a matrix": (SAC, BOX(-5, 5, (2, 2), np.float64), BOX(-2, 2, (2, 3), np.float64), {}),
    "goals": (SAC, GOALS, BOX(-2, 2, (1,)), {"replay_buffer_class": "HerReplayBuffer"}),
}


class DrawnWithRewards(Drawn):
    def compute_reward(self, achieved_goal, desired_goal, info):
        return np.zeros(len(achieved_goal))


@pytest.mark.parametrize("name", SPACES)
def test_a_policy_that_is_loaded_has_the_models_spaces(tmp_path, name):
    cls, observations, actions, more = SPACES[name]
    kind = "MultiInputPolicy" if isinstance(observations, gym.spaces.Dict) else "MlpPolicy"
    model = cls(kind, DrawnWithRewards(observations, actions), **{**SMALL, **more}).learn(30)
    model.policy.save(tmp_path / "policy.safetensors")
    loaded = Policy.load(tmp_path / "policy.safetensors")
    assert (loaded.observation_space, loaded.action_space) == (observations, actions)
    observations.seed(0)
    for _ in range(5):
        observation = observations.sample()
        chosen, expected = (one.predict(observation, deterministic=True)[0] for one in (loaded, model))
        assert chosen.dtype == expected.dtype and np.array_equal(chosen, expected)
    assert np.all(actions.contains(chosen))


def test_a_policy_file_refuses_an_environment_of_other_spaces(tmp_path):
    SAC("MlpPolicy", Counter(), **SMALL).policy.save(tmp_path / "policy")
    assert SAC.load(tmp_path / "policy", env=Counter()).get_env().num_envs == 1
    with pytest.raises(UnsupportedError, match="the model's action space is"):
        SAC.load(tmp_path / "policy", env=Drawn(Counter.observation_space))


def test_a_model_of_a_policy_file_says_what_it_lacks_and_copies_its_file(tmp_path):
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(10)
    model.policy.save(tmp_path / "policy")
    loaded = SAC.load(tmp_path / "policy")
    for copy in (loaded.policy, loaded.actor):
        copy.save(tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == (tmp_path / "policy").read_bytes()
    asked = [
        lambda: loaded.save_sb3(tmp_path / "x.zip"), lambda: loaded.save_replay_buffer(tmp_path / "x"), loaded.dump_logs,
        lambda: loaded.load_replay_buffer(tmp_path / "policy"), lambda: loaded.digest, lambda: loaded._n_updates,
        lambda: loaded.replay_buffer.size(), loaded.get_parameters, lambda: loaded.log_ent_coef, loaded.policy.state_dict,
        lambda: loaded.set_parameters(model.get_parameters()),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(UnsupportedError, match="loaded from a policy file, which has no critics"):
            ask()
    loaded.set_env(Counter())
    assert loaded.get_env().reset().shape == (1, 2)
    assert np.array_equal(*(one.predict(np.ones(2), deterministic=True)[0] for one in (loaded, model)))


PROGRAM = pathlib.Path(__file__).parents[2] / ".build/release/offpolicy"


@pytest.mark.skipif(not PROGRAM.exists(), reason="the program has not been built")
def test_the_program_reads_a_policy_file_with_spaces(tmp_path):
    SAC("MlpPolicy", "Pendulum-v1", **SMALL).policy.save(tmp_path / "policy.safetensors")
    command = [PROGRAM, "evaluate", "policy.safetensors", "--episodes", "1"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert told.returncode == 0 and "Pendulum-v1" in told.stdout, told.stderr


@pytest.mark.parametrize(
    "given, name, expected",
    [
        (dict(tensorboard_log=pathlib.Path("/logs/of/runs")), "tensorboard_log", "/logs/of/runs"),
        (dict(policy_kwargs=dict(net_arch=np.array([8, 9]))), "policy_kwargs", dict(net_arch=[8, 9])),
        (dict(replay_buffer_class=ReplayBuffer), "replay_buffer_class", "ReplayBuffer"),
        (dict(gamma=np.float64(0.9)), "gamma", 0.9),
        (dict(train_freq=(2, "episode")), "train_freq", (2, "episode")),
    ],
)
def test_arguments_come_back_with_the_same_values(tmp_path, given, name, expected):
    SAC("MlpPolicy", Counter(), **{**SMALL, **given}).save(tmp_path / "model")
    model = SAC.load(tmp_path / "model", env=Counter())
    found = getattr(model, name)
    assert (tuple(getattr(part, "value", part) for part in found) if name == "train_freq" else found) == expected


def test_an_argument_that_json_cannot_hold_is_left_out_with_a_warning(tmp_path):
    model = SAC("MlpPolicy", Counter(), **SMALL)
    model.stats_window_size = object()
    with pytest.warns(UserWarning, match=r"stats_window_size is not saved: it has a object, .*; load\(…, stats_window_size=…\)"):
        model.save(tmp_path / "model")
    assert SAC.load(tmp_path / "model").stats_window_size == 100
