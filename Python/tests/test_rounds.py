"""Rounds of steps and updates: how many updates each has, and when DQN's targets move."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402

from offpolicy import DQN, SAC  # noqa: E402
from offpolicy.callbacks import BaseCallback  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), seed=3, learning_starts=0)


class Rounds(BaseCallback):
    """Keeps what a model has before each round: its steps, its updates, one tensor of the network and of the target."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def _on_rollout_start(self):
        tensors = self.model.get_parameters()["policy"]
        pair = [tensors.get(name + "critic.0.layer.0.weight") for name in ("", "target_")]
        self.seen.append((self.num_timesteps, self.model._n_updates, *pair))

    def _on_step(self):
        return True


def rounds_of(model, steps, **learn):
    seen = Rounds()
    model.learn(steps, callback=seen, **learn)
    return seen.seen


class Tens(Counter):
    """Episodes of 10 steps, two choices."""

    action_space = gym.spaces.Discrete(2)

    def __init__(self):
        super().__init__(10)


def by_episode(**arguments):
    return DQN("MlpPolicy", Tens(), train_freq=(1, "episode"), **{**SMALL, **arguments})


@pytest.mark.parametrize("gradient_steps", [3, -1])
def test_rounds_of_episodes_copy_the_target_by_steps(gradient_steps):
    seen = rounds_of(by_episode(target_update_interval=20, gradient_steps=gradient_steps), 100)
    assert len(seen) == 10
    for (_, _, network, target), (step, _, _, later) in zip(seen[1:], seen[2:]):
        assert np.array_equal(later, network if step % 20 == 0 else target), step
        assert not np.array_equal(network, target)


def test_rounds_of_episodes_move_a_soft_target_as_often_as_they_have_steps():
    seen = rounds_of(by_episode(target_update_interval=5, tau=0.5, gradient_steps=4), 60)
    for (_, _, network, target), (_, _, _, later) in zip(seen[1:], seen[2:]):
        assert np.allclose(later, 0.75 * network + 0.25 * target, atol=1e-6)
        assert not np.allclose(network, target, atol=1e-4)


def test_rounds_of_episodes_copy_the_target_across_a_restart():
    arguments = dict(target_update_interval=15, gradient_steps=3)
    whole = by_episode(**arguments).learn(100)
    stopped = by_episode(**arguments)
    stopped.learn(100, callback=lambda _locals, _globals: stopped.num_timesteps < 37)
    stopped.learn(63, reset_num_timesteps=False)
    assert stopped.digest == whole.digest


def test_a_configuration_of_the_target_overrides_rounds_of_episodes():
    soft = {"targetTracking": {"soft": {"rate": 0.5}}}
    seen = rounds_of(by_episode(target_update_interval=10, gradient_steps=1, configuration=soft), 30)
    for (_, _, _, target), (_, _, network, later) in zip(seen[1:], seen[2:]):
        assert np.allclose(later, 0.5 * network + 0.5 * target, atol=1e-6)


def test_every_round_of_steps_has_as_many_updates():
    for frequency, updates, count in [(11, 3, 1), (49, 5, 1), (7, 3, 2), (3, 10, 1)]:
        model = SAC("MlpPolicy", [Counter() for _ in range(count)], train_freq=frequency, gradient_steps=updates, **SMALL)
        seen = [updates for _, updates, *_ in rounds_of(model, 40 * frequency * count)]
        assert set(np.diff(seen)) == {updates}, (frequency, updates)


def test_every_round_in_a_built_in_environment_has_as_many_updates():
    model = SAC("MlpPolicy", "Pendulum-v1", train_freq=11, gradient_steps=3, **SMALL)
    assert set(np.diff([updates for _, updates, *_ in rounds_of(model, 1100)])) == {3}
    assert model._steps_natively
