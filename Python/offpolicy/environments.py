"""Lanes made of single environments: Gymnasium's Env, and whatever has its reset and step."""

from __future__ import annotations

import copy
from typing import Any, Dict, Iterator, List, Type

import numpy as np

from .errors import UnsupportedError
from .lanes import TERMINATED, TRUNCATED, EpisodeCounter, Indices, check_spaces
from .separate_lanes import SeparateLanes


class EnvironmentLanes(SeparateLanes):
    """One environment a lane, stepped one after the other in this process."""

    def __init__(self, environments: List[Any]) -> None:
        if not environments:
            raise UnsupportedError("an empty list of environments was given")
        for i, environment in enumerate(environments):
            for name in ("observation_space", "action_space", "reset", "step"):
                if not hasattr(environment, name):
                    raise UnsupportedError(f"{environment!r} is no environment: it has no {name}")
            inner = innermost(environment)
            if any(inner is innermost(other) for other in environments[:i]):
                raise UnsupportedError("the same environment is in the list twice; every lane needs one of its own")
        check_spaces(environments)
        self.envs = environments
        self.metadata = getattr(environments[0], "metadata", {})
        self.render_mode = getattr(environments[0], "render_mode", None)
        super().__init__(len(environments), environments[0].observation_space, environments[0].action_space)
        self.episodes = EpisodeCounter(self.num_envs)
        #: a Monitor's own count stays, whatever is around it; that of another wrapper may be of other rewards
        self._are_monitored = [is_monitored(environment) for environment in environments]
        #: the state of each environment's generator before the reset that began its episode, see `restoring`
        self.random_states: List[Any] = [None] * self.num_envs

    def start(self) -> None:
        for i in range(self.num_envs):
            self.reset_lane(i)

    def reset_lane(self, i: int) -> None:
        """Resets one environment, with its seed where one waits for it."""
        environment = self.envs[i]
        keywords: Dict[str, Any] = {}
        if self._seeds[i] is not None:
            keywords["seed"], self._seeds[i] = self._seeds[i], None
        if self._options[i]:
            keywords["options"], self._options[i] = self._options[i], None
        if not keywords:
            self.random_states[i] = random_state(environment)
        result = environment.reset(**keywords)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
            raise UnsupportedError(
                f"reset() of environment {i} returned {type(result).__name__}, expected the tuple (observation, info) "
                "of Gymnasium 0.26 and later; wrap an older one with shimmy"
            )
        if keywords:
            # the generator after a seed: the reset cannot be repeated from it, only this one
            self.random_states[i] = keywords.get("seed")
        self._current[i], self.reset_infos[i] = result
        self.flattener.write(result[0], self.first[i])
        self.episodes.begin(i)

    def advance(self, rows: np.ndarray) -> None:
        episodes, flattener, current, infos, actions = self.episodes, self.flattener, self._current, self.infos, self.actions
        returns, lengths, following, rewards = episodes.returns, episodes.lengths, self.next, self.rewards
        if self.has_ends:
            self.has_ends = False
            self.flags[:] = 0
        # what most environments have is done here: a call for each costs as much as all the rest of a step
        shape = flattener.shape if flattener.is_plain and len(flattener.shape) == 1 else None
        is_row = actions.is_row
        for i, environment in enumerate(self.envs):
            result = environment.step(rows[i].copy() if is_row else actions.single(rows[i]))
            try:
                observation, reward, terminated, truncated, info = result
                value = float(reward)
            except (TypeError, ValueError):
                raise self._unexpected(i, result) from None
            if shape is not None and type(observation) is np.ndarray and observation.shape == shape:
                following[i] = observation
            else:
                flattener.write(observation, following[i])
            rewards[i] = value
            returns[i] += value
            lengths[i] += 1
            if terminated or truncated:
                self._end(i, observation, terminated, truncated, info)
            else:
                info["TimeLimit.truncated"] = False
                infos[i] = info
                current[i] = observation
        self._stacked = None

    def _end(self, i: int, observation: Any, terminated: Any, truncated: Any, info: Dict[str, Any]) -> None:
        self.has_ends = True
        self.flags[i] = (TERMINATED if terminated else 0) | (TRUNCATED if truncated else 0)
        info = dict(info)
        # the reset may write into the same arrays
        info["terminal_observation"] = copy.deepcopy(observation)
        info["TimeLimit.truncated"] = bool(truncated) and not terminated
        episode = self.episodes.finish(i)
        if not (self._are_monitored[i] and "episode" in info):
            info["episode"] = episode
        self.infos[i] = info
        self.reset_lane(i)

    def _unexpected(self, i: int, result: Any) -> UnsupportedError:
        if not isinstance(result, (tuple, list)) or len(result) != 5:
            count = len(result) if hasattr(result, "__len__") else 1
            return UnsupportedError(
                f"step() of environment {i} returned {count} values, expected the 5 of Gymnasium: observation, "
                "reward, terminated, truncated, info; wrap an older environment with shimmy"
            )
        return UnsupportedError(f"environment {i} gave the reward {result[1]!r}, expected a number")

    def close(self) -> None:
        for environment in self.envs:
            close(environment)

    def has_method(self, name: str) -> bool:
        return any(hasattr(layer, name) for layer in layers(self.envs[0]))

    def get_attr(self, name: str, indices: Indices = None) -> List[Any]:
        return [attribute(self.envs[i], name) for i in self._chosen(indices)]

    def set_attr(self, name: str, value: Any, indices: Indices = None) -> None:
        for i in self._chosen(indices):
            owner = next((layer for layer in layers(self.envs[i]) if hasattr(layer, name)), self.envs[i])
            setattr(owner, name, value)

    def env_is_wrapped(self, wrapper: Type[Any], indices: Indices = None) -> List[bool]:
        return [
            wrapper.__name__ == "Monitor" or any(isinstance(layer, wrapper) for layer in layers(self.envs[i]))
            for i in self._chosen(indices)
        ]


def layers(environment: Any) -> Iterator[Any]:
    """An environment's wrappers from the outside in, and the environment itself."""
    while True:
        yield environment
        inner = environment.__dict__.get("env") if hasattr(environment, "__dict__") else None
        if inner is None:
            return
        environment = inner


def is_monitored(environment: Any) -> bool:
    """Whether a Monitor is around an environment, ours or Stable-Baselines3's."""
    return any(cls.__name__ == "Monitor" for layer in layers(environment) for cls in type(layer).__mro__)


def close(environment: Any) -> None:
    """Closes an environment, where it can be closed."""
    if hasattr(environment, "close"):
        environment.close()


def innermost(environment: Any) -> Any:
    """An environment without its wrappers."""
    *_, inner = layers(environment)
    return inner


def attribute(environment: Any, name: str) -> Any:
    """The attribute of the outermost layer that has it."""
    for layer in layers(environment):
        if hasattr(layer, name):
            return getattr(layer, name)
    raise AttributeError(f"{environment} has no attribute {name}")


def random_state(environment: Any) -> Any:
    """The state of the environment's own generator; None where it has none yet."""
    generator = getattr(getattr(environment, "unwrapped", environment), "_np_random", None)
    return None if generator is None else generator.bit_generator.state
