"""Noise of actions: sizes that fit, and a saved model's noise in another number of environments."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Drawn  # noqa: E402

from offpolicy import SAC, TD3, UnsupportedError  # noqa: E402
from offpolicy.common.callbacks import BaseCallback  # noqa: E402
from offpolicy.common.noise import (  # noqa: E402
    ActionNoise,
    NormalActionNoise,
    OrnsteinUhlenbeckActionNoise,
    VectorizedActionNoise,
)

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


NOISES = {
    "of two standard deviations": lambda: NormalActionNoise(np.zeros(2), np.array([0.1, 0.3])),
    "around another mean": lambda: NormalActionNoise(np.array([0.1, 0.0]), 0.2 * np.ones(2)),
    "that is correlated": lambda: OrnsteinUhlenbeckActionNoise(np.zeros(2), np.array([0.1, 0.3])),
    "of the library": lambda: NormalActionNoise(np.zeros(2), 0.2 * np.ones(2)),
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("cls, count", [(TD3, 1), (TD3, 2), (SAC, 1)])
def test_a_run_that_goes_on_from_a_file_draws_the_noise_of_one_that_never_stopped(tmp_path, name, cls, count):
    def make():
        return [gym.make("Reacher-v5") for _ in range(count)]

    model = cls("MlpPolicy", make(), action_noise=NOISES[name](), **SMALL).learn(60)
    model.save(tmp_path / "model")
    assert cls.load(tmp_path / "model").digest == model.digest
    model.learn(60, reset_num_timesteps=False)
    np.random.seed(99)
    loaded = cls.load(tmp_path / "model", env=make()).learn(60, reset_num_timesteps=False)
    assert loaded.digest == model.digest


def test_environments_have_noise_of_their_own():
    noise = NormalActionNoise(np.zeros(2), np.ones(2))
    noise()
    first, second = VectorizedActionNoise(noise, 2)()
    assert not np.any(first == second)


def test_the_same_seed_of_numpy_gives_the_same_noise():
    def drawn():
        np.random.seed(4)
        noise = OrnsteinUhlenbeckActionNoise(np.zeros(2), np.ones(2))
        return np.stack([noise() for _ in range(5)])

    assert np.array_equal(drawn(), drawn())


class OfOnesOwn(ActionNoise):
    def __call__(self):
        return np.random.normal(size=1)


@pytest.mark.parametrize("count", [1, 2])
def test_noise_whose_state_is_not_saved_is_a_warning(tmp_path, count):
    model = TD3("MlpPolicy", [Counter() for _ in range(count)], action_noise=OfOnesOwn(), **SMALL).learn(20)
    with pytest.warns(UserWarning, match="state of the action noise, a .*, is not saved"):
        model.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="the action noise was a OfOnesOwn, which is not saved"):
        assert TD3.load(tmp_path / "model").action_noise is None


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("step", [73, 100])
def test_noise_goes_on_through_an_interruption_as_in_one_long_learn(tmp_path, count, step):
    class SaveAndStop(BaseCallback):
        def _on_step(self):
            if self.num_timesteps < step:
                return True
            self.model.save(tmp_path / "model")
            return False

    def make():
        return [gym.make("Pendulum-v1", max_episode_steps=40) for _ in range(count)]

    def noise():
        return OrnsteinUhlenbeckActionNoise(np.zeros(1), np.array([0.3]), initial_noise=np.array([0.5]))

    straight = TD3("MlpPolicy", make(), action_noise=noise(), **SMALL).learn(140)
    stopped = TD3("MlpPolicy", make(), action_noise=noise(), **SMALL).learn(140, callback=SaveAndStop())
    for model in (stopped, TD3.load(tmp_path / "model", env=make())):
        model.learn(140 - model.num_timesteps, reset_num_timesteps=False)
        assert model.digest == straight.digest


def test_set_random_seed_restarts_noise_that_has_drawn():
    noise = NormalActionNoise(np.zeros(2), np.array([0.1, 0.3]))
    model = TD3("MlpPolicy", two_actions(), action_noise=noise, **SMALL)
    drawn = []
    for _ in range(2):
        model.set_random_seed(4)
        drawn.append(model.action_noise())
    assert np.array_equal(*drawn) and not np.array_equal(drawn[0], model.action_noise())
