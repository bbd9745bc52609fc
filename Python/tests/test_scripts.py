"""What users' scripts do, with their imports alone changed.

Each script runs with all of it from here, with models from here beside the helpers of Stable-Baselines3, and, so that the
script itself is right, with Stable-Baselines3 alone. The last two where it is installed.
"""

from __future__ import annotations

import copy
import csv
import importlib
import importlib.util
import json
import types
from collections.abc import Mapping

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Reach  # noqa: E402

NEEDS = pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None, reason="Stable-Baselines3 is not installed: not tried with it"
)


class Copies(Mapping):
    """Arguments, copied for each use: Stable-Baselines3 adds to the dictionaries that it is given."""

    def __init__(self, **arguments):
        self.arguments = arguments

    def __getitem__(self, name):
        return copy.deepcopy(self.arguments[name])

    def __iter__(self):
        return iter(self.arguments)

    def __len__(self):
        return len(self.arguments)


SMALL = Copies(policy_kwargs=dict(net_arch=[16, 16]), learning_starts=50, batch_size=32, seed=0)
PARTS = (
    "callbacks", "env_util", "envs", "evaluation", "logger", "monitor", "noise", "utils", "vec_env", "env_checker",
)  # fmt: skip


@pytest.fixture(
    params=[
        ("offpolicy", "offpolicy"),
        pytest.param(("offpolicy", "stable_baselines3"), marks=NEEDS),
        pytest.param(("stable_baselines3", "stable_baselines3"), marks=NEEDS),
    ],
    ids=["ours", "models alone", "Stable-Baselines3"],
)
def lib(request, tmp_path, monkeypatch):
    """The names that a script imports; it runs in a folder of its own."""
    models, helpers = request.param
    monkeypatch.chdir(tmp_path)
    found = types.SimpleNamespace(**{name: getattr(importlib.import_module(models), name) for name in (
        "SAC", "TD3", "DDPG", "DQN", "HerReplayBuffer")})  # fmt: skip
    for part in PARTS:
        setattr(found, part, importlib.import_module(f"{helpers}.common.{part}"))
    found.strategy = importlib.import_module(f"{helpers}.her.goal_selection_strategy").GoalSelectionStrategy
    found.policies = importlib.import_module(f"{models}.sac.policies")
    return found


def test_training_saving_loading(lib, tmp_path):
    env = gym.make("CartPole-v1", render_mode="rgb_array")
    model = lib.DQN("MlpPolicy", env, verbose=1, **SMALL)
    model.learn(total_timesteps=int(2e2))
    model.save("dqn")
    del model
    model = lib.DQN.load("dqn", env=env)
    mean, deviation = lib.evaluation.evaluate_policy(model, model.get_env(), n_eval_episodes=3)
    assert mean > 0 and deviation >= 0
    vec_env = model.get_env()
    obs = vec_env.reset()
    for _ in range(20):
        action, _states = model.predict(obs, deterministic=True)
        obs, rewards, dones, info = vec_env.step(action)
        assert vec_env.render("rgb_array").ndim == 3
    assert obs.shape == (1, 4) and rewards.dtype == np.float32 and dones.shape == (1,) and len(info) == 1


@pytest.mark.parametrize("processes", [False, True])
def test_several_environments(lib, processes):
    kind = lib.vec_env.SubprocVecEnv if processes else lib.vec_env.DummyVecEnv
    vec_env = lib.env_util.make_vec_env("Pendulum-v1", n_envs=2, seed=0, vec_env_cls=kind, env_kwargs={"g": 9.0})
    try:
        assert vec_env.get_attr("spec")[1].kwargs["g"] == 9.0
        model = lib.SAC("MlpPolicy", vec_env, train_freq=1, gradient_steps=2, **SMALL)
        model.learn(total_timesteps=500)
        assert model.num_timesteps == 500 and model._n_updates == 2 * (500 - 50) // 2
        assert len(model.ep_info_buffer) == 2 and model.ep_info_buffer[0]["l"] == 200
        obs = vec_env.reset()
        for _ in range(5):
            action, _states = model.predict(obs)
            obs, rewards, dones, info = vec_env.step(action)
        assert obs.shape == (2, 3)
    finally:
        vec_env.close()


