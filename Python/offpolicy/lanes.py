"""Lanes: the environments that a model collects from, whatever they are made of, with the interface of SB3's VecEnv.

A lane is one environment. `start` and `advance` serve the training loop: they fill arrays that are allocated once.
`reset` and `step` are what scripts and callbacks call, with Stable-Baselines3's conventions.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Dict, List, Sequence, Tuple, Type

import numpy as np

from .errors import UnsupportedError
from .flatten import ActionMap, Flattener
from .vec_env import Indices, VecEnv

TERMINATED, TRUNCATED, IDLE = 1, 2, 4


class Lanes(VecEnv):
    """Base of the adaptors. N lanes, S numbers of an observation, A of an action.

    After `start`: `first` (N × S). After `advance`: `next` (N × S), the true next observations; `first` (N × S), where a
    lane's episode has ended; `rewards` (N); `flags` (N), 1 terminated, 2 truncated, 4 took no step; `infos`, a dictionary each.
    """

    #: whether `first` is known when an episode ends; else the next round begins the lane
    resets_at_once = True
    #: whether `observations` are those of now, whoever has reset and stepped the environments
    sees_all_steps = True

    def __init__(self, count: int, observation_space: Any, action_space: Any) -> None:
        super().__init__(count, observation_space, action_space)
        self.actions = ActionMap(action_space)
        self.rewards = np.zeros(count, dtype=np.float64)
        self.flags = np.zeros(count, dtype=np.uint8)
        #: whether some lane's episode has just ended
        self.has_ends = False
        self.infos: List[Dict[str, Any]] = [{} for _ in range(count)]
        #: the lanes' observations, stacked, in the environment's own types; None before the first reset
        self.observations: Any = None
        #: changes when somebody resets or steps the lanes besides the training loop
        self.epoch = 0
        self._pending: Any = None
        self.flattener: Flattener = None  # type: ignore[assignment]
        self.prepare(goals=False)
        register_with_sb3(type(self))

    def prepare(self, goals: bool) -> None:
        """Chooses the order of an observation's numbers, and allocates the arrays."""
        if self.flattener is not None and self.flattener.goals == goals:
            return
        self.flattener = Flattener(self.observation_space, goals)
        self.next = np.zeros((self.num_envs, self.flattener.size), dtype=np.float32)
        self.first = np.zeros_like(self.next)

    # ---- for the training loop

    def start(self) -> None:
        """Resets every lane."""
        raise NotImplementedError

    def advance(self, rows: np.ndarray) -> None:
        """Steps every lane with its row (N × A) of actions, and resets those whose episodes have ended."""
        raise NotImplementedError

    def write_current(self, rows: np.ndarray) -> None:
        """Writes the lanes' observations as they are now (N × S)."""
        self.flattener.write_batch(self.observations, rows)

    def resume(self, rows: np.ndarray) -> None:
        """Takes rows (N × S) for the lanes' observations: somebody says that the environments are there."""
        self.observations = self.flattener.unflatten_batch(rows)

    def statistics(self) -> Any:
        """What the lanes' numbers are normalised by before networks see them, see `given_statistics`; None: by nothing."""
        return None

    @property
    def dones(self) -> np.ndarray:
        """Whether each lane's episode has just ended (N)."""
        return (self.flags & (TERMINATED | TRUNCATED)) != 0

    def compute_goals(self, name: str, achieved: np.ndarray, desired: np.ndarray, infos: List[Any]) -> Any:
        """Calls compute_reward or compute_terminated of the first environment."""
        return self.env_method(name, achieved, desired, infos, indices=[0])[0]

    def has_method(self, name: str) -> bool:
        """Whether the environments have a method."""
        raise NotImplementedError

    # ---- Stable-Baselines3's VecEnv

    def reset(self) -> Any:
        """Resets every lane; returns their observations, stacked."""
        self.start()
        self.epoch += 1
        return self.observations

    def step_async(self, actions: Any) -> None:
        """Takes the actions of `step_wait`."""
        self._pending = actions

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Dict[str, Any]]]:
        """Steps every lane; returns observations (after resets), rewards (N), dones (N), infos."""
        if self.observations is None:
            raise UnsupportedError("call reset() before the first step()")
        self.advance(self.actions.rows(self._pending, self.num_envs))
        self.epoch += 1
        return self.observations, self.rewards.astype(np.float32), self.dones, list(self.infos)

    def env_is_wrapped(self, wrapper: Type[Any], indices: Indices = None) -> List[bool]:
        """Whether each environment has a wrapper of this class. Episodes are counted here as SB3's Monitor does."""
        return [wrapper.__name__ == "Monitor"] * len(self._chosen(indices))


def register_with_sb3(cls: type) -> None:
    """Lets SB3, where somebody imported it, take the lanes for its own vector of environments."""
    module = sys.modules.get("stable_baselines3.common.vec_env")
    if module is not None:
        module.DummyVecEnv.register(cls)


class EpisodeCounter:
    """Returns and lengths of the lanes' episodes, as SB3's Monitor writes them."""

    def __init__(self, count: int) -> None:
        self.returns = [0.0] * count
        self.lengths = [0] * count
        self.began = time.time()

    def begin(self, lane: int) -> None:
        """Starts an episode."""
        self.returns[lane], self.lengths[lane] = 0.0, 0

    def finish(self, lane: int) -> Dict[str, Any]:
        """The episode that has just ended: return, length in steps, seconds since the start."""
        return {
            "r": round(self.returns[lane], 6), "l": self.lengths[lane], "t": round(time.time() - self.began, 6)
        }  # fmt: skip


def check_spaces(environments: Sequence[Any]) -> None:
    """Refuses environments of different kinds in one vector."""
    from . import spaces

    for i, environment in enumerate(environments[1:], 1):
        for name in ("observation_space", "action_space"):
            expected, given = (spaces.describe(getattr(e, name)) for e in (environments[0], environment))
            if expected != given:
                raise UnsupportedError(
                    f"environment {i} has the {name} {spaces.summary(getattr(environment, name))}, environment 0 has "
                    f"{spaces.summary(getattr(environments[0], name))}"
                )
