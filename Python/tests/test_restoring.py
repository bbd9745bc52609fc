"""Environments of a saved model: they go on where they were, to the bit, or begin another episode; never something between."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

gym = pytest.importorskip("gymnasium")

from environments_for_tests import Counter  # noqa: E402
from gymnasium import wrappers  # noqa: E402

from offpolicy import SAC  # noqa: E402
from offpolicy.common.monitor import Monitor  # noqa: E402
from offpolicy.common.vec_env import DummyVecEnv, SubprocVecEnv  # noqa: E402

SMALL = dict(policy_kwargs=dict(net_arch=[8]), learning_starts=20, batch_size=8, seed=0)


def pendulum():
    return gym.make("Pendulum-v1")


class RandomMass(gym.Wrapper):
    """A mass that is drawn at each reset."""

    def reset(self, **keywords):
        result = self.env.reset(**keywords)
        self.unwrapped.m = self.unwrapped.np_random.uniform(0.5, 2)
        return result


class RandomGravity(gym.Wrapper):
    def __init__(self, env, draw):
        super().__init__(env)
        self.draw = draw

    def reset(self, **keywords):
        result = self.env.reset(**keywords)
        generator = self.unwrapped.np_random if self.draw == "own" else np.random
        self.unwrapped.model.opt.gravity[2] = -generator.uniform(5, 15)
        return result


class Limit(gym.Wrapper):
    """A time limit that counts for itself."""

    def reset(self, **keywords):
        self.count = 0
        return self.env.reset(**keywords)

    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.count += 1
        return observation, reward, terminated, self.count >= 50, info


class Clock(gym.ObservationWrapper):
    """Adds what a clock of its own shows; Gymnasium's environments have an attribute of this name for pictures."""

    clock = 0.0

    def observation(self, observation):
        self.clock = 0.0 if self.unwrapped.last_u is None else self.clock + 0.05
        return observation + np.float32(self.clock)


class LimitWithState(Limit):
    def get_state(self):
        return self.count

    def set_state(self, state):
        self.count = state


class Scaled(gym.ActionWrapper):
    factor = np.array([0.5], np.float32)

    def action(self, action):
        return self.factor * action


EXACT = {
    "a stack of frames": lambda: wrappers.FrameStackObservation(pendulum(), 3),
    "a stack of MuJoCo's": lambda: wrappers.FrameStackObservation(gym.make("InvertedPendulum-v5"), 2),
    "the time": lambda: wrappers.TimeAwareObservation(pendulum()),
    "a delay": lambda: wrappers.DelayObservation(pendulum(), 2),
    "sticky actions": lambda: wrappers.StickyAction(pendulum(), 0.5),
    "normalised observations": lambda: wrappers.NormalizeObservation(pendulum()),
    "normalised rewards": lambda: wrappers.NormalizeReward(pendulum()),
    "other actions": lambda: wrappers.RescaleAction(Scaled(pendulum()), -1.0, 1.0),
    "a function": lambda: wrappers.TransformReward(pendulum(), lambda reward: reward / 10),
    "statistics": lambda: wrappers.RecordEpisodeStatistics(pendulum()),
    "a monitor": lambda: Monitor(pendulum()),
    "a mass drawn at the reset": lambda: RandomMass(pendulum()),
    "gravity drawn at the reset": lambda: RandomGravity(gym.make("HalfCheetah-v5"), "own"),
    "a wrapper with a state of its own": lambda: LimitWithState(pendulum()),
    "Ant, whose rewards depend on the step before": lambda: gym.make("Ant-v5", terminate_when_unhealthy=False),
    "Humanoid": lambda: gym.make("Humanoid-v5", terminate_when_unhealthy=False),
}


@pytest.mark.parametrize("name", EXACT)
def test_an_episode_goes_on_exactly_where_every_layer_can_be_put_back(tmp_path, name):
    straight = SAC("MlpPolicy", EXACT[name](), **SMALL).learn(110)
    SAC("MlpPolicy", EXACT[name](), **SMALL).learn(70).save(tmp_path / "half")
    model = SAC.load(tmp_path / "half", env=EXACT[name]())
    assert model.learn(40, reset_num_timesteps=False).digest == straight.digest
    rows, expected = (one.replay_buffer.transitions() for one in (model, straight))
    assert np.array_equal(rows["rewards"], expected["rewards"])


def heavier():
    env = pendulum()
    env.unwrapped.m = 1.5
    return env