def test_evaluations_checkpoints_and_an_early_end(lib, tmp_path):
    c = lib.callbacks
    eval_env = lib.monitor.Monitor(gym.make("Pendulum-v1"))
    stop = c.StopTrainingOnRewardThreshold(reward_threshold=-1e9, verbose=1)
    evaluation = c.EvalCallback(
        eval_env, callback_on_new_best=stop, eval_freq=100, n_eval_episodes=2, best_model_save_path="logs",
        log_path="logs", deterministic=True, render=False,
    )  # fmt: skip
    checkpoint = c.CheckpointCallback(save_freq=50, save_path="logs", name_prefix="rl_model", save_replay_buffer=True)
    model = lib.SAC("MlpPolicy", "Pendulum-v1", **SMALL)
    model.learn(int(1e10), callback=c.CallbackList([checkpoint, evaluation]))
    assert model.num_timesteps == 100
    found = {path.name for path in (tmp_path / "logs").iterdir()}
    assert {"best_model.zip", "evaluations.npz", "rl_model_50_steps.zip", "rl_model_100_steps.zip"} <= found
    assert "rl_model_replay_buffer_100_steps.pkl" in found
    other = lib.SAC.load("logs/rl_model_100_steps", env=gym.make("Pendulum-v1"))
    other.load_replay_buffer("logs/rl_model_replay_buffer_100_steps")
    assert other.replay_buffer.size() in (99, 100)
    other.learn(20, reset_num_timesteps=False)
    assert other.num_timesteps == 120


def test_a_callback_reads_what_the_monitor_wrote(lib, tmp_path):
    class SaveOnBestTrainingReward(lib.callbacks.BaseCallback):
        def __init__(self, check_freq, folder):
            super().__init__(verbose=1)
            self.check_freq, self.folder, self.best = check_freq, folder, -np.inf

        def _on_step(self):
            if self.n_calls % self.check_freq == 0:
                rows = (self.folder / "monitor.csv").read_text().splitlines()
                assert json.loads(rows[0][1:])["env_id"] == "Pendulum-v1" and rows[1] == "r,l,t"
                rewards = [float(row["r"]) for row in csv.DictReader(rows[1:])]
                if rewards and np.mean(rewards[-100:]) > self.best:
                    self.best = np.mean(rewards[-100:])
                    self.model.save(self.folder / "best_model")
            return True

    env = lib.monitor.Monitor(gym.make("Pendulum-v1"), str(tmp_path))
    noise = lib.noise.NormalActionNoise(mean=np.zeros(1), sigma=0.1 * np.ones(1))
    model = lib.TD3("MlpPolicy", env, action_noise=noise, verbose=0, **SMALL)
    model.learn(450, callback=SaveOnBestTrainingReward(100, tmp_path))
    assert (tmp_path / "best_model.zip").exists()
    assert env.get_episode_lengths() == [200, 200] and env.get_total_steps() == 450
    assert [round(x, 6) for x in env.get_episode_rewards()] == [info["r"] for info in model.ep_info_buffer]


def test_normalised_environments_are_saved_and_loaded(lib, tmp_path):
    vec_env = lib.env_util.make_vec_env("Pendulum-v1", n_envs=1)
    vec_env = lib.vec_env.VecNormalize(vec_env, norm_obs=True, norm_reward=True, clip_obs=10.0)
    model = lib.SAC("MlpPolicy", vec_env, **SMALL)
    model.learn(total_timesteps=250)
    # in both libraries the buffer holds what there was before the wrapper
    assert np.allclose(np.linalg.norm(model.replay_buffer.observations[:250, 0, :2], axis=-1), 1, atol=1e-6)
    assert model.replay_buffer.rewards[:250].min() < -1
    model.save(tmp_path / "sac")
    vec_env.save(tmp_path / "vec_normalize.pkl")
    mean, variance = vec_env.obs_rms.mean.copy(), vec_env.ret_rms.var.copy()
    del model, vec_env

    vec_env = lib.env_util.make_vec_env("Pendulum-v1", n_envs=1)
    vec_env = lib.vec_env.VecNormalize.load(tmp_path / "vec_normalize.pkl", vec_env)
    vec_env.training, vec_env.norm_reward = False, False
    model = lib.SAC.load(tmp_path / "sac", env=vec_env)
    lib.evaluation.evaluate_policy(model, vec_env, n_eval_episodes=1)
    assert np.array_equal(vec_env.obs_rms.mean, mean) and vec_env.ret_rms.var == variance
    assert model.get_vec_normalize_env() is vec_env
    assert lib.vec_env.unwrap_vec_normalize(vec_env) is vec_env


