"""Does an environment keep the contract of Gymnasium, and can it be learned from?"""

from __future__ import annotations

import warnings
from typing import Any, List, Optional, Tuple

import numpy as np

from . import check_values, spaces
from .check_findings import EnvironmentCheckError, Finding
from .environments import close, layers
from .errors import OffPolicyError
from .flatten import Flattener
from .vec_environments import is_vec_environment
from .vector_environments import is_vector_environment

__all__ = ["EnvironmentCheckError", "Finding", "check_env", "find_problems"]

_SEED = 123


def check_env(env: Any, warn: bool = True, skip_render_check: bool = True, steps: int = 1000) -> List[Finding]:
    """Runs an environment with random actions; raises where it cannot be learned from, warns of what makes it harder.

    >>> check_env(gymnasium.make("Pendulum-v1"))
    []

    :param env: an Env; or an id or a function that makes one, then two of them are compared as well
    :param warn: whether warnings are given; they are returned in any case
    :param skip_render_check: for scripts written for Stable-Baselines3; nothing is rendered here
    :param steps: control steps; 1000 see the ends of most episodes
    """
    findings = find_problems(env, steps)
    if any(finding.severity == "error" for finding in findings):
        raise EnvironmentCheckError(findings)
    for finding in findings if warn else []:
        warnings.warn(str(finding), UserWarning, stacklevel=2)
    return findings


def find_problems(env: Any, steps: int = 1000) -> List[Finding]:
    """Everything that the checker finds, errors first."""
    checker = _Checker(steps)
    try:
        checker.run(env)
    except _Stop:
        pass
    except Exception as error:
        text = str(error).strip().split("\n")[0]
        checker.find("works", f"raised {type(error).__name__}{f': {text}' if text else ''}", f"after {checker.stage}")
    return sorted(checker.findings, key=lambda finding: finding.severity)


class _Stop(Exception):
    """Nothing further can be checked."""


