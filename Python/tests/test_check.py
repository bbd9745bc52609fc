"""The checker of environments: good ones have no findings, each mistake has its finding and a fix."""

import random
import re

import numpy as np
import pytest

import offpolicy
from offpolicy.check import EnvironmentCheckError, find_problems
from offpolicy.check_findings import RULES

gymnasium = pytest.importorskip("gymnasium")
spaces = gymnasium.spaces


class Good(gymnasium.Env):
    """A point that is pushed along a line until it leaves it."""

    def __init__(self):
        self.observation_space = spaces.Box(-10, 10, (2,), np.float32)
        self.action_space = spaces.Box(-2, 1, (1,), np.float32)

    def observe(self):
        return np.array([self.x, 1], dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.clock = float(self.np_random.uniform(-1, 1)), 0
        return self.observe(), {}

    def move(self, action):
        self.x += float(np.ravel(action)[0]) + 0.5
        self.clock += 1

    def step(self, action):
        self.move(action)
        return self.observe(), -abs(self.x), abs(self.x) > 3, self.clock >= 50, {}


def found(environment, **arguments):
    return {finding.rule: finding for finding in find_problems(environment, **arguments)}


@pytest.mark.parametrize("id", ["Pendulum-v1", "CartPole-v1", "MountainCarContinuous-v0", "Acrobot-v1"])
def test_gymnasiums_own_environments_have_no_findings(id):
    assert find_problems(gymnasium.make(id)) == []


def test_a_built_in_environment_has_no_findings():
    assert find_problems("Pendulum-v1") == []


def test_a_good_one_passes_alone_and_beside_another():
    assert offpolicy.check_env(Good()) == []
    assert offpolicy.check_env(Good) == []


class Overwriting(Good):
    array = np.zeros(2, np.float32)

    def observe(self):
        self.array[:] = self.x, 1
        return self.array


class Unbounded(Good):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Wide(Good):
    def observe(self):
        return np.array([self.x, 11], dtype=np.float32)


class NotANumber(Good):
    def observe(self):
        return np.array([self.x, np.nan if self.clock > 3 else 1], dtype=np.float32)


class Double(Good):
    def observe(self):
        return np.array([self.x, 1.0])


class AList(Good):
    def observe(self):
        return [self.x, 1.0]


class Longer(Good):
    def observe(self):
        return np.zeros(3, np.float32)


class Large(Good):
    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(-1e9, 1e9, (2,), np.float32)

    def observe(self):
        return np.array([self.x, 1e6], dtype=np.float32)


class OldReset(Good):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)[0]


class NoKeywords(Good):
    def reset(self):
        return super().reset()


class NoOptions(Good):
    def reset(self, seed=None):
        return super().reset(seed=seed)


class OldStep(Good):
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated or truncated, info


class NoInfo(Good):
    def step(self, action):
        return (*super().step(action)[:4], None)


class ArrayReward(Good):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        return (observation, np.array([reward]), *rest)


class InfiniteReward(Good):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        return (observation, float("inf"), *rest)


class LargeReward(Good):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        return (observation, 1e6 * reward, *rest)


class NumberFlags(Good):
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, int(terminated), truncated, info


class ChangesActions(Good):
    def step(self, action):
        action *= 0.5
        return super().step(action)


class GlobalNoise(Good):
    def move(self, action):
        super().move(action)
        self.x += np.random.uniform(-0.1, 0.1)


class PythonsNoise(Good):
    def move(self, action):
        super().move(action)
        self.x += random.uniform(-0.1, 0.1)


class RandomStart(Good):
    generator = np.random.default_rng()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = self.generator.uniform(-1, 1)
        return self.observe(), {}


class KeepsState(Good):
    wind = 0.0

    def move(self, action):
        super().move(action)
        self.wind += 0.0005
        self.x += self.wind


class IgnoresSeed(Good):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=5)


class Counting(Good):
    """Each instance is another."""

    made = 0

    def __init__(self):
        super().__init__()
        Counting.made += 1
        self.offset = 0.01 * Counting.made

    def move(self, action):
        super().move(action)
        self.x += self.offset


class Endless(Good):
    def step(self, action):
        self.move(action)
        self.x *= 0.1
        return self.observe(), 0.0, False, False, {}


class Clock(Good):
    def step(self, action):
        observation, reward, _, _, info = super().step(action)
        self.x *= 0.1
        return observation, reward, self.clock >= 20, False, info


class SaysTimeLimit(Good):
    def step(self, action):
        observation, reward, _, truncated, _ = super().step(action)
        self.x *= 0.1
        return observation, reward, truncated, False, {"TimeLimit.truncated": truncated}


class EndsAtOnce(Good):
    def step(self, action):
        return (*super().step(action)[:3], True, {})


class Breaks(Good):
    def move(self, action):
        super().move(action)
        if self.clock > 2:
            raise RuntimeError("the motor is off\nsecond line")


class Picture(Good):
    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Box(0, 255, (8, 8, 3), np.uint8)


class Pairs(Good):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.MultiDiscrete([2, 2])