def test_hindsight_is_saved_and_loaded_with_its_environment(lib):
    env = Reach()
    model = lib.SAC(
        "MultiInputPolicy", env, replay_buffer_class=lib.HerReplayBuffer, buffer_size=int(1e4),
        replay_buffer_kwargs=dict(n_sampled_goal=4, goal_selection_strategy=lib.strategy.FUTURE), verbose=0,
        **SMALL,
    )  # fmt: skip
    model.learn(200)
    assert len(model.ep_success_buffer) == 20
    model.save("her")
    model = lib.SAC.load("her", env=env)
    obs, info = env.reset()
    for _ in range(30):
        action, _ = model.predict(obs, deterministic=True)
        obs, reward, terminated, truncated, info = env.step(action)
        assert "is_success" in info
        if terminated or truncated:
            obs, info = env.reset()


@pytest.mark.parametrize("name", ["DQN", "SAC"])
def test_bits_are_flipped_with_hindsight(lib, name):
    cls = getattr(lib, name)
    env = lib.envs.BitFlippingEnv(n_bits=4, continuous=cls is not lib.DQN, max_steps=4)
    arguments = dict(goal_selection_strategy="future", n_sampled_goal=4)
    model = cls("MultiInputPolicy", env, replay_buffer_class=lib.HerReplayBuffer, replay_buffer_kwargs=arguments, **SMALL)
    model.learn(100)
    assert isinstance(model.replay_buffer, lib.HerReplayBuffer)
    model.save("./her_bit_env")
    model = cls.load("./her_bit_env", env=env)
    obs, info = env.reset()
    for _ in range(20):
        action, _ = model.predict(obs, deterministic=True)
        obs, reward, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            obs, info = env.reset()
    mean, _ = lib.evaluation.evaluate_policy(model, lib.monitor.Monitor(env), n_eval_episodes=4)
    assert -4 <= mean <= 0


def test_wrappers_around_wrappers_around_a_vector(lib, tmp_path):
    vec_env = lib.vec_env.DummyVecEnv([lambda: gym.make("Pendulum-v1")] * 2)
    vec_env = lib.vec_env.VecCheckNan(lib.vec_env.VecMonitor(vec_env, str(tmp_path / "all")), raise_exception=True)
    vec_env = lib.vec_env.VecFrameStack(vec_env, n_stack=3)
    vec_env = lib.vec_env.VecNormalize(vec_env, norm_obs=True, norm_reward=True)
    model = lib.SAC("MlpPolicy", vec_env, **SMALL)
    model.learn(420)
    assert model.observation_space.shape == (9,) and len(model.ep_info_buffer) == 2
    assert len((tmp_path / "all.monitor.csv").read_text().splitlines()) == 4
    assert lib.vec_env.is_vecenv_wrapped(vec_env, lib.vec_env.VecFrameStack)
    # rewards of Pendulum are below 0 and divided, episodes of the monitor are not
    mean, _ = lib.evaluation.evaluate_policy(model, vec_env, n_eval_episodes=2)
    assert mean < -100
    model.save("stacked")
    again = lib.SAC.load("stacked", env=vec_env)
    obs = vec_env.reset()
    assert np.array_equal(again.predict(obs, deterministic=True)[0], model.predict(obs, deterministic=True)[0])


