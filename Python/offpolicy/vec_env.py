"""VecEnv: the interface of Stable-Baselines3's vectors of environments, and the base for vectors of one's own."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import Any, Dict, Iterable, List, Optional, Tuple, Type, Union

import numpy as np

Indices = Union[None, int, Iterable[int]]


class VecEnv(ABC):
    """N environments that are stepped at once.

    A subclass has `reset`, `step_async` and `step_wait`. Where an episode ends, `step_wait` returns the first observation of
    the next one; the info has the true last one as "terminal_observation", and "TimeLimit.truncated" where time ran out.
    """

    metadata: Dict[str, Any] = {"render_modes": []}
    render_mode: Optional[str] = None

    def __init__(self, num_envs: int, observation_space: Any, action_space: Any) -> None:
        self.num_envs = num_envs
        self.observation_space, self.action_space = observation_space, action_space
        self.reset_infos: List[Dict[str, Any]] = [{} for _ in range(num_envs)]
        self._seeds: List[Optional[int]] = [None] * num_envs
        self._options: List[Optional[Dict[str, Any]]] = [None] * num_envs

    @abstractmethod
    def reset(self) -> Any:
        """Resets every environment; returns their observations, stacked."""

    @abstractmethod
    def step_async(self, actions: Any) -> None:
        """Takes the actions of `step_wait`."""

    @abstractmethod
    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Dict[str, Any]]]:
        """Steps with the actions of `step_async`; returns observations (after resets), rewards (N), dones (N), infos."""

    def step(self, actions: Any) -> Tuple[Any, np.ndarray, np.ndarray, List[Dict[str, Any]]]:
        """`step_async` and `step_wait`."""
        self.step_async(actions)
        return self.step_wait()

    def close(self) -> None:
        """Closes the environments."""

    def seed(self, seed: Optional[int] = None) -> List[Optional[int]]:
        """Seeds the next resets: environment i with seed + i."""
        self._seeds = [None if seed is None else seed + i for i in range(self.num_envs)]
        return list(self._seeds)

    def set_options(self, options: Any = None) -> None:
        """Sets the options of the next resets."""
        given = options if isinstance(options, list) else [options] * self.num_envs
        self._options = list(given)

    def has_attr(self, name: str) -> bool:
        """Whether the environments have an attribute."""
        try:
            self.get_attr(name)
        except AttributeError:
            return False
        return True

    def get_attr(self, name: str, indices: Indices = None) -> List[Any]:
        """An attribute of each environment."""
        raise AttributeError(f"{type(self).__name__} has no environments with the attribute {name}")

    def set_attr(self, name: str, value: Any, indices: Indices = None) -> None:
        """Sets an attribute of each environment."""
        raise AttributeError(f"{type(self).__name__} has no environments with the attribute {name}")

    def env_method(self, name: str, *arguments: Any, indices: Indices = None, **keywords: Any) -> List[Any]:
        """Calls a method of each environment."""
        return [method(*arguments, **keywords) for method in self.get_attr(name, indices)]

    def env_is_wrapped(self, wrapper: Type[Any], indices: Indices = None) -> List[bool]:
        """Whether each environment has a wrapper of this class."""
        return [False] * len(self._chosen(indices))

    def get_images(self) -> List[Any]:
        """A picture of each environment."""
        return self.env_method("render")

    def render(self, mode: Optional[str] = None) -> Any:
        """The picture of the first environment, as its `render_mode` says."""
        if mode is not None and mode != self.render_mode:
            warnings.warn(
                f"render({mode!r}): the environments were made with render_mode={self.render_mode!r}, which stays; pass "
                f"gymnasium.make(id, render_mode={mode!r})",
                UserWarning,
                stacklevel=2,
            )
        return self.env_method("render", indices=[0])[0]

    def getattr_depth_check(self, name: str, already_found: bool) -> Optional[str]:
        """Wrappers call this to find an attribute that two layers have; here always None."""
        return None

    @property
    def unwrapped(self) -> "VecEnv":
        """Itself: nothing is around it."""
        return self

    def _chosen(self, indices: Indices) -> List[int]:
        if indices is None:
            return list(range(self.num_envs))
        return [indices] if isinstance(indices, int) else list(indices)

    #: what subclasses of Stable-Baselines3's VecEnv call, as they do the next two
    _get_indices = _chosen

    def _reset_seeds(self) -> None:
        self._seeds = [None] * self.num_envs

    def _reset_options(self) -> None:
        self._options = [None] * self.num_envs
