"""VecMonitor, VecFrameStack, VecCheckNan and VecExtractDictObs: around environments whose every step is known."""

from __future__ import annotations

import csv

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Reach  # noqa: E402

from offpolicy import SAC, UnsupportedError, evaluate_policy  # noqa: E402
from offpolicy.common.vec_env import (  # noqa: E402
    DummyVecEnv,
    VecCheckNan,
    VecExtractDictObs,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    is_vecenv_wrapped,
    unwrap_vec_wrapper,
)

SMALL = dict(policy_kwargs=dict(net_arch=[16]), seed=3, learning_starts=20, batch_size=16)
ZEROS = np.zeros((2, 1), np.float32)


class Broken(gym.Env):
    """NaN at the third step, infinity as the reward of the fifth."""

    observation_space = gym.spaces.Box(-10, 10, (1,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.count += 1
        reward = np.inf if self.count == 5 else 0.0
        return np.full(1, np.nan if self.count == 3 else 0, np.float32), reward, False, False, {}


class Reward:
    """A policy that does nothing."""

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        return np.zeros((len(observation), 1), np.float32), None


def test_a_monitor_around_a_vector_counts_and_writes_what_the_environments_gave(tmp_path):
    env = VecMonitor(DummyVecEnv([lambda: Counter(3), lambda: Counter(4)]), str(tmp_path / "all"))
    normalised = VecNormalize(env)
    normalised.reset()
    ends = {}
    for step in range(1, 13):
        _, _, dones, infos = normalised.step(ZEROS)
        for i in np.flatnonzero(dones):
            ends.setdefault(i, []).append((step, infos[i]["episode"]["r"], infos[i]["episode"]["l"]))
    # 1 + 2 + 3 and 1 + 2 + 3 + 4
    assert ends[0] == [(3, 6, 3), (6, 6, 3), (9, 6, 3), (12, 6, 3)] and ends[1] == [(4, 10, 4), (8, 10, 4), (12, 10, 4)]
    assert env.episode_count == 7
    env.close()
    lines = (tmp_path / "all.monitor.csv").read_text().splitlines()
    rows = [(float(row["r"]), int(row["l"])) for row in csv.DictReader(lines[1:])]
    assert sorted(rows) == [(6, 3)] * 4 + [(10, 4)] * 3


def test_an_evaluation_takes_the_monitors_returns_and_not_the_normalised_ones():
    env = VecNormalize(VecMonitor(DummyVecEnv([lambda: Counter(3)])), training=False)
    assert evaluate_policy(Reward(), env, n_eval_episodes=2) == (6.0, 0.0)
    assert is_vecenv_wrapped(env, VecMonitor) and not is_vecenv_wrapped(env, VecCheckNan)
    assert unwrap_vec_wrapper(env, VecMonitor) is env.venv


def test_frames_are_stacked_behind_zeros_and_not_over_the_end_of_an_episode():
    env = VecFrameStack(DummyVecEnv([lambda: Counter(3), lambda: Counter(4)]), n_stack=3)
    assert env.observation_space.shape == (6,) and env.observation_space.high[5] == 1000
    assert env.reset().tolist() == [[0, 0, 0, 0, 1, 0]] * 2
    assert env.step(ZEROS)[0].tolist() == [[0, 0, 1, 0, 1, 1]] * 2
    assert env.step(ZEROS)[0].tolist() == [[1, 0, 1, 1, 1, 2]] * 2
    observations, _, dones, infos = env.step(ZEROS)
    assert dones.tolist() == [True, False] and infos[0]["terminal_observation"].tolist() == [1, 1, 1, 2, 1, 3]
    assert observations.tolist() == [[0, 0, 0, 0, 2, 0], [1, 1, 1, 2, 1, 3]]
    env = VecFrameStack(DummyVecEnv([Reach]), n_stack=2, channels_order={"observation": "first", "desired_goal": "last"})
    assert {key: part.shape for key, part in env.reset().items()} == dict.fromkeys(
        ("observation", "achieved_goal", "desired_goal"), (1, 2)
    )
    with pytest.raises(ValueError, match="channels_order is"):
        VecFrameStack(DummyVecEnv([Reach]), n_stack=2, channels_order="middle")
    with pytest.raises(ValueError, match="n_stack=0"):
        VecFrameStack(DummyVecEnv([Reach]), n_stack=0)


@pytest.mark.parametrize("order", ["first", "last"])
def test_pictures_are_stacked_along_the_axis_of_their_channels(order):
    class Pictures(Counter):
        observation_space = gym.spaces.Box(0, 255, (2, 3, 4), np.uint8)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.full((2, 3, 4), 7, np.uint8), {}

        def step(self, action):
            _, *rest = super().step(action)
            return np.full((2, 3, 4), 7 + self.count, np.uint8), *rest

    env = VecFrameStack(DummyVecEnv([Pictures]), n_stack=2, channels_order=order)
    env.reset()
    [picture] = env.step(ZEROS[:1])[0]
    assert picture.dtype == np.uint8 and picture.shape == ((4, 3, 4) if order == "first" else (2, 3, 8))
    old, new = np.split(picture, 2, axis=0 if order == "first" else 2)
    assert (old == 7).all() and (new == 8).all()


def test_a_model_learns_from_stacked_frames_and_its_buffer_holds_the_stacks():
    env = VecFrameStack(DummyVecEnv([lambda: Counter(3)]), n_stack=2)
    model = SAC("MlpPolicy", env, **SMALL).learn(40)
    rows = model.replay_buffer.observations[:4, 0].tolist()
    assert rows == [[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 1, 2], [0, 0, 2, 0]]
    assert model.replay_buffer.next_observations[2, 0].tolist() == [1, 2, 1, 3]


def test_nan_is_found_where_it_comes_from():
    env = VecCheckNan(DummyVecEnv([Broken]), raise_exception=True)
    env.reset()
    for _ in range(2):
        env.step(np.zeros((1, 1), np.float32))
    with pytest.raises(ValueError, match="nan in observations: they came from the environment after the actions"):
        env.step(np.zeros((1, 1), np.float32))
    with pytest.raises(ValueError, match="nan in actions: they came from the agent"):
        env.step(np.full((1, 1), np.nan, np.float32))
    env.step(np.zeros((1, 1), np.float32))
    with pytest.raises(ValueError, match="inf in rewards"):
        env.step(np.zeros((1, 1), np.float32))
    env = VecCheckNan(DummyVecEnv([Broken]))
    env.reset()
    with pytest.warns(UserWarning, match="nan in observations") as warned:
        for _ in range(6):
            env.step(np.zeros((1, 1), np.float32))
    assert len(warned) == 1


def test_one_part_of_a_dictionary_is_passed_on():
    env = VecExtractDictObs(DummyVecEnv([Reach, Reach]), "desired_goal")
    env.seed(4)
    first = env.reset()
    assert first.shape == (2, 1) == (2, *env.observation_space.shape)
    for _ in range(10):
        observations, _, dones, infos = env.step(ZEROS)
    assert dones.all() and [info["terminal_observation"].tolist() for info in infos] == first.tolist()
    model = SAC("MlpPolicy", env, **SMALL).learn(40)
    assert model.observation_space.shape == (1,) and model.num_timesteps == 40


def test_a_monitor_around_a_vector_names_what_infos_do_not_say():
    env = VecMonitor(DummyVecEnv([lambda: Counter(1)]), info_keywords=("height",))
    env.reset()
    with pytest.raises(UnsupportedError, match="VecMonitor: info_keywords names 'height'"):
        env.step(np.zeros((1, 1), np.float32))
