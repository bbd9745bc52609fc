"""Observations to rows of float32 and rows of float32 to actions, by the rules of gymnasium.spaces.flatten.

Box: its numbers in order. Discrete and MultiDiscrete: one-hot, minus the start. MultiBinary: zeros and ones. Dict and Tuple:
their parts in order; Gymnasium sorts the keys of a Dict. Observations with goals for hindsight: observation, achieved goal,
desired goal, the order that the library expects.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from . import spaces
from .errors import UnsupportedError

GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")

Writer = Callable[[Any, np.ndarray], None]


class Flattener:
    """Writes observations of a space into rows.

    `size` is S, the numbers of a row. `goals` asks for the order of `GOAL_KEYS`.
    """

    def __init__(self, space: Any, goals: bool = False) -> None:
        self.space = space
        self.kind = spaces.kind(space)
        self.goals = goals
        self.keys: List[Any] = []
        self.parts: List["Flattener"] = []
        self.shape: Tuple[int, ...] = ()
        self.numpy_type: Optional[np.dtype] = None
        if self.kind == "Dict":
            self.keys = list(GOAL_KEYS) if goals else list(space.spaces)
            self.parts = [Flattener(space.spaces[key]) for key in self.keys]
        elif self.kind == "Tuple":
            self.keys = list(range(len(space.spaces)))
            self.parts = [Flattener(part) for part in space.spaces]
        elif self.kind == "Discrete":
            self.start = int(getattr(space, "start", 0))
            self.size = int(space.n)
        elif self.kind == "MultiDiscrete":
            self.shape = np.asarray(space.nvec).shape
            self.nvec = np.ravel(space.nvec).astype(np.int64)
            self.starts = np.ravel(spaces.starts(space)).astype(np.int64)
            self.offsets = np.concatenate([[0], np.cumsum(self.nvec)[:-1]]).astype(np.int64)
            self.size = int(self.nvec.sum())
        elif self.kind not in ("Box", "MultiBinary"):
            raise UnsupportedError(f"observations of the space {spaces.named(space)} are not supported")
        else:
            self.shape = tuple(space.shape)
            self.size = int(np.prod(self.shape, dtype=np.int64))
            self.numpy_type = np.dtype(space.dtype)
        if self.parts:
            self.size = sum(part.size for part in self.parts)
        self.is_plain = self.kind in ("Box", "MultiBinary")

    # ---- one observation

    def write(self, observation: Any, row: np.ndarray) -> None:
        """Writes an observation into a row (S)."""
        if self.is_plain:
            if type(observation) is not np.ndarray:
                observation = np.asarray(observation)
            if observation.shape != self.shape:
                raise self._unexpected(observation.shape)
            row[...] = observation if len(self.shape) == 1 else observation.reshape(-1)
        elif self.kind == "Discrete":
            row[...] = 0
            row[self._index(observation)] = 1
        elif self.kind == "MultiDiscrete":
            self._write_digits(np.asarray(observation), row)
        else:
            at = 0
            for key, part in zip(self.keys, self.parts):
                part.write(self._part(observation, key), row[at : at + part.size])
                at += part.size

    def _part(self, observation: Any, key: Any) -> Any:
        try:
            return observation[key]
        except (KeyError, IndexError, TypeError):
            raise UnsupportedError(
                f"an observation of {spaces.summary(self.space)} has no part {key!r}: it is {_briefly(observation)}"
            ) from None

    def _index(self, observation: Any) -> int:
        value = np.asarray(observation)
        if value.size != 1:
            raise self._unexpected(value.shape)
        index = int(value.reshape(())) - self.start
        if not 0 <= index < self.size:
            raise UnsupportedError(f"the observation {int(value.reshape(()))} is not in {spaces.summary(self.space)}")
        return index

    def _write_digits(self, values: np.ndarray, row: np.ndarray) -> None:
        if values.shape != self.shape:
            raise self._unexpected(values.shape)
        digits = values.reshape(-1).astype(np.int64) - self.starts
        if ((digits < 0) | (digits >= self.nvec)).any():
            raise UnsupportedError(f"the observation {values.tolist()} is not in {spaces.summary(self.space)}")
        row[...] = 0
        row[self.offsets + digits] = 1

    def _unexpected(self, shape: Tuple[int, ...]) -> UnsupportedError:
        return UnsupportedError(
            f"an observation of {spaces.summary(self.space)} has the shape {self.shape}, one of the shape {shape} came"
        )

    # ---- many observations

    def write_batch(self, observations: Any, rows: np.ndarray) -> None:
        """Writes stacked observations, or a Dict or Tuple of stacked parts, into rows (N × S)."""
        if self.is_plain:
            observations = np.asarray(observations)
            if observations.shape != (len(rows),) + self.shape:
                raise self._unexpected(observations.shape[1:])
            rows[...] = observations.reshape(rows.shape)
        elif self.parts:
            at = 0
            for key, part in zip(self.keys, self.parts):
                part.write_batch(self._part(observations, key), rows[:, at : at + part.size])
                at += part.size
        else:
            for observation, row in zip(np.asarray(observations), rows):
                self.write(observation, row)

    def batch_size(self, observation: Any) -> Optional[int]:
        """How many observations are stacked in it; None: it is a single one."""
        if self.parts:
            return self.parts[0].batch_size(self._part(observation, self.keys[0]))
        shape = np.shape(observation)
        if shape == self.shape:
            return None
        if shape[1:] == self.shape and len(shape) == len(self.shape) + 1:
            return shape[0]
        # vectorised environments give Discrete observations as (N) or (N, 1)
        if self.kind == "Discrete" and len(shape) == 2 and shape[1] == 1:
            return shape[0]
        expected = f"{self.shape}, or (n, {', '.join(map(str, self.shape))}) for n of them"
        raise UnsupportedError(
            f"an observation of {spaces.summary(self.space)} has the shape {expected}; one of the shape {shape} came"
        )

    def stack(self, observations: List[Any]) -> Any:
        """Stacks single observations, keeping their types: what Stable-Baselines3 calls new_obs."""
        if self.kind == "Dict":
            return {key: self.parts[i].stack([o[key] for o in observations]) for i, key in enumerate(self.keys)}
        if self.kind == "Tuple":
            return tuple(self.parts[key].stack([o[key] for o in observations]) for key in self.keys)
        return np.array(observations, dtype=self.numpy_type or np.int64)

    def unflatten_batch(self, rows: np.ndarray) -> Any:
        """Stacked observations (N × …) from rows (N × S), in the types of the space."""
        if self.parts:
            ends = np.cumsum([part.size for part in self.parts])
            stacked = [part.unflatten_batch(rows[:, end - part.size : end]) for part, end in zip(self.parts, ends)]
            return dict(zip(self.keys, stacked)) if self.kind == "Dict" else tuple(stacked)
        if self.kind == "Discrete":
            return np.argmax(rows, axis=1) + self.start
        if self.kind == "MultiDiscrete":
            bounds = np.append(self.offsets, self.size)
            digits = [np.argmax(rows[:, a:b], axis=1) for a, b in zip(bounds[:-1], bounds[1:])]
            return (np.stack(digits, axis=1) + self.starts).reshape((len(rows),) + self.shape)
        return rows.reshape((len(rows),) + self.shape).astype(self.numpy_type)


class ActionMap:
    """Turns rows of float32 (A), in the environment's units, into actions of a space, and back."""

    def __init__(self, space: Any) -> None:
        if spaces.kind(space) not in ("Box", "Discrete"):
            raise UnsupportedError(f"actions of the space {spaces.named(space)} are not supported, only Box and Discrete")
        self.space = space
        self.is_discrete = spaces.kind(space) == "Discrete"
        if self.is_discrete:
            self.size, self.start, self.shape = 1, int(getattr(space, "start", 0)), ()
            self.numpy_type = np.dtype(np.int64)
            self.is_plain = self.is_row = False
            return
        self.shape = tuple(space.shape)
        self.numpy_type = np.dtype(space.dtype)
        self.size = int(np.prod(self.shape, dtype=np.int64))
        self.low = np.ravel(space.low).astype(np.float32)
        self.high = np.ravel(space.high).astype(np.float32)
        # a row is an action already
        self.is_plain = self.numpy_type == np.float32
        self.is_row = self.is_plain and len(self.shape) == 1

    def settings(self) -> Any:
        """The actions as the library wants them described."""
        if self.is_discrete:
            return {"choices": int(self.space.n)}
        return {"low": self.low.astype(float).tolist(), "high": self.high.astype(float).tolist()}

    def single(self, row: np.ndarray) -> Any:
        """The action of a row (A); the environment may keep it."""
        if self.is_discrete:
            return np.int64(row[0]) + self.start
        if self.is_plain:
            return row.reshape(self.shape).copy()
        return self.batch(row[None])[0]

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """The actions (N × …) of rows (N × A)."""
        if self.is_discrete:
            return rows[:, 0].astype(np.int64) + self.start
        if self.is_plain:
            return rows.reshape((len(rows),) + self.shape).copy()
        values = np.rint(rows) if np.issubdtype(self.numpy_type, np.integer) else rows
        values = values.reshape((len(rows),) + self.shape).astype(self.numpy_type)
        # a bound may lie between two numbers of float32
        return np.clip(values, self.space.low, self.space.high)

    def rows(self, actions: Any, count: int) -> np.ndarray:
        """Rows (N × A) of actions."""
        values = np.asarray(actions, dtype=np.float32).reshape(count, self.size)
        return values - self.start if self.is_discrete else values

    def scaled(self, rows: np.ndarray) -> np.ndarray:
        """Rows in [−1, 1] of rows in the environment's units."""
        return 2 * (rows - self.low) / (self.high - self.low) - 1

    def unscaled(self, rows: np.ndarray) -> np.ndarray:
        """Rows in the environment's units of rows in [−1, 1]."""
        return self.low + 0.5 * (rows + 1) * (self.high - self.low)


def _briefly(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
