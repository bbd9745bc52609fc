"""Hindsight: rewards and terminations of other goals, computed by the environment's own compute_reward."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Optional

import numpy as np

from . import _native, spaces
from .errors import UnsupportedError
from .flatten import Flattener
from .lanes import Lanes


class GoalFunction:
    """What the library calls for rows of goals (rows × G).

    An exception of the environment is kept in `error` and raised once the library's call has come back.
    """

    def __init__(self, space: Any, lanes: Optional[Lanes]) -> None:
        if not spaces.is_goal_space(space):
            raise UnsupportedError(
                "HerReplayBuffer needs observations that are a Dict of observation, achieved_goal and desired_goal; the "
                f"environment has {spaces.summary(space)}"
            )
        self.lanes: Any = lanes
        self.observation_size = Flattener(space.spaces["observation"]).size
        self.achieved = Flattener(space.spaces["achieved_goal"])
        self.desired = Flattener(space.spaces["desired_goal"])
        if self.achieved.size != self.desired.size:
            raise UnsupportedError(
                f"achieved_goal has {self.achieved.size} numbers, desired_goal has {self.desired.size}; expected as many"
            )
        for part in (self.achieved, self.desired):
            if part.parts:
                raise UnsupportedError("goals that are a Dict or a Tuple are not supported")
        self.size = self.desired.size
        self.has_terminated = False
        self.error: Optional[BaseException] = None
        self._infos: List[Dict[str, Any]] = []

    def settings(self) -> Dict[str, int]:
        """The goals as the library wants them described."""
        return {"observationSize": self.observation_size, "goalSize": self.size}

    def attach(self, learner: _native.Learner) -> None:
        """Has the library call it, where there are environments."""
        if self.lanes is None:
            return
        if not self.lanes.has_method("compute_reward"):
            raise UnsupportedError(
                "HerReplayBuffer needs an environment with compute_reward(achieved_goal, desired_goal, info)"
            )
        self.has_terminated = self.lanes.has_method("compute_terminated")
        learner.set_goal_function(self._called)

    def raise_error(self) -> None:
        """Raises what the environment raised within the library's last call."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def _called(self, achieved: int, desired: int, rows: int, rewards: int, terminated: int) -> int:
        try:
            goals = [
                part.unflatten_batch(_array(address, rows * self.size).reshape(rows, self.size))
                for part, address in ((self.achieved, achieved), (self.desired, desired))
            ]
            if len(self._infos) != rows:
                self._infos = [{} for _ in range(rows)]
            _array(rewards, rows)[:] = self._compute("compute_reward", goals, rows)
            if self.has_terminated:
                _array(terminated, rows, ctypes.c_uint8)[:] = self._compute("compute_terminated", goals, rows)
            return 0
        except BaseException as error:  # noqa: BLE001  it must not pass through the library
            self.error = error
            return 1

    def _compute(self, name: str, goals: List[np.ndarray], rows: int) -> np.ndarray:
        values = np.asarray(self.lanes.compute_goals(name, goals[0], goals[1], self._infos))
        if values.shape == (rows,):
            return values
        if values.size == 1:
            # it takes one goal at a time
            each = [self.lanes.compute_goals(name, a, d, {}) for a, d in zip(goals[0], goals[1])]
            values = np.asarray(each).reshape(-1)
        if values.size != rows:
            raise UnsupportedError(f"{name} gave the shape {values.shape} for {rows} goals; expected ({rows},)")
        return values.reshape(rows)


def _array(address: int, count: int, kind: Any = ctypes.c_float) -> np.ndarray:
    return np.ctypeslib.as_array((kind * count).from_address(address))
