"""Spaces: minimal ones of our own, what kind a space is, its description as JSON, and which are refused.

Gymnasium's spaces are taken as they are. Ours stand in where Gymnasium is not installed: in built-in environments, and in
models that were loaded. Everything asks for a space's kind by the names of its classes, so that subclasses count as well.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict as Mapping, List, Optional, Sequence, Tuple as Pair

import numpy as np

from .errors import UnsupportedError

_KINDS = ("Box", "Discrete", "MultiDiscrete", "MultiBinary", "Dict", "Tuple", "Text", "Graph", "Sequence", "OneOf")


class _Space:
    shape: Optional[Pair[int, ...]] = None
    dtype: Any = None

    def __init__(self) -> None:
        self.np_random = np.random.default_rng()

    def seed(self, seed: Optional[int] = None) -> None:
        """Seeds what `sample` draws from."""
        self.np_random = np.random.default_rng(seed)

    def __eq__(self, other: Any) -> bool:
        return kind(other) is not None and describe(self) == describe(other)

    def __repr__(self) -> str:
        return summary(self)


class Box(_Space):
    """Arrays of numbers, each between two bounds."""

    def __init__(self, low: Any, high: Any, shape: Optional[Sequence[int]] = None, dtype: Any = np.float32) -> None:
        super().__init__()
        self.dtype = np.dtype(dtype)
        self.shape = tuple(shape) if shape is not None else np.broadcast(np.asarray(low), np.asarray(high)).shape
        self.low = np.broadcast_to(np.asarray(low, dtype=self.dtype), self.shape).copy()
        self.high = np.broadcast_to(np.asarray(high, dtype=self.dtype), self.shape).copy()

    def sample(self) -> np.ndarray:
        """Uniform between the bounds; normal where one of them is infinite."""
        finite = np.isfinite(self.low) & np.isfinite(self.high)
        low, high = np.where(finite, self.low, 0), np.where(finite, self.high, 1)
        uniform = self.np_random.uniform(low, high, self.shape)
        return np.where(finite, uniform, self.np_random.normal(size=self.shape)).astype(self.dtype)

    def contains(self, x: Any) -> bool:
        """Whether it is an array of this shape within the bounds."""
        x = np.asarray(x)
        return x.shape == self.shape and bool(np.all(x >= self.low) and np.all(x <= self.high))


class Discrete(_Space):
    """Whole numbers from `start` to `start + n - 1`."""

    def __init__(self, n: int, start: int = 0) -> None:
        super().__init__()
        self.n, self.start, self.shape, self.dtype = int(n), int(start), (), np.dtype(np.int64)

    def sample(self) -> np.int64:
        """Uniform."""
        return np.int64(self.start + self.np_random.integers(self.n))

    def contains(self, x: Any) -> bool:
        """Whether it is one of the numbers."""
        return np.shape(x) == () and self.start <= int(x) < self.start + self.n


class MultiDiscrete(_Space):
    """Arrays of whole numbers, each from 0 to its count - 1."""

    def __init__(self, nvec: Any, start: Any = None) -> None:
        super().__init__()
        self.nvec = np.asarray(nvec, dtype=np.int64)
        self.start = np.zeros_like(self.nvec) if start is None else np.asarray(start, dtype=np.int64)
        self.shape, self.dtype = self.nvec.shape, np.dtype(np.int64)

    def sample(self) -> np.ndarray:
        """Uniform."""
        return self.start + (self.np_random.random(self.shape) * self.nvec).astype(np.int64)


class MultiBinary(_Space):
    """Arrays of zeros and ones."""

    def __init__(self, n: Any) -> None:
        super().__init__()
        self.n = n
        self.shape = (int(n),) if np.ndim(n) == 0 else tuple(int(i) for i in n)
        self.dtype = np.dtype(np.int8)

    def sample(self) -> np.ndarray:
        """Uniform."""
        return self.np_random.integers(0, 2, self.shape).astype(np.int8)


class Dict(_Space):
    """Dictionaries of parts, in the order of their keys."""

    def __init__(self, spaces: Mapping[str, Any]) -> None:
        super().__init__()
        self.spaces = dict(spaces)

    def sample(self) -> Mapping[str, Any]:
        """A sample of each part."""
        return {key: space.sample() for key, space in self.spaces.items()}


class Tuple(_Space):
    """Tuples of parts."""

    def __init__(self, spaces: Sequence[Any]) -> None:
        super().__init__()
        self.spaces = tuple(spaces)

    def sample(self) -> Pair[Any, ...]:
        """A sample of each part."""
        return tuple(space.sample() for space in self.spaces)


def kind(space: Any) -> Optional[str]:
    """The name of the space's kind, "Box", "Discrete" …; None for what is no space."""
    names = [cls.__name__ for cls in type(space).__mro__]
    return next((name for name in _KINDS if name in names), None)


def describe(space: Any) -> Mapping[str, Any]:
    """A space as JSON."""
    which = kind(space)
    if which == "Box":
        bounds = {name: [_number(x) for x in np.ravel(getattr(space, name)).tolist()] for name in ("low", "high")}
        return {"kind": which, **bounds, "shape": list(space.shape), "dtype": np.dtype(space.dtype).name}
    if which == "Discrete":
        return {"kind": which, "n": int(space.n), "start": int(getattr(space, "start", 0))}
    if which == "MultiDiscrete":
        return {"kind": which, "nvec": np.asarray(space.nvec).tolist(), "start": starts(space).tolist()}
    if which == "MultiBinary":
        return {"kind": which, "shape": list(space.shape)}
    if which == "Dict":
        return {"kind": which, "spaces": [[str(key), describe(part)] for key, part in space.spaces.items()]}
    if which == "Tuple":
        return {"kind": which, "spaces": [describe(part) for part in space.spaces]}
    raise UnsupportedError(f"a space of kind {which or type(space).__name__} is not supported")


