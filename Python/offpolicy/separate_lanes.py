"""Lanes whose observations come one by one, and are stacked when somebody asks."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from .lanes import Lanes


class SeparateLanes(Lanes):
    """Base of lanes made of single environments."""

    def __init__(self, count: int, observation_space: Any, action_space: Any) -> None:
        super().__init__(count, observation_space, action_space)
        #: each lane's observation, in the environment's own types; None before the first reset
        self._current: List[Any] = [None] * count

    _stacked: Any = None

    @property  # type: ignore[override]
    def observations(self) -> Any:
        """The lanes' observations, stacked."""
        if self._current[0] is None:
            return None
        if self._stacked is None:
            self._stacked = self.flattener.stack(self._current)
        return self._stacked

    @observations.setter
    def observations(self, value: Any) -> None:
        self._stacked, self._current = None, [None] * self.num_envs

    def write_current(self, rows: np.ndarray) -> None:
        for observation, row in zip(self._current, rows):
            self.flattener.write(observation, row)

    def resume(self, rows: np.ndarray) -> None:
        stacked = self.flattener.unflatten_batch(rows)
        self._stacked, self._current = None, [pick_row(stacked, i) for i in range(self.num_envs)]

    def reset(self) -> Any:
        self._stacked = None
        return super().reset()


def pick_row(stacked: Any, i: int) -> Any:
    """One of stacked observations."""
    if isinstance(stacked, dict):
        return {key: pick_row(part, i) for key, part in stacked.items()}
    return tuple(pick_row(part, i) for part in stacked) if isinstance(stacked, tuple) else stacked[i]
