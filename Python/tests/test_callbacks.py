"""Callbacks inside callbacks, and callbacks that see more than one run."""

from __future__ import annotations

import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402

from offpolicy import SAC, DiscreteSAC  # noqa: E402
from offpolicy.common.callbacks import (  # noqa: E402
    BaseCallback,
    CallbackList,
    CheckpointCallback,
    EvalCallback,
    EveryNTimesteps,
)

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=5, batch_size=8, seed=0)


class Silent(BaseCallback):
    """Says nothing about whether training goes on."""

    def _on_step(self):
        pass


def evaluation(**inner):
    return EvalCallback(Counter(), eval_freq=10, n_eval_episodes=1, verbose=0, **inner)


@pytest.mark.parametrize("around", [
    lambda inner: inner,
    lambda inner: CallbackList([inner]),
    lambda inner: EveryNTimesteps(10, inner),
    lambda inner: evaluation(callback_after_eval=inner),
    lambda inner: evaluation(callback_on_new_best=inner),
])  # fmt: skip
def test_a_callback_that_returns_nothing_ends_no_training_wherever_it_is(around):
    assert SAC("MlpPolicy", Counter(), **SMALL).learn(40, callback=around(Silent())).num_timesteps == 40


def test_what_is_called_every_n_steps_is_called_in_a_second_run_too():
    steps = []
    callback = EveryNTimesteps(20, CallbackList([Noting(steps)]))
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(50, callback=callback)
    model.learn(30, callback=callback)
    model.learn(30, callback=callback, reset_num_timesteps=False)
    assert steps == [20, 40, 20, 40, 60]


class Noting(BaseCallback):
    """Keeps the steps at which it was called."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def _on_step(self):
        self.steps.append(self.num_timesteps)
        return True


def test_a_callback_that_is_due_at_no_call_is_never_due(tmp_path):
    SAC("MlpPolicy", Counter(), **SMALL).learn(10, callback=CheckpointCallback(0, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_log_every_zero_episodes_is_refused_before_the_first_step():
    model = SAC("MlpPolicy", Counter(), **SMALL)
    with pytest.raises(ValueError, match="log_interval=0"):
        model.learn(10, log_interval=0)
    assert model.learn(10, log_interval=None).num_timesteps == 10


@pytest.mark.parametrize("count", [1, 3])
def test_infos_have_the_episode_and_the_last_observation_in_built_in_environments_as_in_others(count):
    def infos_of(env):
        seen = []

        def look(found, _):
            for lane, (info, done) in enumerate(zip(found["infos"], found["dones"])):
                if done:
                    episode, last = info["episode"], info["terminal_observation"].tolist()
                    seen.append((lane, episode["r"], episode["l"], info["TimeLimit.truncated"], last))
                else:
                    assert "episode" not in info and "terminal_observation" not in info

        model = DiscreteSAC("MlpPolicy", env, **SMALL, **(dict(n_envs=count) if isinstance(env, str) else {}))
        model.learn(400, callback=look)
        assert [(r, length) for _, r, length, *_ in seen] == [(info["r"], info["l"]) for info in model.ep_info_buffer]
        return seen

    built_in = infos_of("CartPole-v1")
    assert {lane for lane, *_ in built_in} == set(range(count))
    assert built_in == infos_of([gym.make("CartPole-v1") for _ in range(count)])
