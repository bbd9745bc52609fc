"""What a model may be given as its environment, turned into lanes."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Tuple

from .argument_numbers import plain
from .builtin import BuiltInEnvironment, built_in_ids
from .environments import EnvironmentLanes
from .errors import NativeError, UnsupportedError, nearest
from .lanes import Lanes
from .vec_environments import VecEnvLanes, is_vec_environment
from .vector_environments import VectorEnvironmentLanes, is_vector_environment


def make_lanes(environment: Any, count: int = 1, options: Optional[Dict[str, Any]] = None) -> Tuple[Lanes, Optional[str]]:
    """Lanes of an id, an Env, a list of them, a function that makes one, a VectorEnv or a VecEnv.

    Returns the lanes, and the id where they are built-in environments. `count` and `options` are for ids and functions.
    """
    if isinstance(environment, str):
        return _named_lanes(environment, count, plain(options or {}))
    if options:
        raise UnsupportedError("environment_options are for environments that are given by their ids")
    if isinstance(environment, Lanes) and not _steps_by_itself(environment):
        built_in = built_in_id(environment)
        return environment, built_in
    if is_vec_environment(environment):
        return VecEnvLanes(environment), None
    if is_vector_environment(environment):
        return VectorEnvironmentLanes(environment), None
    if isinstance(environment, (list, tuple)):
        lanes: Lanes = EnvironmentLanes([_made(item) for item in environment])
        return lanes, built_in_id(lanes)
    if _makes_environments(environment):
        lanes = EnvironmentLanes([_made(environment) for _ in range(count)])
        return lanes, built_in_id(lanes)
    if count != 1:
        raise UnsupportedError(f"n_envs={count} needs an id or a function that makes environments, not one environment")
    lanes = EnvironmentLanes([environment])
    return lanes, built_in_id(lanes)


def built_in_id(lanes: Lanes) -> Optional[str]:
    """The id of lanes that are all built-in environments; else None."""
    environments: List[Any] = getattr(lanes, "envs", [])
    if environments and all(isinstance(environment, BuiltInEnvironment) for environment in environments):
        return environments[0].id
    return None


def _steps_by_itself(lanes: Lanes) -> bool:
    """Whether somebody's subclass resets or steps in another way, which a model must not pass by."""
    ours = next(cls for cls in type(lanes).__mro__ if cls.__module__.startswith(__package__ + "."))
    names = ("reset", "step", "step_async", "step_wait")
    return any(getattr(type(lanes), name) is not getattr(ours, name) for name in names)


def _made(item: Any) -> Any:
    return item() if _makes_environments(item) else item


def _makes_environments(item: Any) -> bool:
    # a class has the methods of its instances
    return callable(item) and (isinstance(item, type) or not hasattr(item, "step"))


def _named_lanes(id: str, count: int, options: Dict[str, Any]) -> Tuple[Lanes, Optional[str]]:
    reason = ""
    if id in built_in_ids():
        try:
            return EnvironmentLanes([BuiltInEnvironment(id, options) for _ in range(count)]), id
        except NativeError as error:
            # such as a MuJoCo environment without MuJoCo's library: Gymnasium may have it all the same
            reason = str(error)
    try:
        import gymnasium
    except ImportError:
        known = ", ".join(built_in_ids())
        raise UnsupportedError(
            f"{id!r} " + (f"cannot be made ({reason})" if reason else "is not built in" + nearest(id, built_in_ids()))
            + f", and Gymnasium is not installed; built in are {known}; for others: pip install gymnasium"
        ) from None  # fmt: skip

    def make() -> Any:
        try:
            return gymnasium.make(id, render_mode="rgb_array", **options)
        except TypeError:
            return gymnasium.make(id, **options)

    try:
        return EnvironmentLanes([make() for _ in range(count)]), None
    except Exception as error:
        if reason:
            raise UnsupportedError(f"{id} cannot be made: {reason}; Gymnasium says: {_first_line(error)}") from error
        raise


def _first_line(error: BaseException) -> str:
    return re.split(r"\n", str(error).strip() or type(error).__name__)[0]
