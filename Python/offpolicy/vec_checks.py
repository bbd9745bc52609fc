"""VecCheckNan, VecExtractDictObs and VecTransposeImage: small wrappers around vectors."""

from __future__ import annotations

import warnings
from typing import Any, List, Tuple

import numpy as np

from .errors import UnsupportedError
from .vec_wrapper import VecEnvWrapper


class VecCheckNan(VecEnvWrapper):
    """Looks for NaN and infinity in actions, observations and rewards.

    Models refuse them in any case; this says so for agents of one's own.

    :param raise_exception: whether to raise; else it warns
    :param warn_once: whether it warns only the first time
    :param check_inf: whether it looks for infinity, too
    """

    def __init__(self, venv: Any, raise_exception: bool = False, warn_once: bool = True, check_inf: bool = True) -> None:
        super().__init__(venv)
        self.raise_exception, self.warn_once, self.check_inf = raise_exception, warn_once, check_inf
        self._has_warned = False
        self._actions: Any = None

    def step_async(self, actions: Any) -> None:
        """Takes the actions of `step_wait`."""
        self._look("actions", actions, "came from the agent")
        self._actions = actions
        self.venv.step_async(actions)

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """A step of every environment."""
        observations, rewards, dones, infos = self.venv.step_wait()
        cause = f"came from the environment after the actions {self._actions!r}"
        self._look("observations", observations, cause)
        self._look("rewards", rewards, cause)
        return observations, rewards, dones, infos

    def reset(self) -> Any:
        """First observations."""
        observations = self.venv.reset()
        self._look("observations", observations, "came from reset()")
        return observations

    def _look(self, what: str, values: Any, cause: str) -> None:
        if isinstance(values, (dict, tuple)):
            for key, part in values.items() if isinstance(values, dict) else enumerate(values):
                self._look(f"{what}[{key!r}]", part, cause)
            return
        array = np.asarray(values)
        found = [] if not np.issubdtype(array.dtype, np.number) else [
            name for name, test in (("nan", np.isnan), ("inf", np.isinf)) if (name == "nan" or self.check_inf) and test(array).any()
        ]  # fmt: skip
        if not found:
            return
        text = f"{' and '.join(found)} in {what}: they {cause}"
        if self.raise_exception:
            raise ValueError(text)
        if not (self.warn_once and self._has_warned):
            self._has_warned = True
            warnings.warn(text, UserWarning, stacklevel=3)


class VecExtractDictObs(VecEnvWrapper):
    """Passes on one part of observations that are a Dict.

    :param key: its name
    """

    def __init__(self, venv: Any, key: str) -> None:
        self.key = key
        super().__init__(venv, observation_space=venv.observation_space.spaces[key])

    def reset(self) -> Any:
        """The part of first observations."""
        return self.venv.reset()[self.key]

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """The part of observations; in infos that of the last ones of episodes, too."""
        observations, rewards, dones, infos = self.venv.step_wait()
        infos = [
            {**info, "terminal_observation": info["terminal_observation"][self.key]} if "terminal_observation" in info else info
            for info in infos
        ]
        return observations[self.key], rewards, dones, infos


class VecTransposeImage(VecEnvWrapper):
    """Refused: there are no convolutional networks. Scripts that import it and have no pictures run."""

    def __init__(self, venv: Any, skip: bool = False) -> None:
        raise UnsupportedError("VecTransposeImage is not supported: pictures have to become features")
