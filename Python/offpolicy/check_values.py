"""Observations and generators, as the checker of environments looks at them."""

from __future__ import annotations

import random
from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from . import spaces


def boxes(space: Any, name: str = "observation") -> List[Tuple[str, Any]]:
    """The Box parts of a space, with names such as observation['camera']."""
    kind = spaces.kind(space)
    if kind == "Dict":
        return [box for key, part in space.spaces.items() for box in boxes(part, f"{name}[{key!r}]")]
    if kind == "Tuple":
        return [box for key, part in enumerate(space.spaces) for box in boxes(part, f"{name}[{key}]")]
    return [(name, space)] if kind == "Box" else []


def numbers(space: Any, observation: Any, name: str) -> List[Tuple[str, Any, Any]]:
    """The Box parts of an observation: name, space, value."""
    kind = spaces.kind(space)
    if kind == "Dict":
        return [n for key, part in space.spaces.items() for n in numbers(part, observation[key], f"{name}[{key!r}]")]
    if kind == "Tuple":
        return [n for key, part in enumerate(space.spaces) for n in numbers(part, observation[key], f"{name}[{key}]")]
    return [(name, space, observation)] if kind == "Box" else []


def at(index: np.ndarray) -> str:
    """An index as it is written in code."""
    return f"[{', '.join(map(str, index))}]" if len(index) else ""


def copied(observation: Any) -> Any:
    """A copy that shares no memory."""
    if isinstance(observation, dict):
        return {key: copied(part) for key, part in observation.items()}
    return tuple(copied(part) for part in observation) if isinstance(observation, tuple) else np.array(observation)


def equal(a: Any, b: Any) -> bool:
    """Whether all numbers are the same; NaN equals NaN."""
    if isinstance(a, dict):
        return all(equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    return bool(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f"))


def global_generators() -> Any:
    """The states of the generators that a whole process shares."""
    name, keys, position, *_ = np.random.get_state()  # noqa: NPY002  the global one is meant
    return random.getstate(), name, keys.tobytes(), position


def made(given: Any) -> Tuple[Any, Optional[Callable[[], Any]]]:
    """An environment, and what makes another one where that is known."""
    if isinstance(given, str):
        from .vectors import make_lanes

        def make() -> Any:
            return make_lanes(given)[0].envs[0]  # type: ignore[attr-defined]

        return make(), make
    if isinstance(given, type) or (callable(given) and not hasattr(given, "step")):
        return given(), given
    return given, None