def test_noise_episodes_and_networks(lib):
    noise = lib.noise.OrnsteinUhlenbeckActionNoise(mean=np.zeros(1), sigma=0.3 * np.ones(1))
    kwargs = dict(net_arch=dict(pi=[16], qf=[24, 16]))
    if importlib.util.find_spec("torch") is not None:
        kwargs["activation_fn"] = importlib.import_module("torch.nn").Tanh
    model = lib.TD3(
        "MlpPolicy", "Pendulum-v1", action_noise=noise, train_freq=(1, "episode"), gradient_steps=-1, device="cpu",
        **{**SMALL, "policy_kwargs": kwargs},
    )  # fmt: skip
    model.learn(250, log_interval=1)
    # whole episodes, and as many updates as steps
    assert model.num_timesteps == 400 and model._n_updates == 400
    ddpg = lib.DDPG("MlpPolicy", "Pendulum-v1", gradient_steps=2, train_freq=(4, "step"), **SMALL)
    assert ddpg.learn(100)._n_updates == 2 * 13


def test_the_buffer_and_the_policy_are_saved_by_themselves(lib):
    model = lib.SAC("MlpPolicy", "Pendulum-v1", learning_rate=1e-3, **SMALL)
    model.learn(total_timesteps=150)
    model.save_replay_buffer("buffer")
    model.save("model")
    loaded = lib.SAC.load("model")
    loaded.load_replay_buffer("buffer")
    assert loaded.replay_buffer.size() == 150
    policy = model.policy
    policy.save("policy")
    env = model.get_env()
    first, _ = lib.evaluation.evaluate_policy(policy, env, n_eval_episodes=1, deterministic=True)
    saved = lib.policies.MlpPolicy.load("policy")
    lib.evaluation.evaluate_policy(saved, env, n_eval_episodes=1, deterministic=True)
    obs = env.reset()
    assert np.array_equal(saved.predict(obs, deterministic=True)[0], policy.predict(obs, deterministic=True)[0])
    assert np.array_equal(saved.predict(obs, deterministic=True)[0], model.predict(obs, deterministic=True)[0])


