"""Numbers among the constructors' arguments: NumPy's own count as numbers, and each has to lie where it should."""

from __future__ import annotations

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402

from offpolicy import DQN, SAC, TD3, LinearSchedule  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), seed=3, learning_starts=5)


@pytest.mark.parametrize(
    "name,value",
    [
        ("train_freq", np.int64(4)), ("train_freq", (np.int64(2), "step")), ("gradient_steps", np.int32(2)),
        ("stats_window_size", np.int64(3)), ("max_grad_norm", np.float32(1)), ("tau", np.float32(1)),
        ("target_update_interval", np.int64(7)), ("batch_size", np.int64(8)), ("n_steps", np.int64(2)),
        ("policy_kwargs", dict(net_arch=np.array([8]))), ("configuration", {"huberThreshold": np.float32(2)}),
        ("exploration_fraction", np.float32(0.5)),
    ],
)  # fmt: skip
def test_numpys_numbers_are_numbers(tmp_path, name, value):
    def learned(given):
        return DQN("MlpPolicy", "CartPole-v1", **{**SMALL, name: given}).learn(60)

    def plain(given):
        if isinstance(given, (np.generic, np.ndarray)):
            return given.tolist()
        if isinstance(given, dict):
            return {key: plain(item) for key, item in given.items()}
        return tuple(map(plain, given)) if isinstance(given, tuple) else given

    model = learned(value)
    assert model.digest == learned(plain(value)).digest
    model.save(tmp_path / "model")
    assert DQN.load(tmp_path / "model").learn(20).num_timesteps >= 20


def test_numpys_numbers_are_options_of_built_in_environments():
    model = SAC("MlpPolicy", "Pendulum-v1", environment_options={"g": np.float32(2)}, **SMALL).learn(20)
    assert model.digest == SAC("MlpPolicy", "Pendulum-v1", environment_options={"g": 2.0}, **SMALL).learn(20).digest


def test_infinity_bounds_nothing(tmp_path):
    def learned(**arguments):
        return DQN("MlpPolicy", "CartPole-v1", **SMALL, **arguments).learn(100)

    model = learned(max_grad_norm=float("inf"))
    assert model.digest == learned(max_grad_norm=None).digest
    assert model.digest == learned(configuration={"maximumGradientNorm": np.inf}).digest
    assert model.digest != learned(max_grad_norm=1e-3).digest
    model.save(tmp_path / "model")
    assert DQN.load(tmp_path / "model").max_grad_norm == float("inf")
    clips = [TD3("MlpPolicy", "Pendulum-v1", target_noise_clip=bound, **SMALL).learn(50).digest for bound in (np.inf, 9.0)]
    assert clips[0] == clips[1]


@pytest.mark.parametrize(
    "name,value",
    [
        ("tau", 1.5), ("tau", 0), ("tau", -0.1), ("tau", np.nan), ("gamma", 1.5), ("gamma", np.nan), ("batch_size", 0),
        ("batch_size", np.nan), ("buffer_size", 0), ("buffer_size", np.inf), ("buffer_size", 1.5), ("n_steps", 0),
        ("gradient_steps", 1.5), ("gradient_steps", "a"), ("target_update_interval", 0), ("target_update_interval", "x"),
        ("stats_window_size", 0), ("exploration_fraction", "x"), ("exploration_fraction", -0.1),
        ("exploration_initial_eps", 2), ("max_grad_norm", -1), ("max_grad_norm", "x"), ("learning_rate", np.nan),
    ],
)  # fmt: skip
def test_a_number_that_lies_elsewhere_is_an_error_that_names_it(name, value):
    with pytest.raises(ValueError, match=f"{name}="):
        DQN("MlpPolicy", "CartPole-v1", **{**SMALL, name: value})


@pytest.mark.parametrize("train_freq", [4, (1, "episode")])
def test_tau_is_refused_above_1_whatever_a_round_is(train_freq):
    with pytest.raises(ValueError, match="tau=1.5: it must be above 0 and at most 1"):
        DQN("MlpPolicy", "CartPole-v1", train_freq=train_freq, tau=1.5)
    with pytest.raises(ValueError, match="tau=1.5: it must be above 0 and at most 1"):
        SAC("MlpPolicy", "Pendulum-v1", tau=1.5)
    model = SAC("MlpPolicy", "Pendulum-v1", **SMALL)
    model.tau = 1.5
    with pytest.raises(ValueError, match="tau=1.5"):
        model.learn(10)


@pytest.mark.parametrize("env", ["CartPole-v1", lambda: gym.make("CartPole-v1")])
def test_an_exploration_fraction_of_0_is_the_final_epsilon_from_the_start(env):
    model = DQN("MlpPolicy", env, exploration_fraction=0.0, exploration_final_eps=0.25, **SMALL)
    rates = []
    model.learn(20, callback=lambda _locals, _globals: rates.append(model.exploration_rate))
    assert {round(rate, 6) for rate in rates} == {0.25}


def test_a_linear_schedule_over_nothing_is_at_its_end():
    assert LinearSchedule(1.0, 0.1, 0)(1.0) == 0.1
    assert LinearSchedule(1.0, 0.1, 0.5)(1.0) == 1.0


def test_the_temperature_is_a_single_number():
    model = SAC("MlpPolicy", "Pendulum-v1", ent_coef=0.25, **SMALL)
    assert model.ent_coef_tensor.shape == () and abs(float(model.ent_coef_tensor) - 0.25) < 1e-6
    assert SAC("MlpPolicy", "Pendulum-v1", **SMALL).log_ent_coef.shape == (1,)


@pytest.mark.parametrize("size,rows", [(5, 1), (8, 1), (17, 2)])
def test_a_buffer_has_a_row_for_each_environment_at_least(size, rows):
    model = SAC("MlpPolicy", [Counter() for _ in range(8)], buffer_size=size, **SMALL).learn(80)
    assert model.replay_buffer.buffer_size == rows and len(model.replay_buffer) == 8 * rows and model._n_updates > 0


def test_learning_starts_below_0_is_0():
    assert SAC("MlpPolicy", Counter(), **{**SMALL, "learning_starts": -5}).learn(10)._n_updates == 10
