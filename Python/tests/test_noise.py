"""Noise of actions: sizes that fit, and a saved model's noise in another number of environments."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Drawn  # noqa: E402

from offpolicy import TD3, UnsupportedError  # noqa: E402
from offpolicy.common.noise import NormalActionNoise, VectorizedActionNoise  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=5, batch_size=8, seed=0)


def two_actions():
    return Drawn(gym.spaces.Box(-1, 1, (2,)), gym.spaces.Box(-1, 1, (2,)))


@pytest.mark.parametrize("mean, sigma, what", [(np.zeros(3), 0.1 * np.ones(3), "mean"), (np.zeros(2), np.ones(3), "sigma")])
def test_noise_of_another_size_than_an_action_is_refused(mean, sigma, what):
    with pytest.raises(UnsupportedError, match=f"the {what} of action_noise has 3 numbers, an action has 2"):
        TD3("MlpPolicy", two_actions(), action_noise=NormalActionNoise(mean, sigma), **SMALL)


def test_noise_for_another_number_of_environments_is_refused():
    noise = VectorizedActionNoise(NormalActionNoise(np.zeros(1), np.ones(1)), 2)
    with pytest.raises(UnsupportedError, match="action_noise is for 2 environments, the model has 3"):
        TD3("MlpPolicy", Counter, n_envs=3, action_noise=noise, **SMALL)


def test_one_number_of_noise_serves_all_actions():
    noise = NormalActionNoise(np.array([0.1]), np.array([0.3]))
    assert TD3("MlpPolicy", two_actions(), action_noise=noise, **SMALL).learn(10).num_timesteps == 10


@pytest.mark.parametrize("count", [1, 2])
def test_a_saved_models_noise_is_copied_for_another_number_of_environments(tmp_path, count):
    noise = NormalActionNoise(np.array([0.1]), np.array([0.3]))
    TD3("MlpPolicy", Counter, n_envs=3, action_noise=noise, **SMALL).learn(30).save(tmp_path / "model")
    model = TD3.load(tmp_path / "model", env=[Counter] * count)
    assert len(model.action_noise.noises) == count
    assert model.learn(10).num_timesteps == 10
