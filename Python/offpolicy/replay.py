"""The replay buffer as its transitions: copies for whoever wants to look at them."""

from __future__ import annotations

import copy
from typing import Any, Dict

import numpy as np

from . import _safetensors


class ReplayBuffer:
    """What a model's replay buffer holds, oldest first, lane after lane, n transitions.

    observations (n × S), actions (n × A, in the environment's units), rewards (n), next_observations (n × S), dones (n),
    timeouts (n). Reading one of them copies them all, once for each state of the buffer.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._arrays: Dict[str, np.ndarray] = {}
        self._step = -1

    @property
    def buffer_size(self) -> int:
        """Transitions that fit."""
        return int(self._model._learner.counts()[4])

    @property
    def n_envs(self) -> int:
        """Environments that fill it."""
        return int(self._model._learner.counts()[5])

    @property
    def full(self) -> bool:
        """Whether old transitions have to go for new ones."""
        return self.size() >= self.buffer_size

    @property
    def pos(self) -> int:
        """Where the next transition would go in a buffer that is filled from its start."""
        return int(self._model._learner.counts()[0]) % max(1, self.buffer_size)

    @property
    def device(self) -> Any:
        """Where it is: in the processor's memory."""
        return self._model.device

    @property
    def n_steps(self) -> int:
        """Steps of a return."""
        return self._model.n_steps

    @property
    def gamma(self) -> float:
        """Discount of a return."""
        return self._model.gamma

    def size(self) -> int:
        """Transitions that it holds."""
        return int(self._model._learner.counts()[3])

    def __len__(self) -> int:
        return self.size()

    def _read(self, name: str) -> np.ndarray:
        step = int(self._model._learner.counts()[0])
        if step != self._step or not self._arrays:
            self._arrays, _ = _safetensors.decode(self._model._learner.result("transitions"))
            self._step = step
        return self._arrays[name]

    @property
    def observations(self) -> Any:
        """s (n × S); a dictionary of parts where observations are one"""
        return self._in_parts(self._read("observations"))

    @property
    def next_observations(self) -> Any:
        """s′ (n × S), the true ones also where an episode ended; a dictionary of parts where observations are one"""
        return self._in_parts(self._read("next_observations"))

    def _in_parts(self, rows: np.ndarray) -> Any:
        flattener = self._model._actions.flattener
        return flattener.unflatten_batch(rows) if flattener.kind == "Dict" else rows

    @property
    def actions(self) -> np.ndarray:
        """a (n × A), in the environment's units"""
        return self._read("actions")

    @property
    def rewards(self) -> np.ndarray:
        """r (n)"""
        return self._read("rewards")

    @property
    def terminated(self) -> np.ndarray:
        """Whether the episode ended for good (n)."""
        return self._read("terminated") != 0

    @property
    def timeouts(self) -> np.ndarray:
        """Whether the episode was cut (n)."""
        return (self._read("truncated") != 0) & ~self.terminated

    @property
    def dones(self) -> np.ndarray:
        """Whether the episode ended, one way or the other (n)."""
        return self.terminated | (self._read("truncated") != 0)

    def __deepcopy__(self, memo: Dict[int, Any]) -> "FrozenReplayBuffer":
        return FrozenReplayBuffer(self)


class FrozenReplayBuffer:
    """The transitions of a replay buffer at one moment."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        names = ("observations", "next_observations", "actions", "rewards", "terminated", "timeouts", "dones")
        for name in names:
            setattr(self, name, copy.deepcopy(getattr(buffer, name)))
        self.buffer_size, self.n_envs, self.pos, self.full = buffer.buffer_size, buffer.n_envs, buffer.pos, buffer.full

    def size(self) -> int:
        """Transitions that it holds."""
        return len(self.rewards)  # type: ignore[attr-defined]
