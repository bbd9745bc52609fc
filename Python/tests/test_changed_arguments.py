"""Arguments of a model that change after it was made: they hold, as in Stable-Baselines3, and nothing that was learned is lost."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402

from offpolicy import DQN, SAC, TD3  # noqa: E402
from offpolicy.changed_arguments import _make_anew  # noqa: E402
from offpolicy.common.callbacks import BaseCallback  # noqa: E402
from offpolicy.common.noise import NormalActionNoise  # noqa: E402
from offpolicy.common.utils import LinearSchedule  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=5, batch_size=8, seed=0)


def rate_of(model):
    """The learning rate that a model's log has after 10 more steps, and the one that was set in its learner."""
    model.learn(10, reset_num_timesteps=False)
    return model.logger.name_to_value["train/learning_rate"], model._applied.get("learningRate")


def test_a_learning_rate_that_is_set_is_the_one_that_is_used_and_saved(tmp_path):
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(20)
    model.learning_rate = 1e-5
    assert rate_of(model) == (1e-5, 1e-5)
    model.lr_schedule = lambda _: 2e-5
    assert rate_of(model) == (2e-5, 2e-5)
    model.learning_rate = 3e-5
    model._setup_lr_schedule()
    assert rate_of(model) == (3e-5, 3e-5)
    model.save(tmp_path / "model")
    assert SAC.load(tmp_path / "model").learning_rate == 3e-5


@pytest.mark.parametrize("env", [Counter, lambda: "Pendulum-v1"])
def test_a_callback_may_change_the_learning_rate_and_the_updates(env):
    class Changing(BaseCallback):
        def _on_step(self):
            if self.n_calls == 10:
                self.model.lr_schedule = lambda progress: 1e-4 * progress
                self.model.gradient_steps = 3
            return True

    model = SAC("MlpPolicy", env(), **SMALL).learn(20, callback=Changing())
    assert 0 < model._applied["learningRate"] < 1e-4
    # the update after the tenth step is one of three already, or one as before
    assert model._n_updates in (5 + 3 * 10, 4 + 3 * 11)


@pytest.mark.parametrize("name, value, updates", [
    ("learning_starts", 60, 35 + 20), ("train_freq", 2, 35 + 20), ("train_freq", (1, "episode"), 35 + 10),
    ("gradient_steps", 2, 35 + 80), ("gradient_steps", 0, 35),
])  # fmt: skip
def test_the_number_of_updates_follows_arguments_that_change(name, value, updates):
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(40)
    setattr(model, name, value)
    assert model.learn(40, reset_num_timesteps=False)._n_updates == updates
    assert model.replay_buffer.size() == 80


@pytest.mark.parametrize("name, value", [
    ("batch_size", 16), ("gamma", 0.5), ("tau", 0.5), ("target_policy_noise", 0.5),
    ("action_noise", NormalActionNoise(np.zeros(1), np.ones(1))),
])  # fmt: skip
def test_learning_depends_on_arguments_that_change(name, value):
    as_before, changed = (TD3("MlpPolicy", Counter(), **SMALL).learn(40) for _ in range(2))
    assert as_before.digest == changed.digest
    setattr(changed, name, value)
    for model in (as_before, changed):
        model.learn(40, reset_num_timesteps=False)
    assert as_before.digest != changed.digest


@pytest.mark.parametrize("algorithm, env", [(SAC, Counter), (DQN, lambda: gym.make("CartPole-v1"))])
def test_a_learner_that_is_made_anew_learns_the_same(algorithm, env):
    models = [algorithm("MlpPolicy", env(), **SMALL).learn(42) for _ in range(2)]
    _make_anew(models[1])
    for model in models:
        model.learn(40, reset_num_timesteps=False)
    assert models[0].digest == models[1].digest