class OtherKeys(Good):
    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Dict({"a": spaces.Box(-10, 10, (2,))})

    def observe(self):
        return {"b": super().observe()}


class Goals(Good):
    factor, rows = 1.0, True

    def __init__(self):
        super().__init__()
        goal = spaces.Box(-10, 10, (1,), np.float32)
        self.observation_space = spaces.Dict(observation=goal, achieved_goal=goal, desired_goal=goal)

    def observe(self):
        x = np.array([self.x], dtype=np.float32)
        return {"observation": x, "achieved_goal": x.copy(), "desired_goal": np.ones(1, np.float32)}

    def compute_reward(self, achieved, desired, info):
        distance = np.abs(achieved - desired)
        return -self.factor * (distance[..., 0] if self.rows else float(distance.sum()))

    def step(self, action):
        observation, _, terminated, truncated, info = super().step(action)
        return observation, -float(abs(observation["achieved_goal"][0] - 1)), terminated, truncated, info


class OtherGoals(Goals):
    factor = 2.0


class SingleGoals(Goals):
    rows = False


def test_goals_pass():
    assert find_problems(Goals()) == []


@pytest.mark.parametrize(
    "environment, rule, text",
    [
        (Overwriting(), "observation is fresh", "same array"), (Unbounded(), "actions are supported", r"\[-inf, inf\]"),
        (Wide(), "observation is in its space", r"observation\[1\] is 11.0, outside \[-10.0, 10.0\]"),
        (NotANumber(), "observation is finite", r"observation\[1\] is nan"),
        (Double(), "observation has its type", "float64, its space float32"),
        (AList(), "observation has its form", "is a list"), (Longer(), "observation has its form", r"\(3,\)"),
        (Large(), "observation is scaled", "1e\\+06"), (OldReset(), "reset returns a pair", "one ndarray"),
        (NoKeywords(), "reset takes seed and options", "seed"), (NoOptions(), "reset takes options", "options"),
        (OldStep(), "step returns five values", "4 values"),
        (NoInfo(), "info is a dictionary", "NoneType"), (ArrayReward(), "reward is a number", "ndarray"),
        (InfiniteReward(), "reward is finite", "inf"), (LargeReward(), "reward is scaled", "e\\+0"),
        (NumberFlags(), "flags are booleans", "of the type int"), (ChangesActions(), "action is left alone", "changed"),
        (GlobalNoise(), "own generator", "global"), (PythonsNoise(), "own generator", "global"),
        (RandomStart(), "seed repeats the start", "two first observations"),
        (KeepsState(), "seed repeats the episode", "two episodes"),
        (IgnoresSeed(), "seed is used", "same for two seeds"),
        (Counting, "instances are alike", "two instances"), (Endless(), "episodes end", "1000 steps"),
        (Clock(), "time limits truncate", "after 20 steps"), (SaysTimeLimit(), "time limits truncate", "TimeLimit"),
        (EndsAtOnce(), "first step does not end", "truncated"),
        (Breaks(), "works", "raised RuntimeError: the motor is off, after step 3"),
        (Picture(), "observations are supported", "pictures"), (Pairs(), "actions are supported", "MultiDiscrete"),
        (OtherKeys(), "observation has its form", r"keys \['b'\]"), (OtherGoals(), "goals are recomputed", "computed"),
        (SingleGoals(), "goals are recomputed", "two rows"), (object(), "has the interface", "observation_space"),
        (gymnasium.vector.SyncVectorEnv([Good]), "is one environment", "SyncVectorEnv"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, gymnasium.Env) else None,
)  # fmt: skip
def test_each_mistake_is_found(environment, rule, text):
    findings = found(environment)
    assert rule in findings, findings
    finding = findings[rule]
    assert re.search(text, str(finding)) and str(finding).endswith(finding.fix) and "\n" not in str(finding)
    others = set(findings) - {rule, "seed repeats the episode", "seed repeats the start"}
    assert not others, others


def test_every_rule_but_a_few_has_its_test():
    tested = {mark.args[1][i][1] for mark in test_each_mistake_is_found.pytestmark for i in range(len(mark.args[1]))}
    assert set(RULES) - tested == {"bounds are in order"}


def test_errors_raise_with_all_findings_and_warnings_warn():
    with pytest.raises(EnvironmentCheckError, match="error: .*nan") as error:
        offpolicy.check_env(NotANumber())
    assert isinstance(error.value, AssertionError) and error.value.findings
    with pytest.warns(UserWarning, match="return a copy"):
        offpolicy.check_env(Overwriting())
    assert offpolicy.check_env(Overwriting(), warn=False)[0].severity == "warning"


class WithoutClose:
    def __init__(self):
        self.inner = Good()
        self.observation_space, self.action_space = self.inner.observation_space, self.inner.action_space

    def reset(self, seed=None, options=None):
        return self.inner.reset(seed=seed, options=options)

    def step(self, action):
        return self.inner.step(action)


def test_an_environment_need_not_have_close():
    assert find_problems(WithoutClose) == []
