"""Vectors of environments by Stable-Baselines3's names: make_vec_env, DummyVecEnv, SubprocVecEnv."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional

from .builtin import BuiltInEnvironment, built_in_ids
from .environments import EnvironmentLanes, layers
from .errors import UnsupportedError
from .monitor import Monitor
from .subprocess_lanes import SubprocVecEnv


class DummyVecEnv(EnvironmentLanes):
    """Environments one after the other in this process.

    :param env_fns: functions that make one each
    """

    def __init__(self, env_fns: List[Callable[[], Any]]) -> None:
        super().__init__([make() for make in env_fns])


def make_vec_env(
    env_id: Any,
    n_envs: int = 1,
    seed: Optional[int] = None,
    start_index: int = 0,
    monitor_dir: Optional[str] = None,
    wrapper_class: Optional[Callable[..., Any]] = None,
    env_kwargs: Optional[Dict[str, Any]] = None,
    vec_env_cls: Optional[Callable[..., Any]] = None,
    vec_env_kwargs: Optional[Dict[str, Any]] = None,
    monitor_kwargs: Optional[Dict[str, Any]] = None,
    wrapper_kwargs: Optional[Dict[str, Any]] = None,
) -> Any:
    """A vector of environments, each in a Monitor.

    :param env_id: an id, or what makes one: Gymnasium makes ids; without Gymnasium there are the built-in ones
    :param seed: of the first environment's next reset; the i-th has seed + i
    :param start_index: the first environment's number, in seeds of actions and names of files
    :param monitor_dir: the folder of the Monitors' files; None: there are none
    :param wrapper_class: put around each Monitor
    :param vec_env_cls: DummyVecEnv, or SubprocVecEnv
    """

    def maker(number: int) -> Callable[[], Any]:
        def make() -> Any:
            environment = _made(env_id, env_kwargs or {})
            if seed is not None:
                environment.action_space.seed(seed + number)
            if monitor_dir is not None:
                os.makedirs(monitor_dir, exist_ok=True)
            path = None if monitor_dir is None else os.path.join(monitor_dir, str(number))
            environment = Monitor(environment, path, **(monitor_kwargs or {}))
            return environment if wrapper_class is None else wrapper_class(environment, **(wrapper_kwargs or {}))

        return make

    kind = DummyVecEnv if vec_env_cls is None else vec_env_cls
    vector = kind([maker(start_index + i) for i in range(n_envs)], **(vec_env_kwargs or {}))
    vector.seed(seed)
    return vector


def _made(env_id: Any, keywords: Dict[str, Any]) -> Any:
    if not isinstance(env_id, str):
        return env_id(**keywords)
    try:
        import gymnasium
    except ImportError:
        if env_id in built_in_ids():
            return BuiltInEnvironment(env_id, keywords)
        raise UnsupportedError(f"{env_id!r} is not built in, and Gymnasium is not installed: pip install gymnasium") from None
    try:
        return gymnasium.make(env_id, **{"render_mode": "rgb_array", **keywords})
    except TypeError:
        return gymnasium.make(env_id, **keywords)


def unwrap_wrapper(env: Any, wrapper_class: type) -> Any:
    """The wrapper of this class around an environment; None: there is none."""
    return next((layer for layer in layers(env) if isinstance(layer, wrapper_class)), None)


def is_wrapped(env: Any, wrapper_class: type) -> bool:
    """Whether there is a wrapper of this class around an environment."""
    return unwrap_wrapper(env, wrapper_class) is not None
