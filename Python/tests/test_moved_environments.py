"""Environments that somebody else resets, steps or exchanges while a model collects from them."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402
from gymnasium.vector import SyncVectorEnv  # noqa: E402

from offpolicy import SAC, evaluate_policy  # noqa: E402
from offpolicy.common.callbacks import BaseCallback, EvalCallback  # noqa: E402
from offpolicy.common.vec_env import DummyVecEnv, VecFrameStack, VecMonitor, VecNormalize  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=5, batch_size=8, seed=0)

KINDS = {
    "an environment": Counter,
    "a vector": lambda: DummyVecEnv([Counter, Counter]),
    "a wrapped vector": lambda: VecMonitor(DummyVecEnv([Counter])),
    "a normalised vector": lambda: VecNormalize(DummyVecEnv([Counter])),
    "a vector of Gymnasium": lambda: SyncVectorEnv([Counter, Counter]),
}


class AtStep(BaseCallback):
    """Does something once."""

    def __init__(self, step, act):
        super().__init__()
        self.step, self.act = step, act

    def _on_step(self):
        if self.n_calls == self.step:
            self.act(self)
        return True


def are_steps_of_one_episode(model):
    """Whether every transition leads from a step of an episode of Counter to its next step."""
    rows = model.replay_buffer.transitions()
    before, after = rows["observations"], rows["next_observations"]
    follows = (before[:, 0] == after[:, 0]) & (before[:, 1] + 1 == after[:, 1]) & (after[:, 1] == rows["rewards"])
    return bool(follows.all())


@pytest.mark.parametrize("kind", KINDS)
def test_evaluations_in_the_environment_of_training_leave_no_transition_between_episodes(kind):
    env = KINDS[kind]()
    model = SAC("MlpPolicy", env, **SMALL)
    model.learn(60, callback=EvalCallback(env, eval_freq=7, n_eval_episodes=2, verbose=0))
    assert model.num_timesteps == 60
    assert are_steps_of_one_episode(model)
    # the episodes of the evaluations are not those of training
    assert len(model.ep_info_buffer) < 60 // 4


@pytest.mark.parametrize("kind", KINDS)
def test_an_evaluation_between_two_calls_of_learn_leaves_no_transition_between_episodes(kind):
    env = KINDS[kind]()
    model = SAC("MlpPolicy", env, **SMALL).learn(10)
    for evaluated in (env, model.get_env()):
        evaluate_policy(model, evaluated, n_eval_episodes=2)
        model.learn(10, reset_num_timesteps=False)
    assert are_steps_of_one_episode(model)


def test_a_wrapper_that_steps_several_times_is_not_taken_for_somebody_else():
    class Twice(VecFrameStack):
        def step_wait(self):
            super().step_wait()
            self.venv.step_async(np.zeros((1, 1)))
            return super().step_wait()

    env = Twice(DummyVecEnv([lambda: Counter(20)]), 1)
    model = SAC("MlpPolicy", env, **SMALL).learn(10, callback=lambda _locals, _globals: True)
    assert model.replay_buffer.transitions()["observations"][:, 1].tolist() == list(range(0, 20, 2))


def test_a_reset_by_a_callback_begins_an_episode():
    model = SAC("MlpPolicy", DummyVecEnv([Counter]), **SMALL)
    model.learn(20, callback=AtStep(7, lambda callback: callback.training_env.reset()))
    assert are_steps_of_one_episode(model)
    assert model.replay_buffer.transitions()["observations"][7].tolist() == [3, 0]


def test_environments_that_a_callback_sets_are_stepped_from_the_next_step_on():
    model = SAC("MlpPolicy", Counter(4), **SMALL)
    model.learn(40, callback=AtStep(11, lambda callback: callback.model.set_env(Counter(6))))
    lengths = model.replay_buffer.transitions()["next_observations"][:, 1]
    assert lengths[:11].max() == 4 and lengths[11:].max() == 6
    assert are_steps_of_one_episode(model) and model.num_timesteps == 40


def test_a_callback_takes_a_model_from_a_built_in_environment_to_gymnasiums():
    model = SAC("MlpPolicy", "Pendulum-v1", **SMALL)
    model.learn(40, callback=AtStep(11, lambda callback: callback.model.set_env(gym.make("Pendulum-v1"))))
    assert model.num_timesteps == 40 and model.replay_buffer.size() == 40


def test_a_replay_buffer_that_a_callback_loads_is_trained_on(tmp_path):
    SAC("MlpPolicy", Counter(), **SMALL).learn(30).save_replay_buffer(tmp_path / "buffer")
    model = SAC("MlpPolicy", Counter(), **SMALL)
    model.learn(20, callback=AtStep(7, lambda callback: callback.model.load_replay_buffer(tmp_path / "buffer")))
    assert model.replay_buffer.size() == 30 + 13


def test_a_late_resetting_vector_whose_environments_have_all_ended_begins_anew():
    model = SAC("MlpPolicy", SyncVectorEnv([Counter, Counter]), **SMALL).learn(8)
    model.learn(2)
    actions = model.replay_buffer.actions
    assert len(actions) == 5 and np.abs(actions[4]).min() > 0


@pytest.mark.parametrize("kind", ["an environment", "a vector", "a vector of Gymnasium"])
def test_models_that_train_in_turn_in_one_environment_begin_new_episodes(kind):
    env = KINDS[kind]()
    models = [SAC("MlpPolicy", env, **SMALL) for _ in range(2)]
    for model in 2 * models:
        model.learn(10, reset_num_timesteps=model.num_timesteps == 0)
    assert all(are_steps_of_one_episode(model) for model in models)
