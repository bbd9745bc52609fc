"""Gymnasium's vectors: what wrappers count and infos say, and methods of single environments, also those in processes."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Reach  # noqa: E402

from offpolicy import SAC, evaluate_policy  # noqa: E402
from offpolicy.common.monitor import Monitor  # noqa: E402
from offpolicy.vectors import make_lanes  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), seed=3, learning_starts=10, batch_size=16)
MODES = list(gym.vector.AutoresetMode)
around = gym.wrappers
vector_around = gym.wrappers.vector


def vector(mode, lengths=(4, 5)):
    return gym.vector.SyncVectorEnv([lambda n=n: Counter(n) for n in lengths], autoreset_mode=mode)


def log_of(model):
    return sorted({(float(episode["r"]), int(episode["l"])) for episode in model.ep_info_buffer})


def test_the_log_counts_the_rewards_that_the_model_stores():
    statistics = around.RecordEpisodeStatistics
    env = around.TransformReward(statistics(Counter(4)), lambda reward: 10 * reward)
    model = SAC("MlpPolicy", env, **SMALL).learn(40)
    assert model.replay_buffer.rewards[:4, 0].tolist() == [10, 20, 30, 40] and log_of(model) == [(100, 4)]
    assert evaluate_policy(model, around.TransformReward(statistics(Counter(4)), lambda reward: 10 * reward), 2) == (100, 0)
    assert log_of(SAC("MlpPolicy", statistics(Counter(4)), **SMALL).learn(40)) == [(10, 4)]


def test_a_monitors_count_stays_whatever_is_around_it():
    class Mine(Monitor):
        pass

    for monitor in (Monitor, Mine):
        env = around.TransformReward(monitor(Counter(4)), lambda reward: 10 * reward)
        model = SAC("MlpPolicy", env, **SMALL).learn(40)
        assert model.replay_buffer.rewards[:4, 0].tolist() == [10, 20, 30, 40] and log_of(model) == [(10, 4)]
    # the episode ends before the Monitor's does
    assert log_of(SAC("MlpPolicy", around.TimeLimit(Monitor(Counter(9)), 3), **SMALL).learn(30)) == [(6, 3)]


@pytest.mark.parametrize("mode", MODES)
def test_the_log_of_a_vector_counts_the_rewards_that_the_model_stores(mode):
    env = vector_around.TransformReward(vector_around.RecordEpisodeStatistics(vector(mode)), lambda rewards: 10 * rewards)
    model = SAC("MlpPolicy", env, **SMALL).learn(80)
    assert model.replay_buffer.rewards[:4, 0].tolist() == [10, 20, 30, 40] and log_of(model) == [(100, 4), (150, 5)]


@pytest.mark.parametrize("mode", MODES)
def test_infos_that_are_a_list_are_read(mode):
    plain = SAC("MlpPolicy", vector(mode), **SMALL).learn(60)
    listed = SAC("MlpPolicy", vector_around.DictInfoToList(vector(mode)), **SMALL).learn(60)
    assert plain.digest == listed.digest and log_of(plain) == log_of(listed) == [(10, 4), (15, 5)]


def test_final_infos_that_are_in_a_list_are_read():
    env = vector_around.DictInfoToList(gym.vector.SyncVectorEnv([Goals] * 2, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP))
    model = SAC("MultiInputPolicy", env, **SMALL).learn(60)
    assert len(model.ep_success_buffer) == 6


class Goals(Reach):
    """`level` is set by a method; the process of an environment tells whether it was asked."""

    level = 0

    def set_level(self, level):
        self.level = level
        return level

    def get_level(self):
        return self.level

    def rewards_asked(self):
        return self.calls


@pytest.mark.parametrize("kind", [gym.vector.SyncVectorEnv, gym.vector.AsyncVectorEnv])
def test_a_method_is_called_in_the_chosen_environments_alone(kind):
    lanes, _ = make_lanes(kind([Goals] * 3))
    try:
        assert lanes.env_method("set_level", 7, indices=[1]) == [7]
        assert lanes.env_method("get_level") == [0, 7, 0]
        assert lanes.env_method("set_level", level=2, indices=2) == [2]
        assert lanes.env_method("get_level", indices=[2, 1]) == [2, 7]
        assert lanes.has_attr("compute_reward") and lanes.has_attr("level") and not lanes.has_attr("compute_rewards")
    finally:
        lanes.close()


@pytest.mark.parametrize("kind", [gym.vector.SyncVectorEnv, gym.vector.AsyncVectorEnv])
def test_hindsight_asks_the_first_environment_of_a_vector(kind):
    env = kind([Goals] * 2)
    try:
        model = SAC("MultiInputPolicy", env, replay_buffer_class="HerReplayBuffer", **SMALL).learn(60)
        first, second = model.get_env().env_method("rewards_asked")
        assert model._n_updates > 0 and first > second == 30
    finally:
        env.close()


@pytest.mark.filterwarnings("ignore:.*ERROR")
def test_an_error_in_the_process_of_an_environment_is_raised_here():
    lanes, _ = make_lanes(gym.vector.AsyncVectorEnv([Goals] * 2))
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        lanes.env_method("get_level", wrong=1, indices=[1])
    lanes.env.close(terminate=True)
