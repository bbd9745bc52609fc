"""Wrappers around a vector of environments with the interface of Stable-Baselines3's VecEnv."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from .vec_env import Indices, VecEnv


@VecEnv.register
class VecEnvWrapper:
    """Passes everything on to `venv`. Subclasses change what `reset` and `step_wait` return."""

    def __init__(self, venv: Any, observation_space: Any = None, action_space: Any = None) -> None:
        self.venv = venv
        self.num_envs = venv.num_envs
        self.observation_space = observation_space or venv.observation_space
        self.action_space = action_space or venv.action_space

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "venv" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.venv, name)

    def reset(self) -> Any:
        """Resets every environment; returns their observations, stacked."""
        return self.venv.reset()

    def step_async(self, actions: Any) -> None:
        """Takes the actions of `step_wait`."""
        self.venv.step_async(actions)

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """Steps with the actions of `step_async`; returns observations, rewards (N), dones (N), infos."""
        return self.venv.step_wait()

    def step(self, actions: Any) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """`step_async` and `step_wait`."""
        self.step_async(actions)
        return self.step_wait()

    def close(self) -> None:
        """Closes the environments."""
        self.venv.close()

    def seed(self, seed: Optional[int] = None) -> List[Optional[int]]:
        """Seeds the next resets."""
        return self.venv.seed(seed)

    def set_options(self, options: Any = None) -> None:
        """Sets the options of the next resets."""
        self.venv.set_options(options)

    def set_attr(self, name: str, value: Any, indices: Indices = None) -> None:
        """Sets an attribute of each environment."""
        self.venv.set_attr(name, value, indices)

    def render(self, mode: Optional[str] = None) -> Any:
        """The picture of the first environment."""
        return self.venv.render(mode)

    def env_is_wrapped(self, wrapper_class: Any, indices: Indices = None) -> List[bool]:
        """Whether each environment has a wrapper of this class."""
        return self.venv.env_is_wrapped(wrapper_class, indices)

    def env_method(self, name: str, *arguments: Any, indices: Indices = None, **keywords: Any) -> List[Any]:
        """Calls a method of each environment."""
        return self.venv.env_method(name, *arguments, indices=indices, **keywords)


def is_vecenv_wrapped(env: Any, vec_wrapper_class: type) -> bool:
    """Whether there is a wrapper of this class around a vector."""
    return unwrap_vec_wrapper(env, vec_wrapper_class) is not None


def unwrap_vec_wrapper(env: Any, vec_wrapper_class: type) -> Any:
    """The wrapper of this class around a vector; None: there is none."""
    while env is not None:
        if isinstance(env, vec_wrapper_class):
            return env
        env = env.__dict__.get("venv") if hasattr(env, "__dict__") else None
    return None