LOST = {
    "a wrapper that counts": (lambda: Limit(pendulum()),) * 2,
    "a wrapper that counts, in a vector": (lambda: DummyVecEnv([lambda: Limit(pendulum())]),) * 2,
    "a wrapper that counts, in a process": (lambda: SubprocVecEnv([lambda: Limit(pendulum())], "fork"),) * 2,
    "a wrapper with a clock": (lambda: Clock(pendulum()),) * 2,
    "gravity of another generator": (lambda: RandomGravity(gym.make("InvertedPendulum-v5"), "global"),) * 2,
    "another mass": (pendulum, heavier),
    "a wrapper less": (lambda: Scaled(pendulum()), pendulum),
    "another time limit": (pendulum, lambda: gym.make("Pendulum-v1", max_episode_steps=300)),
}


@pytest.mark.parametrize("name", LOST)
def test_an_episode_is_lost_where_a_layer_cannot_be_put_back(tmp_path, name):
    make, make_other = LOST[name]
    env, other = make(), make_other()
    SAC("MlpPolicy", env, **SMALL).learn(70).save(tmp_path / "half")
    model = SAC.load(tmp_path / "half", env=other).learn(1, reset_num_timesteps=False)
    rows = model.replay_buffer.transitions()
    # the row before the last was the last one of an episode that was cut
    assert not np.array_equal(rows["observations"][-1], rows["next_observations"][-2])
    assert len(rows["rewards"]) == 71
    for one in (env, other):
        one.close()


def test_a_parameter_of_the_new_environment_is_kept(tmp_path):
    SAC("MlpPolicy", pendulum(), **SMALL).learn(70).save(tmp_path / "half")
    env = heavier()
    SAC.load(tmp_path / "half", env=env).learn(10, reset_num_timesteps=False)
    assert env.unwrapped.m == 1.5


class CounterWithArray(Counter):
    def get_state(self):
        return np.array([self.episode, self.count])

    def set_state(self, state):
        self.episode, self.count = state.tolist()


class OtherMeaning(Counter):
    """Methods of these names that have nothing to do with saving."""

    def get_state(self):
        return {"position": np.zeros(2)}

    def set_state(self, position, velocity):
        raise AssertionError("nobody calls it so")


class WithArgument(Counter):
    def get_state(self, joint):
        return joint

    def set_state(self, state):
        pass


class Raises(Counter):
    def get_state(self):
        raise RuntimeError("the simulator is gone")

    def set_state(self, state):
        pass


class AnObject(Counter):
    def get_state(self):
        return object()

    def set_state(self, state):
        pass


class Forgets(Counter):
    def get_state(self):
        return [self.episode, self.count]

    def set_state(self, state):
        self.count = state[1]


class NoMethods(Counter):
    get_state = set_state = None


def test_a_state_with_arrays_goes_on_exactly(tmp_path):
    SAC("MlpPolicy", CounterWithArray(50), **SMALL).learn(70).save(tmp_path / "half")
    model = SAC.load(tmp_path / "half", env=CounterWithArray(50)).learn(5, reset_num_timesteps=False)
    rows = model.replay_buffer.transitions()["observations"]
    assert rows[70:].tolist() == [[2, 20], [2, 21], [2, 22], [2, 23], [2, 24]]


@pytest.mark.parametrize("cls", [OtherMeaning, WithArgument, Raises, AnObject, Forgets, NoMethods])
def test_a_state_that_cannot_be_had_or_set_loses_the_episode_and_nothing_else(tmp_path, cls):
    model = SAC("MlpPolicy", cls(50), **SMALL).learn(70)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.save(tmp_path / "half")
        loaded = SAC.load(tmp_path / "half", env=cls(50)).learn(5, reset_num_timesteps=False)
    assert loaded.replay_buffer.transitions()["observations"][70:, 1].tolist() == [0, 1, 2, 3, 4]
    sentences = [str(one.message) for one in told if cls.__name__ in str(one.message)]
    assert len(sentences) == (0 if cls in (NoMethods, Forgets) else 1), sentences


@pytest.mark.parametrize("make", [pendulum, lambda: DummyVecEnv([pendulum] * 2)])
def test_a_loaded_model_that_has_not_learned_yet_keeps_where_its_environments_were(tmp_path, make):
    straight = SAC("MlpPolicy", make(), **SMALL).learn(120).digest
    SAC("MlpPolicy", make(), **SMALL).learn(70).save(tmp_path / "first")
    SAC.load(tmp_path / "first", env=make()).save(tmp_path / "second")
    SAC.load(tmp_path / "second").save(tmp_path / "third")
    with_env = SAC.load(tmp_path / "third", env=make())
    set_later = SAC.load(tmp_path / "third")
    set_later.set_env(make())
    exchanged = SAC.load(tmp_path / "third", env=make())
    exchanged.set_env(make())
    for model in (with_env, set_later, exchanged):
        assert model.learn(50, reset_num_timesteps=False).digest == straight
