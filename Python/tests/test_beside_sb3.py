"""Stable-Baselines3's own callbacks, wrappers and functions with models of this package."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: NOTHING of it was tried")

import gymnasium as gym  # noqa: E402
from environments_for_tests import Counter  # noqa: E402
from stable_baselines3.common import callbacks as theirs  # noqa: E402
from stable_baselines3.common.evaluation import evaluate_policy as their_evaluate_policy  # noqa: E402
from stable_baselines3.common.logger import configure as their_configure  # noqa: E402
from stable_baselines3.common.monitor import Monitor  # noqa: E402
from stable_baselines3.common.noise import NormalActionNoise as TheirNoise  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecNormalize  # noqa: E402

from offpolicy import SAC, TD3, evaluate_policy  # noqa: E402
from offpolicy import callbacks as ours  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), seed=0, learning_starts=20)


@pytest.mark.parametrize("module", [theirs, ours], ids=["theirs", "ours"])
@pytest.mark.parametrize("env", ["Pendulum-v1", None], ids=["built in", "Gymnasium"])
def test_callbacks_do_the_same_whosever_they_are(tmp_path, module, env):
    model = SAC("MlpPolicy", env or gym.make("Pendulum-v1"), **SMALL)
    stop = module.StopTrainingOnRewardThreshold(1e6)
    evaluation = module.EvalCallback(
        Monitor(gym.make("Pendulum-v1")), callback_on_new_best=stop, n_eval_episodes=1, eval_freq=100, verbose=0,
        callback_after_eval=module.StopTrainingOnNoModelImprovement(100), log_path=tmp_path, best_model_save_path=tmp_path,
    )  # fmt: skip
    checkpoint = module.CheckpointCallback(100, str(tmp_path), save_replay_buffer=True)
    every = module.EveryNTimesteps(50, module.CheckpointCallback(1, str(tmp_path), name_prefix="event"))
    model.learn(250, callback=[evaluation, checkpoint, every, module.LogEveryNTimesteps(60)])
    assert list(np.load(tmp_path / "evaluations.npz")["timesteps"]) == [100, 200]
    found = {path.name for path in tmp_path.iterdir()}
    assert {"best_model.zip", "rl_model_100_steps.zip", "rl_model_200_steps.zip", "event_250_steps.zip"} <= found
    assert SAC.load(tmp_path / "rl_model_200_steps").num_timesteps == 200


@pytest.mark.parametrize("module", [theirs, ours], ids=["theirs", "ours"])
def test_episodes_are_counted_whosever_callback_it_is(module):
    model = SAC("MlpPolicy", [Counter(4), Counter(4)], **SMALL)
    model.learn(1000, callback=module.StopTrainingOnMaxEpisodes(5))
    assert model.num_timesteps == 40


def test_evaluations_agree():
    model = SAC("MlpPolicy", gym.make("Pendulum-v1"), **SMALL).learn(50)

    def env():
        made = Monitor(gym.make("Pendulum-v1"))
        made.reset(seed=5)
        return made

    assert np.allclose(evaluate_policy(model, env(), 3), their_evaluate_policy(model, env(), 3))
    assert their_evaluate_policy(model, model.get_env(), 1)[1] == 0
    assert isinstance(model.get_env(), VecEnv)


def test_a_vec_normalize_goes_with_the_model(tmp_path):
    env = VecNormalize(DummyVecEnv([lambda: gym.make("Pendulum-v1")]))
    model = SAC("MlpPolicy", env, **SMALL)
    evaluation = theirs.EvalCallback(
        VecNormalize(DummyVecEnv([lambda: gym.make("Pendulum-v1")]), training=False, norm_reward=False),
        eval_freq=100, n_eval_episodes=1, verbose=0, warn=False,
    )  # fmt: skip
    saving = theirs.CheckpointCallback(100, str(tmp_path), save_vecnormalize=True)
    model.learn(200, callback=[evaluation, saving])
    assert model.get_vec_normalize_env() is env
    assert (tmp_path / "rl_model_vecnormalize_200_steps.pkl").exists()
    assert np.allclose(evaluation.eval_env.obs_rms.mean, env.obs_rms.mean)


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_worker_processes_of_stable_baselines3_collect(method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks among threads
        env = SubprocVecEnv([_pendulum, _pendulum], start_method=method)
    try:
        beside = SAC("MlpPolicy", DummyVecEnv([_pendulum, _pendulum]), **SMALL).learn(200)
        model = SAC("MlpPolicy", env, **SMALL).learn(200)
        assert model.digest == beside.digest
    finally:
        env.close()


def _pendulum():
    return gym.make("Pendulum-v1")


def test_their_noise_and_their_logger_are_taken(tmp_path):
    noise = TheirNoise(np.zeros(1), 0.1 * np.ones(1))
    model = TD3("MlpPolicy", gym.make("Pendulum-v1"), action_noise=noise, **SMALL)
    model.set_logger(their_configure(str(tmp_path), ["csv"]))
    model.learn(1000, log_interval=1)
    rows = (tmp_path / "progress.csv").read_text().splitlines()
    assert len(rows) == 6 and "rollout/ep_rew_mean" in rows[0] and "train/critic_loss" in rows[0]
    per_number = TD3("MlpPolicy", gym.make("Pendulum-v1"), action_noise=TheirNoise(0.1 * np.ones(1), np.ones(1)), **SMALL)
    assert per_number._noise_in_python and not model._noise_in_python
    per_number.learn(50)


def test_our_vec_normalize_is_theirs():
    from environments_for_tests import Reach

    from offpolicy.common import vec_env as own

    for kinds in ({}, {"clip_obs": 0.8, "clip_reward": 0.1, "gamma": 0.9}, {"norm_obs": False}, {"norm_reward": False}):
        def made(module):
            return module.VecNormalize(module.DummyVecEnv([lambda: Counter(4), lambda: Counter(7)]), **kinds)  # noqa: B023

        one, other = made(own), made(sys.modules["stable_baselines3.common.vec_env"])
        pairs = [(one.reset(), other.reset())]
        for _ in range(20):
            actions = np.zeros((2, 1), np.float32)
            results = one.step(actions), other.step(actions)
            pairs += list(zip(results[0][:3], results[1][:3]))
            pairs += [(a.get("terminal_observation", 0), b.get("terminal_observation", 0)) for a, b in zip(results[0][3], results[1][3])]
        pairs += [(one.get_original_obs(), other.get_original_obs()), (one.ret_rms.var, other.ret_rms.var)]
        assert all(np.allclose(a, b, rtol=1e-6, atol=1e-7) for a, b in pairs)
    goals = [module.VecNormalize(module.DummyVecEnv([Reach])) for module in (own, sys.modules["stable_baselines3.common.vec_env"])]
    for vector in goals:
        vector.seed(3)
    first = [vector.reset() for vector in goals]
    assert set(first[0]) == set(first[1]) and all(np.allclose(first[0][key], first[1][key]) for key in first[0])


def test_learning_in_their_vec_normalize_is_that_in_ours():
    from offpolicy.common import vec_env as own

    theirs_vector = sys.modules["stable_baselines3.common.vec_env"]
    digests = {
        SAC("MlpPolicy", module.VecNormalize(module.DummyVecEnv([_pendulum, _pendulum])), **SMALL).learn(500).digest
        for module in (own, theirs_vector)
    }
    assert len(digests) == 1