def test_a_logger_of_ones_own_writes_a_table_and_a_file(lib, tmp_path, capsys):
    logger = lib.logger.configure(str(tmp_path / "log"), ["stdout", "csv", "json"])
    model = lib.SAC("MlpPolicy", "Pendulum-v1", verbose=1, stats_window_size=1, **SMALL)
    model.set_logger(logger)
    model.learn(450, log_interval=1)
    with open(tmp_path / "log" / "progress.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["time/total_timesteps"] for row in rows] == ["200", "400"]
    names = {
        "rollout/ep_len_mean", "rollout/ep_rew_mean", "time/episodes", "time/fps", "time/time_elapsed",
        "time/total_timesteps", "train/actor_loss", "train/critic_loss", "train/ent_coef", "train/ent_coef_loss",
        "train/learning_rate", "train/n_updates",
    }  # fmt: skip
    assert names <= set(rows[-1]), names - set(rows[-1])
    assert float(rows[1]["rollout/ep_rew_mean"]) == pytest.approx(model.ep_info_buffer[0]["r"], rel=1e-6)
    assert "ep_rew_mean" in capsys.readouterr().out


def test_curves_of_several_calls_go_on(lib, tmp_path):
    def has(name):
        return importlib.util.find_spec(name) is not None

    if not has("tensorboardX") and not (has("torch") and has("tensorboard")):
        pytest.skip("neither tensorboardX nor PyTorch with TensorBoard is installed: event files were not tried")

    class More(lib.callbacks.BaseCallback):
        def _on_step(self):
            self.logger.record("random_value", float(self.num_timesteps))
            return True

    model = lib.SAC("MlpPolicy", "Pendulum-v1", tensorboard_log="board", **SMALL)
    model.learn(total_timesteps=220, tb_log_name="first", log_interval=1, callback=More())
    model.learn(total_timesteps=220, tb_log_name="first", reset_num_timesteps=False, log_interval=1)
    model.learn(total_timesteps=220, tb_log_name="other", reset_num_timesteps=False, log_interval=1)
    assert model.num_timesteps == 660
    assert {path.name for path in (tmp_path / "board").iterdir()} == {"first_1", "other_0"}


def test_rates_and_temperatures_of_all_kinds(lib):
    def linear(initial):
        return lambda progress_remaining: progress_remaining * initial

    model = lib.SAC(
        "MlpPolicy", "Pendulum-v1", learning_rate=linear(1e-3), ent_coef="auto_0.1", target_entropy=-2.0, tau=0.02, gamma=0.98,
        buffer_size=5000, optimize_memory_usage=True, replay_buffer_kwargs=dict(handle_timeout_termination=False),
        target_update_interval=1, stats_window_size=10, **SMALL,
    )  # fmt: skip
    model.learn(200)
    assert model._n_updates == 150
    model.learn(total_timesteps=100, reset_num_timesteps=True)
    fixed = lib.SAC("MlpPolicy", "Pendulum-v1", ent_coef=0.05, n_steps=3, **SMALL).learn(100)
    assert fixed.num_timesteps == 100
    schedule = lib.utils.LinearSchedule(1e-3, 1e-4, 0.5)
    assert lib.TD3("MlpPolicy", "Pendulum-v1", learning_rate=schedule, **SMALL).learn(80)._n_updates == 30


def test_parameters_are_changed_and_put_back(lib):
    model = lib.DQN("MlpPolicy", "CartPole-v1", **SMALL)
    model.learn(100)
    before = {name: np.array(value) for name, value in model.policy.state_dict().items()}
    changed = {name: value + 1 for name, value in model.policy.state_dict().items()}
    model.policy.load_state_dict(changed, strict=False)
    for name, value in model.policy.state_dict().items():
        assert np.allclose(np.array(value), before[name] + 1, atol=1e-6)
    model.set_parameters(model.get_parameters(), exact_match=True)
    mean, _ = lib.evaluation.evaluate_policy(model, model.get_env(), n_eval_episodes=2)
    assert mean > 0


class Trial:
    """What an Optuna trial is to a callback."""

    def __init__(self):
        self.reported = []

    def report(self, value, step):
        self.reported.append((step, value))

    def should_prune(self):
        return len(self.reported) == 2


def test_a_search_ends_trials_that_promise_nothing(lib):
    class TrialEvalCallback(lib.callbacks.EvalCallback):
        def __init__(self, eval_env, trial, n_eval_episodes=5, eval_freq=10000, deterministic=True, verbose=0):
            super().__init__(
                eval_env=eval_env, n_eval_episodes=n_eval_episodes, eval_freq=eval_freq, deterministic=deterministic,
                verbose=verbose,
            )  # fmt: skip
            self.trial, self.eval_idx, self.is_pruned = trial, 0, False

        def _on_step(self):
            if self.eval_freq > 0 and self.n_calls % self.eval_freq == 0:
                super()._on_step()
                self.eval_idx += 1
                self.trial.report(self.last_mean_reward, self.eval_idx)
                if self.trial.should_prune():
                    self.is_pruned = True
                    return False
            return True

    trial = Trial()
    sampled = dict(
        gamma=0.98, learning_rate=7e-4, batch_size=64, buffer_size=10_000, learning_starts=20, train_freq=8,
        gradient_steps=8, tau=0.02, ent_coef="auto", target_entropy="auto",
        policy_kwargs=dict(log_std_init=-1.0, net_arch=[16]),
    )  # fmt: skip
    eval_env = lib.monitor.Monitor(gym.make("Pendulum-v1"))
    evaluation = TrialEvalCallback(eval_env, trial, n_eval_episodes=1, eval_freq=60)
    model = lib.SAC(policy="MlpPolicy", env="Pendulum-v1", seed=None, verbose=0, **sampled)
    model.learn(1000, callback=evaluation)
    model.env.close()
    assert evaluation.is_pruned and [step for step, _ in trial.reported] == [1, 2] and model.num_timesteps == 120


def test_a_checker_and_a_seed(lib):
    lib.utils.set_random_seed(3)
    drawn = np.random.rand()
    lib.utils.set_random_seed(3)
    assert np.random.rand() == drawn
    lib.env_checker.check_env(gym.make("Pendulum-v1"), warn=False)
