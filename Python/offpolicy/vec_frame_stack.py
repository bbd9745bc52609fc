"""VecFrameStack: the last n observations of each environment as one, where one observation does not tell all."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from . import spaces
from .errors import UnsupportedError
from .vec_wrapper import VecEnvWrapper


class _Stack:
    """The last n arrays of each environment, the newest last; zeros where an episode has had fewer.

    :param space: a Box; `axis` is the one along which its arrays are joined
    """

    def __init__(self, count: int, n_stack: int, space: Any, first: bool) -> None:
        if spaces.kind(space) != "Box" or not space.shape:
            raise UnsupportedError(f"VecFrameStack: {spaces.named(space)} cannot be stacked, only a Box with a shape")
        self.axis = 0 if first else len(space.shape) - 1
        self.width = space.shape[self.axis]
        low, high = (np.concatenate([bound] * n_stack, axis=self.axis) for bound in (space.low, space.high))
        self.space = type(space)(low=low, high=high, dtype=space.dtype)
        self.rows = np.zeros((count, *low.shape), dtype=space.dtype)  # (N × …)

    def begin(self, i: int, observation: np.ndarray) -> None:
        """Environment i has begun an episode."""
        self.rows[i] = 0
        self._newest(self.rows[i])[...] = observation

    def followed(self, i: int, observation: np.ndarray) -> np.ndarray:
        """Environment i's stack with one more observation."""
        moved = np.roll(self.rows[i], -self.width, axis=self.axis)
        self._newest(moved)[...] = observation
        return moved

    def _newest(self, row: np.ndarray) -> np.ndarray:
        at = [slice(None)] * row.ndim
        at[self.axis] = slice(row.shape[self.axis] - self.width, None)
        return row[tuple(at)]


class VecFrameStack(VecEnvWrapper):
    """Joins the last `n_stack` observations of each environment, oldest first; before an episode there were zeros.

    :param channels_order: "first": along the first axis; "last" or None: along the last; a dictionary of these for parts
    """

    def __init__(self, venv: Any, n_stack: int, channels_order: Any = None) -> None:
        if n_stack < 1:
            raise ValueError(f"VecFrameStack: n_stack={n_stack}, expected at least 1")
        self.n_stack = n_stack
        space = venv.observation_space
        self._parts: Optional[Dict[str, _Stack]] = None
        if spaces.kind(space) == "Dict":
            orders = channels_order if isinstance(channels_order, dict) else dict.fromkeys(space.spaces, channels_order)
            self._parts = {
                key: _Stack(venv.num_envs, n_stack, part, _is_first(orders.get(key))) for key, part in space.spaces.items()
            }
            stacked = type(space)({key: part.space for key, part in self._parts.items()})
        else:
            self._single = _Stack(venv.num_envs, n_stack, space, _is_first(channels_order))
            stacked = self._single.space
        super().__init__(venv, observation_space=stacked)

    def _each(self, function: Callable[[_Stack, Any], Any], observation: Any) -> Any:
        if self._parts is None:
            return function(self._single, observation)
        return {key: function(part, observation[key]) for key, part in self._parts.items()}

    def _rows(self) -> Any:
        if self._parts is None:
            return self._single.rows.copy()
        return {key: part.rows.copy() for key, part in self._parts.items()}

    def reset(self) -> Any:
        """First observations, each behind zeros."""
        observations = self.venv.reset()
        for i in range(self.num_envs):
            self._each(lambda part, rows: part.begin(i, rows[i]), observations)
        return self._rows()

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """The last observations of each environment; in infos the last ones of episodes that have ended, too."""
        observations, rewards, dones, infos = self.venv.step_wait()
        infos = list(infos)
        for i in range(self.num_envs):
            if not dones[i]:
                self._each(lambda part, rows: part.rows.__setitem__(i, part.followed(i, rows[i])), observations)
                continue
            if "terminal_observation" in infos[i]:
                final = self._each(lambda part, last: part.followed(i, last), infos[i]["terminal_observation"])
                infos[i] = {**infos[i], "terminal_observation": final}
            self._each(lambda part, rows: part.begin(i, rows[i]), observations)
        return self._rows(), rewards, dones, infos


def _is_first(order: Any) -> bool:
    if order not in (None, "first", "last"):
        raise ValueError(f"VecFrameStack: channels_order is 'first', 'last' or None, not {order!r}")
    return order == "first"