@pytest.mark.parametrize("rate", [lambda progress: 1e-3 * progress, LinearSchedule(1e-3, 0.0, 1.0)])
def test_a_number_takes_the_place_of_a_schedule_that_has_come_to_its_end(tmp_path, rate):
    model = SAC("MlpPolicy", Counter(), learning_rate=rate, **SMALL).learn(40)
    assert model._applied["learningRate"] < 1e-4
    model.save(tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = SAC.load(tmp_path / "model", env=Counter(), learning_rate=1e-4)
    before = loaded.digest
    assert rate_of(loaded) == (1e-4, 1e-4) and loaded.digest != before


def test_a_function_that_is_not_saved_leaves_the_default_rate_and_a_warning(tmp_path):
    SAC("MlpPolicy", Counter(), learning_rate=lambda progress: 1e-3 * progress, **SMALL).learn(40).save(tmp_path / "model")
    with pytest.warns(UserWarning, match="the learning rate was the function .* it is 0.0003 now"):
        loaded = SAC.load(tmp_path / "model", env=Counter())
    assert rate_of(loaded) == (3e-4, 3e-4)


def temperature_of(model):
    return float(model.learn(10, reset_num_timesteps=False).logger.name_to_value["train/ent_coef"])


def test_a_fixed_temperature_takes_the_place_of_the_one_that_was_learned(tmp_path):
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(40)
    model.save(tmp_path / "model")
    model.save_sb3(tmp_path / "sb3.zip")
    model.ent_coef = 0.02
    assert temperature_of(model) == pytest.approx(0.02)
    for file in ("model", "sb3.zip"):
        for given in ({"ent_coef": 0.02}, {"custom_objects": {"ent_coef": 0.02}}):
            assert temperature_of(SAC.load(tmp_path / file, env=Counter(), **given)) == pytest.approx(0.02)
        assert temperature_of(SAC.load(tmp_path / file, env=Counter())) > 0.9


def test_a_temperature_is_learned_from_where_it_was_fixed(tmp_path):
    SAC("MlpPolicy", Counter(), ent_coef=0.1, **SMALL).learn(40).save(tmp_path / "model")
    found = temperature_of(SAC.load(tmp_path / "model", env=Counter(), ent_coef="auto"))
    assert found == pytest.approx(0.1, rel=0.1) and found != pytest.approx(0.1, rel=1e-5)


def test_a_wrong_value_is_named_when_training_begins():
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(10)
    model.batch_size = "many"
    with pytest.raises(ValueError, match="batch_size='many' is not a number"):
        model.learn(10)


@pytest.mark.parametrize("algorithm, env", [
    (SAC, Counter), (TD3, Counter), (SAC, lambda: "Pendulum-v1"), (DQN, lambda: gym.make("CartPole-v1")),
])  # fmt: skip
def test_set_random_seed_makes_models_of_different_seeds_alike(algorithm, env):
    """They differ in their seeds and in how much they have drawn, and have the same parameters."""
    first, second = algorithm("MlpPolicy", env(), **SMALL), algorithm("MlpPolicy", env(), **{**SMALL, "seed": 1})
    observations = np.zeros(first.observation_space.shape)
    for _ in range(7):
        second.predict(observations)
    second.set_parameters(first.get_parameters())
    for model in (first, second):
        model.set_random_seed(5)
    assert first.predict(observations)[0].tolist() == second.predict(observations)[0].tolist()
    assert first.learn(60).digest == second.learn(60).digest
    # and the seed matters
    second.set_random_seed(6)
    assert first.learn(20, reset_num_timesteps=False).digest != second.learn(20, reset_num_timesteps=False).digest


def test_set_random_seed_restarts_the_draws_and_keeps_what_was_learned():
    model = SAC("MlpPolicy", Counter(), **SMALL).learn(40)
    digest, observation = model.digest, np.zeros(model.observation_space.shape)
    draws = []
    for _ in range(2):
        model.set_random_seed(3)
        draws.append([model.predict(observation)[0].tolist() for _ in range(3)])
    assert draws[0] == draws[1] and draws[0][0] != draws[0][1]
    assert model.digest == digest and model.seed == 3 and model.replay_buffer.size() == 40


def test_a_model_that_was_seeded_anew_goes_on_exactly_from_its_file(tmp_path):
    model = SAC("MlpPolicy", "Pendulum-v1", **SMALL).learn(20)
    model.set_random_seed(9)
    model.learn(20, reset_num_timesteps=False).save(tmp_path / "model")
    loaded = SAC.load(tmp_path / "model")
    for each in (model, loaded):
        each.learn(20, reset_num_timesteps=False)
    assert loaded.digest == model.digest


def test_a_callback_may_set_the_seed_for_the_rounds_that_follow():
    class Seeding(BaseCallback):
        def _on_step(self):
            if self.n_calls == 10:
                self.model.set_random_seed(4)
            return True

    plain, seeded = (SAC("MlpPolicy", Counter(), **SMALL) for _ in range(2))
    plain.learn(20)
    seeded.learn(20, callback=Seeding())
    assert plain.digest != seeded.digest and plain._n_updates == seeded._n_updates


def test_a_model_without_a_seed_takes_one_from_numpys_generator():
    digests = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        digests.append(SAC("MlpPolicy", "Pendulum-v1", **{**SMALL, "seed": None}).learn(40).digest)
    assert digests[0] == digests[1] != digests[2]
