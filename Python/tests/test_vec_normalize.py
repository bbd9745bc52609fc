"""Environments in a VecNormalize: what is stored, and what networks see of it."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter, Reach  # noqa: E402

from offpolicy import SAC, TD3, HerReplayBuffer, _native  # noqa: E402
from offpolicy.common.vec_env import DummyVecEnv, VecNormalize, sync_envs_normalization  # noqa: E402
from offpolicy.vec_normalize import RunningMeanStd  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[16, 16]), seed=0, batch_size=32)


class Seen(gym.Wrapper):
    """Keeps what the environment gave."""

    def __init__(self, env):
        super().__init__(env)
        self.first, self.steps = [], []

    def reset(self, **keywords):
        observation, info = self.env.reset(**keywords)
        self.first.append(observation)
        return observation, info

    def step(self, action):
        result = self.env.step(action)
        self.steps.append(result[:4])
        return result


class Normalised(gym.Wrapper):
    """An environment that normalises by itself, by numbers that do not change, and so is learned from as it is."""

    def __init__(self, env, of):
        super().__init__(env)
        self.of = of

    def reset(self, **keywords):
        observation, info = self.env.reset(**keywords)
        return self.of.normalize_obs(observation), info

    def step(self, action):
        observation, reward, *rest = self.env.step(action)
        return (self.of.normalize_obs(observation), float(self.of.normalize_reward(np.float32(reward))), *rest)


def pendulum():
    return gym.make("Pendulum-v1")


def fixed(**more):
    """Statistics that are far from none, so that clipping counts as well."""
    made = VecNormalize(DummyVecEnv([pendulum]), training=False, clip_obs=1.5, clip_reward=0.7, **more)
    made.obs_rms.mean, made.obs_rms.var = np.array([0.3, -0.2, 1.7]), np.array([0.1, 0.7, 3.3])
    made.ret_rms.var = np.array(11.0)
    return made


def test_the_buffer_holds_what_the_environments_gave_ends_included():
    seen = [Seen(Counter(4)), Seen(Counter(3))]
    env = VecNormalize(DummyVecEnv([lambda: seen[0], lambda: seen[1]]))
    model = SAC("MlpPolicy", env, learning_starts=30, **SMALL).learn(60)
    buffer = model.replay_buffer
    for lane, source in enumerate(seen):
        observations, rewards, terminated, truncated = (np.array(column) for column in zip(*source.steps))
        # the last of an episode went through the wrapper and back
        assert np.allclose(buffer.next_observations[:, lane], observations, rtol=1e-6, atol=1e-5)
        assert np.array_equal(buffer.rewards[:, lane], rewards.astype(np.float32))
        assert np.array_equal(buffer.dones[:, lane] != 0, terminated | truncated)
        ends = np.flatnonzero(terminated | truncated)[:-1]
        assert np.array_equal(buffer.observations[ends + 1, lane], np.array(source.first[1:])[: len(ends)])
    drawn = buffer.sample(200, env=env)
    assert np.abs(np.asarray(drawn.observations)).max() <= 10 and np.asarray(drawn.observations).std() < 3


@pytest.mark.parametrize("cls", [SAC, TD3])
@pytest.mark.parametrize("which", [{}, {"norm_obs": True, "norm_reward": False}, {"norm_reward": True, "norm_obs": True}])
def test_learning_is_that_of_an_environment_that_normalises_by_itself(cls, which):
    env = fixed(**which)
    beside = Normalised(pendulum(), env)
    model = cls("MlpPolicy", env, learning_starts=40, **SMALL).learn(150)
    assert model.digest == cls("MlpPolicy", beside, learning_starts=40, **SMALL).learn(150).digest
    raw = cls("MlpPolicy", pendulum(), learning_starts=40, **SMALL).learn(150)
    assert model.digest != raw.digest


def test_old_rows_follow_the_statistics_of_today():
    env = VecNormalize(DummyVecEnv([pendulum]))
    model = SAC("MlpPolicy", env, learning_starts=100, **SMALL).learn(100)
    _native.check(_native.library().update(model._learner.handle, 3))
    # the same rows, which were normalised by the last statistics from the first step on
    beside = SAC("MlpPolicy", Normalised(pendulum(), env), learning_starts=100, **SMALL).learn(100)
    _native.check(_native.library().update(beside._learner.handle, 3))
    assert model._n_updates == 3 and model.digest == beside.digest


def test_actions_are_chosen_from_normalised_observations():
    env = VecNormalize(DummyVecEnv([pendulum]))
    model = TD3("MlpPolicy", env, learning_starts=0, gradient_steps=0, **SMALL)
    seen = []

    def look(found, _):
        seen.append((found["new_obs"].copy(), found["actions"].copy()))

    model.learn(50, callback=look)
    assert np.abs(np.concatenate([observation for observation, _ in seen])).max() < 5
    for (observation, _), (_, action) in zip(seen, seen[1:]):
        assert np.array_equal(model.predict(observation, deterministic=True)[0], action)


def test_goals_are_normalised_and_their_rewards_computed_from_raw_ones():
    environments = [Reach(), Reach()]
    env = VecNormalize(DummyVecEnv([lambda: environments[0], lambda: environments[1]]), norm_obs_keys=["observation"])
    model = SAC("MultiInputPolicy", env, replay_buffer_class=HerReplayBuffer, learning_starts=40, **SMALL).learn(200)
    assert set(env.obs_rms) == {"observation"} and len(model.ep_success_buffer) == 20
    stored = model.replay_buffer.observations
    rewards = environments[0].compute_reward(
        model.replay_buffer.next_observations["achieved_goal"], stored["desired_goal"], {})
    assert np.array_equal(model.replay_buffer.rewards, rewards)
    assert np.abs(stored["observation"]).max() > 1


def test_two_who_normalise_are_one_too_many():
    model = SAC("MlpPolicy", fixed(), configuration={"normalizeObservations": True}, **SMALL)
    with pytest.raises(ValueError, match="normalizeObservations"):
        model.learn(10)


def test_another_environment_takes_the_statistics_away():
    model = TD3("MlpPolicy", fixed(), learning_starts=0, gradient_steps=0, **SMALL).learn(10)
    model.set_env(pendulum())
    seen = []
    model.learn(10, callback=lambda found, _: seen.append((found["new_obs"].copy(), found["actions"].copy())))
    assert np.array_equal(model.predict(seen[3][0], deterministic=True)[0], seen[4][1])


def test_a_run_goes_on_with_the_statistics_that_its_wrapper_has(tmp_path):
    env = VecNormalize(DummyVecEnv([pendulum]))
    model = SAC("MlpPolicy", env, learning_starts=40, **SMALL).learn(100)
    model.save(tmp_path / "model")
    env.save(tmp_path / "statistics")
    again = VecNormalize.load(tmp_path / "statistics", DummyVecEnv([pendulum]))
    assert again.obs_rms.count == env.obs_rms.count and np.array_equal(again.obs_rms.mean, env.obs_rms.mean)
    loaded = SAC.load(tmp_path / "model", env=again)
    assert np.array_equal(loaded.replay_buffer.observations, model.replay_buffer.observations)
    loaded.learn(50, reset_num_timesteps=False)
    assert loaded.num_timesteps == 150 and np.isfinite(loaded.predict(again.reset())[0]).all()


def test_statistics_are_those_of_all_rows():
    rows = np.random.default_rng(0).normal([3, -1], [2, 0.1], size=(500, 2))
    statistics = RunningMeanStd(epsilon=0, shape=(2,))
    for part in np.split(rows, [1, 7, 200]):
        statistics.update(part)
    assert np.allclose(statistics.mean, rows.mean(axis=0), rtol=1e-12)
    assert np.allclose(statistics.var, rows.var(axis=0), rtol=1e-12) and statistics.count == 500


def test_files_that_hold_no_statistics_are_refused(tmp_path):
    vector = DummyVecEnv([pendulum])
    for content, words in [
        (b"\x80\x04N.", "is a pickle"), (b"{}", "holds no VecNormalize"), (b"[1]", "holds no VecNormalize"),
        (b"\xff", "holds no VecNormalize"),
    ]:  # fmt: skip
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(ValueError, match=words):
            VecNormalize.load(tmp_path / "file", vector)
    VecNormalize(vector).save(tmp_path / "file")
    with pytest.raises(ValueError, match="shape"):
        VecNormalize.load(tmp_path / "file", DummyVecEnv([lambda: gym.make("CartPole-v1")]))
    with pytest.raises(ValueError, match="only a Box"):
        VecNormalize(DummyVecEnv([lambda: gym.make("FrozenLake-v1")]))


def test_statistics_are_handed_over():
    one, other = fixed(), VecNormalize(DummyVecEnv([pendulum]))
    sync_envs_normalization(one, other)
    assert np.array_equal(other.obs_rms.mean, one.obs_rms.mean) and other.obs_rms is not one.obs_rms
    assert other.ret_rms.var == 11
    with pytest.raises(AssertionError, match="evaluation environment has none"):
        sync_envs_normalization(one, DummyVecEnv([pendulum]))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda vector: pickle.loads(pickle.dumps(vector))])
def test_a_copy_has_the_statistics_and_is_put_around_another_vector(copied):
    vector = VecNormalize(DummyVecEnv([Counter]), clip_obs=3.0)
    SAC("MlpPolicy", vector, **SMALL).learn(50)
    other = copied(vector)
    assert other.venv is None and np.array_equal(other.obs_rms.mean, vector.obs_rms.mean)
    other.set_venv(DummyVecEnv([Counter] * 3))
    other.training = False
    assert other.num_envs == 3 and other.reset().shape == (3, 2) and other.step(np.zeros((3, 1)))[1].shape == (3,)
    assert np.array_equal(other.normalize_obs(np.ones(2)), vector.normalize_obs(np.ones(2))) and other.clip_obs == 3


def test_a_vector_is_not_changed_under_a_vec_normalize():
    vector = VecNormalize(DummyVecEnv([Counter]))
    with pytest.raises(ValueError, match="around a vector already"):
        vector.set_venv(DummyVecEnv([Counter]))
    with pytest.raises(ValueError, match="is for .* observations are"):
        copy.copy(vector).set_venv(DummyVecEnv([Reach]))