def from_description(description: Mapping[str, Any]) -> Any:
    """The space that `describe` described: Gymnasium's where that is installed, else ours."""
    try:
        import gymnasium.spaces as made
    except ImportError:
        import offpolicy.spaces as made  # type: ignore[no-redef]
    which = description["kind"]
    if which == "Box":
        dtype, shape = np.dtype(description["dtype"]), tuple(description["shape"])
        low, high = (np.array([float(x) for x in description[name]]).reshape(shape) for name in ("low", "high"))
        return made.Box(low.astype(dtype), high.astype(dtype), shape, dtype.type)
    if which == "Discrete":
        return made.Discrete(description["n"], start=description["start"])
    if which == "MultiDiscrete":
        return made.MultiDiscrete(np.array(description["nvec"]), start=np.array(description["start"]))
    if which == "MultiBinary":
        shape = description["shape"]
        return made.MultiBinary(shape[0] if len(shape) == 1 else shape)
    if which == "Dict":
        # an ordered one: Gymnasium sorts the keys of others
        return made.Dict(OrderedDict((key, from_description(part)) for key, part in description["spaces"]))
    return made.Tuple([from_description(part) for part in description["spaces"]])


def summary(space: Any) -> str:
    """A space in a few words, for messages."""
    which = kind(space)
    if which == "Box":
        low, high = (np.ravel(getattr(space, name)) for name in ("low", "high"))
        return f"Box({low.min() if low.size else 0}, {high.max() if high.size else 0}, {space.shape}, {space.dtype})"
    if which == "Discrete":
        start = int(getattr(space, "start", 0))
        return f"Discrete({space.n}{f', start={start}' if start else ''})"
    if which == "Dict":
        return "Dict(" + ", ".join(f"{key}: {summary(part)}" for key, part in space.spaces.items()) + ")"
    if which == "Tuple":
        return "Tuple(" + ", ".join(summary(part) for part in space.spaces) + ")"
    return f"{which}({np.asarray(space.nvec).tolist() if which == 'MultiDiscrete' else getattr(space, 'n', '')})"


def starts(space: Any) -> np.ndarray:
    """The first value of each number of a MultiDiscrete space."""
    start = getattr(space, "start", None)
    return np.zeros_like(space.nvec) if start is None else np.asarray(start)


def is_image(space: Any) -> bool:
    """Whether an observation is a picture: bytes in three dimensions, from 0 to 255."""
    return (
        kind(space) == "Box" and len(space.shape) == 3 and space.dtype == np.uint8
        and bool(np.all(space.low == 0) and np.all(space.high == 255))
    )  # fmt: skip


def is_goal_space(space: Any) -> bool:
    """Whether an observation is a dictionary of observation, achieved_goal and desired_goal."""
    return kind(space) == "Dict" and set(space.spaces) == {"observation", "achieved_goal", "desired_goal"}


def check_actions(space: Any, discrete: bool, algorithm: str) -> None:
    """Refuses actions that the algorithm cannot choose."""
    which = kind(space)
    if discrete:
        if which != "Discrete":
            raise UnsupportedError(f"{algorithm} needs a Discrete action space, the environment has {named(space)}")
        return
    if which != "Box":
        raise UnsupportedError(f"{algorithm} needs a Box action space, the environment has {named(space)}")
    low, high = np.ravel(space.low).astype(float), np.ravel(space.high).astype(float)
    if low.size == 0:
        raise UnsupportedError("the action space has no numbers")
    for i in np.flatnonzero(~(np.isfinite(low) & np.isfinite(high))):
        raise UnsupportedError(
            f"actions need finite bounds, number {i} has [{low[i]}, {high[i]}]; say what the actuator can do, "
            "or wrap the environment in gymnasium.wrappers.RescaleAction"
        )
    for i in np.flatnonzero(low >= high):
        raise UnsupportedError(f"number {i} of the actions has the bounds [{low[i]}, {high[i]}], which leave no choice")


def check_observations(space: Any, policy: str) -> None:
    """Refuses observations that no policy of this package takes."""
    which = kind(space)
    if which == "Dict" and policy == "MlpPolicy":
        raise UnsupportedError("a Dict observation space needs the policy 'MultiInputPolicy', not 'MlpPolicy'")
    if is_image(space):
        raise UnsupportedError(
            f"observations are pictures of the shape {space.shape}, which need a convolutional network; that is not "
            "supported: flatten and scale them to floats, or give features instead"
        )
    if which in ("Dict", "Tuple"):
        parts = space.spaces.values() if which == "Dict" else space.spaces
        for part in parts:
            check_observations(part, "MultiInputPolicy")
    elif which not in ("Box", "Discrete", "MultiDiscrete", "MultiBinary"):
        raise UnsupportedError(f"observations of the space {named(space)} are not supported")
    elif which == "Box" and not (np.issubdtype(space.dtype, np.number) or space.dtype == np.bool_):
        raise UnsupportedError(f"observations of the type {space.dtype} are not numbers")


def check_same(name: str, expected: Any, given: Any) -> None:
    """Refuses a space that differs from the model's."""
    if describe(expected) != describe(given):
        raise UnsupportedError(f"the model's {name} space is {named(expected)}, the environment's is {named(given)}")


def named(space: Any) -> str:
    """A space in a few words, or the name of its kind where this package has none."""
    return summary(space) if kind(space) in _KINDS[:6] else kind(space) or type(space).__name__


def _number(x: float) -> Any:
    # JSON has no infinity
    return x if np.isfinite(x) else str(x)


__all__: List[str] = ["Box", "Discrete", "MultiDiscrete", "MultiBinary", "Dict", "Tuple"]
