"""VecEnv: vectors of environments of one's own, written as for Stable-Baselines3."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402

from offpolicy import SAC, evaluate_policy  # noqa: E402
from offpolicy.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), seed=3, learning_starts=10, batch_size=16)


class Own(VecEnv):
    """Two environments whose episodes have 4 steps; the first runs out of time, the second ends. No Env is in it."""

    def __init__(self):
        super().__init__(2, gym.spaces.Box(-9, 9, (2,), np.float32), gym.spaces.Box(-1, 1, (1,), np.float32))
        self.asked = []

    def reset(self):
        self.count = 0
        return np.zeros((2, 2), np.float32)

    def step_async(self, actions):
        self.asked.append(actions)

    def step_wait(self):
        self.count += 1
        observations, ends, infos = np.full((2, 2), self.count, np.float32), self.count == 4, [{}, {}]
        if ends:
            infos = [{"terminal_observation": row, "TimeLimit.truncated": i == 0} for i, row in enumerate(observations)]
            observations, self.count = np.zeros((2, 2), np.float32), 0
        return observations, np.ones(2, np.float32), np.array([ends, ends]), infos


@pytest.mark.parametrize("around", [lambda env: env, VecMonitor, lambda env: VecNormalize(VecMonitor(env))])
def test_a_model_learns_in_a_vec_env_of_ones_own(around):
    own = Own()
    model = SAC("MlpPolicy", around(own), **SMALL).learn(60)
    buffer = model.replay_buffer
    assert len(own.asked) == 30 and own.asked[0].shape == (2, 1)
    assert buffer.timeouts[:8].T.tolist() == [[0, 0, 0, 1] * 2, [0] * 8]
    assert buffer.dones[:8].T.tolist() == [[0, 0, 0, 1] * 2] * 2
    assert buffer.next_observations[:5, 0, 0].tolist() == [1, 2, 3, 4, 1]
    assert buffer.observations[:5, 1, 0].tolist() == [0, 1, 2, 3, 0]
    assert model._episode_num == 14 and evaluate_policy(model, around(Own()), 4) == (4, 0)


def test_a_vec_env_without_step_wait_is_refused_where_it_is_made():
    class Incomplete(VecEnv):
        def reset(self):
            return np.zeros((1, 2))

        def step_async(self, actions):
            pass

    with pytest.raises(TypeError, match="step_wait"):
        Incomplete(1, gym.spaces.Box(-1, 1, (2,)), gym.spaces.Box(-1, 1, (1,)))


def test_a_model_steps_a_subclass_of_dummy_vec_env_by_its_own_methods():
    class Doubled(DummyVecEnv):
        def step_wait(self):
            observations, rewards, dones, infos = super().step_wait()
            return observations, 2 * rewards, dones, infos

    class Named(DummyVecEnv):
        name = "changes nothing"

    model = SAC("MlpPolicy", Doubled([lambda: Counter(4)]), **SMALL).learn(20)
    assert model.replay_buffer.rewards[:4, 0].tolist() == [2, 4, 6, 8]
    assert isinstance(model.get_env(), Doubled)
    named = Named([lambda: Counter(4)])
    assert SAC("MlpPolicy", named, **SMALL)._lanes is named


def test_what_the_package_has_is_a_vec_env():
    vectors = [DummyVecEnv([Counter]), VecNormalize(DummyVecEnv([Counter])), VecFrameStack(DummyVecEnv([Counter]), 2)]
    vectors.append(SAC("MlpPolicy", Counter(), **SMALL).get_env())
    assert all(isinstance(vector, VecEnv) for vector in vectors)
    assert issubclass(SubprocVecEnv, VecEnv) and not isinstance(Counter(), VecEnv)


def test_a_vec_env_of_ones_own_has_the_rest_of_the_interface():
    own = Own()
    assert own.seed(3) == own._seeds == [3, 4] and not own.has_attr("anything") and own.env_is_wrapped(object) == [False, False]
    own._reset_seeds()
    assert own._seeds == [None, None] and own._get_indices(1) == [1] and own.unwrapped is own
    own.reset()
    assert own.step(np.zeros((2, 1)))[0].tolist() == [[1, 1], [1, 1]]
    assert own.render_mode is None and own.reset_infos == [{}, {}]
    own.close()