class _Checker:
    def __init__(self, steps: int) -> None:
        self.steps = max(1, int(steps))
        self.findings: List[Finding] = []
        self.stage = "nothing"

    def find(self, rule: str, what: str, place: str, stop: bool = False) -> None:
        # the first finding of each rule is enough
        if all(finding.rule != rule for finding in self.findings):
            self.findings.append(Finding(rule, what, place))
        if stop:
            raise _Stop

    def run(self, given: Any) -> None:
        environment, make = check_values.made(given)
        self.stage = "making it"
        self.check_interface(environment)
        self.env = environment
        self.check_spaces()
        self.check_first_steps()
        lengths = self.check_episodes()
        self.check_lengths(lengths)
        self.check_seeds()
        if make is not None:
            other = make()
            self.compare(environment, other, "instances are alike", "two instances")
            close(other)
        if spaces.is_goal_space(environment.observation_space):
            self.check_goals()

    # ---- what it says of itself

    def check_interface(self, env: Any) -> None:
        if is_vec_environment(env) or is_vector_environment(env):
            self.find(
                "is one environment", f"{type(env).__name__} holds several environments", "at the start", stop=True
            )
        missing = [name for name in ("observation_space", "action_space", "reset", "step") if not hasattr(env, name)]
        if missing:
            self.find(
                "has the interface", f"{type(env).__name__} has no {', '.join(missing)}", "at the start", stop=True
            )

    def check_spaces(self) -> None:
        observations, actions = self.env.observation_space, self.env.action_space
        place = "in its spaces"
        try:
            spaces.check_observations(observations, "MultiInputPolicy")
            self.flattener = Flattener(observations)
        except OffPolicyError as error:
            self.find("observations are supported", str(error), place, stop=True)
        for name, box in check_values.boxes(observations):
            if bool(np.any(np.asarray(box.low, dtype=float) > np.asarray(box.high, dtype=float))):
                self.find("bounds are in order", f"{name} has a low bound above its high one", place)
        try:
            spaces.check_actions(actions, spaces.kind(actions) == "Discrete", "a policy")
        except OffPolicyError as error:
            self.find("actions are supported", str(error), place, stop=True)

    # ---- single calls

    def reset(self, env: Any, seed: Optional[int] = None) -> Any:
        self.stage = "reset()" if seed is None else f"reset(seed={seed})"
        if seed is None:
            result = env.reset()
        else:
            result = self.reset_with_seed(env, seed)
        place = f"after {self.stage}"
        if not isinstance(result, tuple) or len(result) != 2:
            kind = f"{len(result)} values" if isinstance(result, tuple) else f"one {type(result).__name__}"
            self.find("reset returns a pair", f"reset() returned {kind}", place, stop=True)
        if not isinstance(result[1], dict):
            kind = type(result[1]).__name__
            self.find("reset returns a pair", f"the second value of reset() is a {kind}", place, stop=True)
        self.check_observation(result[0], place)
        return result[0]

    def reset_with_seed(self, env: Any, seed: int) -> Any:
        for keywords in ({"seed": seed, "options": {}}, {"seed": seed}):
            try:
                return env.reset(**keywords)
            except TypeError as error:
                if "unexpected keyword" not in str(error):
                    raise
                text, place = str(error), f"in reset({', '.join(f'{name}={value}' for name, value in keywords.items())})"
                if "options" not in keywords or "options" not in text:
                    self.find("reset takes seed and options", text, place, stop=True)
                self.find("reset takes options", text, place)
        raise AssertionError("the second call has neither returned nor raised")

    def step(self, env: Any, action: Any, place: str) -> Tuple[Any, float, bool, bool]:
        self.stage = place[3:] if place.startswith("at ") else place
        given = np.array(action, copy=True)
        result = env.step(action)
        if not np.array_equal(given, np.asarray(action)):
            self.find("action is left alone", "step() changed the array of the action", place)
        if not isinstance(result, tuple) or len(result) != 5:
            count = f"{len(result)} values" if isinstance(result, tuple) else f"one {type(result).__name__}"
            self.find("step returns five values", f"step() returned {count}", place, stop=True)
        observation, reward, terminated, truncated, info = result
        self.check_observation(observation, place)
        value = self.check_reward(reward, place)
        for name, flag in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(flag, (bool, np.bool_)):
                kind = type(flag).__name__
                self.find(
                    "flags are booleans", f"{name} is {flag!r:.40}, of the type {kind}", place, stop=np.size(flag) != 1
                )
        if not isinstance(info, dict):
            self.find(
                "info is a dictionary", f"the info of step() is of the type {type(info).__name__}", place, stop=True
            )
        if info.get("TimeLimit.truncated") and terminated and not truncated:
            self.find("time limits truncate", "info says TimeLimit.truncated, the step says terminated", place)
        return observation, value, bool(terminated), bool(truncated)

    def check_reward(self, reward: Any, place: str) -> float:
        if isinstance(reward, (bool, np.bool_)) or not isinstance(reward, (int, float, np.integer, np.floating)):
            self.find("reward is a number", f"the reward is {reward!r:.40}, of the type {type(reward).__name__}", place)
            try:
                return float(np.ravel(reward)[0])
            except (TypeError, ValueError, IndexError):
                raise _Stop from None
        if not np.isfinite(reward):
            self.find("reward is finite", f"the reward is {reward}", place)
        elif abs(reward) > 1e4:
            self.find("reward is scaled", f"the reward is {reward:g}", place)
        return float(reward)

    def check_observation(self, observation: Any, place: str) -> None:
        space = self.env.observation_space
        try:
            self.flattener.write(observation, np.empty(self.flattener.size, dtype=np.float32))
        except (OffPolicyError, TypeError, ValueError) as error:
            if spaces.kind(space) == "Dict" and isinstance(observation, dict) and set(observation) != set(space.spaces):
                keys, expected = (sorted(map(str, part)) for part in (observation, space.spaces))
                text = f"the observation has the keys {keys}, its space {expected}"
            else:
                text = str(error).split("\n")[0]
            self.find("observation has its form", text, place, stop=True)
        for name, box, value in check_values.numbers(space, observation, "observation"):
            self.check_numbers(name, box, value, place)

    def check_numbers(self, name: str, box: Any, value: Any, place: str) -> None:
        if not isinstance(value, np.ndarray):
            kind = type(value).__name__
            self.find("observation has its form", f"{name} is a {kind}, expected an array", place)
            return
        value = np.asarray(value)
        if not np.can_cast(value.dtype, box.dtype):
            self.find("observation has its type", f"{name} is of the type {value.dtype}, its space {box.dtype}", place)
        numbers = value.astype(float)
        for index in np.argwhere(~np.isfinite(numbers))[:1]:
            self.find("observation is finite", f"{name}{check_values.at(index)} is {numbers[tuple(index)]}", place)
            return
        for index in np.argwhere((numbers < box.low) | (numbers > box.high))[:1]:
            at = tuple(index)
            bounds = f"[{box.low[at]}, {box.high[at]}]"
            self.find(
                "observation is in its space",
                f"{name}{check_values.at(index)} is {numbers[at]}, outside {bounds}",
                place,
            )
        for index in np.argwhere(np.abs(numbers) > 1e4)[:1]:
            self.find("observation is scaled", f"{name}{check_values.at(index)} is {numbers[tuple(index)]:g}", place)

    # ---- runs

    def check_first_steps(self) -> None:
        """The lowest and the highest action are taken; the arrays of observations are not used again."""
        globals_before = check_values.global_generators()
        space = self.env.action_space
        extremes = [space.low, space.high] if spaces.kind(space) == "Box" else [space.start, space.start + space.n - 1]
        for which, action in zip(("lowest", "highest"), extremes):
            first = self.reset(self.env, _SEED)
            place = f"at step 1 with the {which} action"
            action = np.array(action, dtype=space.dtype) if spaces.kind(space) == "Box" else np.int64(action)
            second, _, terminated, truncated = self.step(self.env, action, place)
            if truncated and which == "lowest":
                self.find("first step does not end", "the episode is truncated", place)
            shared = [name for name, _, a in check_values.numbers(self.env.observation_space, first, "observation")
                      for other, _, b in check_values.numbers(self.env.observation_space, second, "observation")
                      if name == other and np.shares_memory(a, b)]  # fmt: skip
            if shared:
                self.find("observation is fresh", f"reset() and step() returned the same array for {shared[0]}", place)
        if check_values.global_generators() != globals_before:
            self.find(
                "own generator", "a global generator of numpy.random or random was drawn from", "in reset() or step()"
            )

    def check_episodes(self) -> List[Tuple[int, bool]]:
        """Random actions over many episodes; returns their lengths, and whether they were terminated."""
        actions = self.actions()
        lengths: List[Tuple[int, bool]] = []
        self.reset(self.env, _SEED)
        length = 0
        for n in range(1, self.steps + 1):
            _, _, terminated, truncated = self.step(self.env, next(actions), f"at step {n} from reset(seed={_SEED})")
            length += 1
            if terminated or truncated:
                lengths.append((length, terminated))
                length = 0
                self.reset(self.env)
        return lengths

    def check_lengths(self, lengths: List[Tuple[int, bool]]) -> None:
        if (
            not lengths
            and self.steps >= 1000
            and not any(hasattr(layer, "_max_episode_steps") for layer in layers(self.env))
        ):
            self.find(
                "episodes end",
                f"no episode ended in {self.steps} steps, and there is no time limit",
                "with random actions",
            )
        same = {length for length, _ in lengths}
        if len(lengths) >= 5 and len(same) == 1 and all(terminated for _, terminated in lengths) and same != {1}:
            what = f"each of {len(lengths)} episodes was terminated after {same.pop()} steps, as if by a clock"
            self.find("time limits truncate", what, "with random actions")
        if len(lengths) >= 5 and all(length == 1 for length, _ in lengths) and not all(end for _, end in lengths):
            self.find("first step does not end", "each episode ends with its first step", "with random actions")

    def check_seeds(self) -> None:
        """The same seed gives the same episode, and another seed another generator."""
        self.compare(self.env, self.env, "seed repeats the episode", "the same seed")
        generators = []
        for seed in (_SEED, _SEED + 333):
            self.reset(self.env, seed)
            inner = getattr(self.env, "unwrapped", self.env)
            generator = getattr(inner, "_np_random", None)
            generators.append(None if generator is None else str(generator.bit_generator.state))
        if generators[0] is not None and generators[0] == generators[1]:
            self.find(
                "seed is used", "the generator is the same for two seeds", "after reset(seed=123) and reset(seed=456)"
            )

    def compare(self, one: Any, other: Any, rule: str, who: str) -> None:
        """Goes the same way twice, one after the other."""
        episodes = [self.record(one), self.record(other)]
        for n, (a, b) in enumerate(zip(*episodes)):
            if not check_values.equal(a, b):
                if n == 0 and rule == "seed repeats the episode":
                    self.find("seed repeats the start", f"{who} gave two first observations", f"by reset(seed={_SEED})")
                else:
                    self.find(rule, f"{who} gave two episodes", f"at step {n} from reset(seed={_SEED})")
                return

    def record(self, env: Any) -> List[Any]:
        actions = self.actions()
        record: List[Any] = [check_values.copied(self.reset(env, _SEED))]
        for n in range(1, min(self.steps, 200) + 1):
            observation, *rest = self.step(env, next(actions), f"at step {n} from reset(seed={_SEED})")
            record.append((check_values.copied(observation), *rest))
            if rest[1] or rest[2]:
                record.append(check_values.copied(self.reset(env)))
        return record

    def check_goals(self) -> None:
        """Rewards computed from goals are those of the steps, for one goal and for rows of them."""
        compute = next((layer.compute_reward for layer in layers(self.env) if hasattr(layer, "compute_reward")), None)
        if compute is None:
            self.find("goals are recomputed", "the environment has no compute_reward", "with goals", stop=True)
        actions = self.actions()
        self.reset(self.env, _SEED)
        for n in range(1, min(self.steps, 50) + 1):
            place = f"at step {n} from reset(seed={_SEED})"
            observation, reward, terminated, truncated = self.step(self.env, next(actions), place)
            achieved, desired = observation["achieved_goal"], observation["desired_goal"]
            alone = np.asarray(compute(achieved, desired, {}))
            if alone.size != 1 or not np.isclose(float(alone.reshape(())), reward, rtol=1e-5, atol=1e-6):
                self.find(
                    "goals are recomputed", f"the reward is {reward}, computed from the goals {alone}", place, stop=True
                )
            rows = compute(np.stack([achieved] * 2), np.stack([desired] * 2), np.array([{}, {}]))
            if np.shape(rows) != (2,) or not np.allclose(np.asarray(rows, dtype=float), reward, rtol=1e-5, atol=1e-6):
                what = f"two rows of goals give {rows!r:.60} instead of twice {reward}"
                self.find("goals are recomputed", what, place, stop=True)
            if terminated or truncated:
                self.reset(self.env)

    def actions(self) -> Any:
        """The same random actions at each call."""
        space, generator = self.env.action_space, np.random.default_rng(9)
        while True:
            if spaces.kind(space) == "Discrete":
                yield np.int64(space.start + generator.integers(space.n))
            else:
                low, high = np.asarray(space.low, dtype=float), np.asarray(space.high, dtype=float)
                yield np.clip(generator.uniform(low, high).astype(space.dtype), space.low, space.high)
