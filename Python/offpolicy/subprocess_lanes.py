"""SubprocVecEnv: lanes whose environments are in a process each."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Type

import numpy as np

from . import spaces
from .errors import UnsupportedError
from .lanes import Indices
from .separate_lanes import SeparateLanes
from .worker_processes import Workers


class SubprocVecEnv(SeparateLanes):
    """Environments in a process each, which step at the same time.

    An error of an environment is raised here, with its traceback. A process that dies is an error that names it. Ctrl-C
    reaches this process alone. The processes end with `close()`, with this process, or when nobody has the vector any more.

    :param env_fns: functions that make one environment each
    :param start_method: "fork", "forkserver" or "spawn"; None: Python's default
    """

    def __init__(self, env_fns: List[Callable[[], Any]], start_method: Optional[str] = None) -> None:
        if not env_fns:
            raise UnsupportedError("SubprocVecEnv: an empty list of functions was given")
        self._workers = Workers(env_fns, start_method)
        self._all = list(range(len(env_fns)))
        try:
            facts = self._ask("facts", [None] * len(env_fns))
            for i in self._all:
                for space, expected, given in zip(("observation_space", "action_space"), facts[0], facts[i]):
                    if spaces.describe(expected) != spaces.describe(given):
                        raise UnsupportedError(
                            f"environment {i} has the {space} {spaces.named(given)}, environment 0 has "
                            f"{spaces.named(expected)}"
                        )
        except BaseException:
            self._workers.close()
            raise
        observation_space, action_space, self.metadata, self.render_mode = facts[0]
        super().__init__(len(env_fns), observation_space, action_space)

    @property
    def processes(self) -> List[Any]:
        """The processes, of multiprocessing."""
        return self._workers.processes

    def _ask(self, verb: str, requests: List[Any], indices: Optional[List[int]] = None) -> List[Any]:
        return self._workers.ask(self._all if indices is None else indices, verb, requests)

    def prepare(self, goals: bool) -> None:
        if self.flattener is None or self.flattener.goals != goals:
            super().prepare(goals)
            self._ask("prepare", [goals] * self.num_envs)

    def start(self) -> None:
        requests = list(zip(self._seeds, self._options))
        answers = self._ask("start", requests)
        self._seeds, self._options = [None] * self.num_envs, [None] * self.num_envs
        self._stacked = None
        for i, (observation, info) in enumerate(answers):
            self._current[i], self.reset_infos[i] = observation, info
            self.flattener.write(observation, self.first[i])

    def advance(self, rows: np.ndarray) -> None:
        answers = self._ask("step", [rows[i : i + 1] for i in self._all])
        self.has_ends, self._stacked = False, None
        write = self.flattener.write
        for i, (observation, reward, flag, info, begun) in enumerate(answers):
            self._current[i], self.rewards[i], self.flags[i], self.infos[i] = observation, reward, flag, info
            if begun is None:
                write(observation, self.next[i])
                continue
            self.has_ends, self.reset_infos[i] = True, begun
            write(info["terminal_observation"], self.next[i])
            write(observation, self.first[i])

    def save_each(self) -> List[Optional[Dict[str, Any]]]:
        """What is known of each environment, see `restoring`."""
        if self.observations is None or self._workers.is_closed:
            return [None] * self.num_envs
        return self._ask("save", [None] * self.num_envs)

    def restore_each(self, saved: List[Optional[Dict[str, Any]]]) -> List[bool]:
        """Puts environments back; returns which of them go on exactly. The others have been reset."""
        answers = self._ask("restore", saved)
        self._stacked = None
        for i, (_, observation) in enumerate(answers):
            self._current[i] = observation
            self.flattener.write(observation, self.first[i])
        return [exact for exact, _ in answers]

    def close(self) -> None:
        self._workers.close()

    def has_method(self, name: str) -> bool:
        return bool(self._ask("has", [name], [0])[0])

    def has_attr(self, name: str) -> bool:
        return all(self._ask("has", [name] * self.num_envs))

    def get_attr(self, name: str, indices: Indices = None) -> List[Any]:
        chosen = self._chosen(indices)
        return self._ask("get", [name] * len(chosen), chosen)

    def set_attr(self, name: str, value: Any, indices: Indices = None) -> None:
        chosen = self._chosen(indices)
        self._ask("set", [(name, value)] * len(chosen), chosen)

    def env_method(self, name: str, *arguments: Any, indices: Indices = None, **keywords: Any) -> List[Any]:
        chosen = self._chosen(indices)
        return self._ask("call", [(name, arguments, keywords)] * len(chosen), chosen)

    def env_is_wrapped(self, wrapper: Type[Any], indices: Indices = None) -> List[bool]:
        chosen = self._chosen(indices)
        return self._ask("wrapped", [wrapper] * len(chosen), chosen)
