"""Training in built-in environments, which the library steps itself, 50 ms at a time.

Where a callback looks at every step, it is one step at a time; the results are the same to the bit.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional

import numpy as np

from . import _native
from .callbacks import ProgressBarCallback
from .changed_arguments import have_changed
from .lanes import TERMINATED, TRUNCATED
from .training_log import count_episode
from .training_steps import fixed_locals, goes_on, set_rate

CHUNK = 50.0  # ms


def learn_natively(model: Any, total: int, watcher: Any, log_interval: Optional[int]) -> Optional[bool]:
    """Takes the steps up to `total`; False: a callback ended it; None: a callback changed something."""
    learner, lib, every = model._learner, _native.library(), model._cadence.update_every
    look = None if watcher is None or type(watcher) is ProgressBarCallback else _Look(model, watcher, log_interval)
    before_step = getattr(model, "_before_step", None)
    # schedules change at multiples of this many steps, so that bits do not depend on how long a chunk took
    grid = every * max(1, total // (1000 * every))
    has_schedules = before_step is not None or not model._has_constant_rate
    taken = int(learner.counts()[0])
    # a round that was begun is finished
    goal = model.num_timesteps + -(-(taken + max(0, total - model.num_timesteps)) // every) * every - taken
    while model.num_timesteps < goal:
        stop = goal
        if has_schedules:
            cell = model.num_timesteps // grid * grid
            stop = min(goal, cell + grid)
            if before_step is not None:
                before_step(1.0 - cell / total)
            set_rate(model, 1.0 - cell / total)
        if look is not None:
            if not look.step(every):
                return False
            if model._learner is not learner or have_changed(model):
                return None
            continue
        steps = _native.check(lib.run(learner.handle, stop - model.num_timesteps, CHUNK))
        model.num_timesteps += steps
        for record in _episodes(model):
            count_episode(model, record, None, log_interval)
        if watcher is not None:
            watcher.show()
    return True


def _episodes(model: Any) -> List[Dict[str, Any]]:
    seconds = (time.time_ns() - model.start_time) / 1e9
    return [
        {"r": record["return"], "l": record["length"], "t": round(seconds, 6)}
        for record in model._learner.json("records") if record["kind"] == "episode"
    ]  # fmt: skip


class _Look:
    """Single steps of built-in environments, with what a callback wants to see of each."""

    def __init__(self, model: Any, watcher: Any, log_interval: Optional[int]) -> None:
        self.model, self.watcher, self.log_interval = model, watcher, log_interval
        maps, count = model._actions, model.n_envs
        self.rows = np.zeros((count, maps.actions.size), dtype=np.float32)
        self.rewards = np.zeros(count, dtype=np.float64)
        self.flags = np.zeros(count, dtype=np.uint8)
        self.observations = np.zeros((count, maps.flattener.size), dtype=np.float32)
        arrays = (self.rows, self.rewards, self.flags, self.observations)
        self.addresses = [array.ctypes.data for array in arrays]
        self.fixed = fixed_locals(model, watcher, log_interval)
        self.begins = True

    def step(self, every: int) -> bool:
        """One step of all environments, its updates, and the callback; False ends training."""
        model, lib = self.model, _native.library()
        if self.begins:
            self.watcher.on_rollout_start()
        steps = _native.check(lib.run(model._learner.handle, model.n_envs, 0.0))
        model.num_timesteps += steps
        _native.check(lib.last_round(model._learner.handle, *self.addresses))
        model._round.rounds += 1
        records = _episodes(model) if (self.flags & (TERMINATED | TRUNCATED)).any() else []
        self.watcher.update_locals(self.locals(records))
        is_wanted = goes_on(self.watcher.on_step())
        for record in records:
            count_episode(model, record, None, self.log_interval)
        self.begins = model._round.rounds * model.n_envs >= every
        if self.begins:
            model._round.clear()
            if is_wanted:
                self.watcher.on_rollout_end()
        return is_wanted

    def locals(self, records: List[Dict[str, Any]]) -> Dict[str, Any]:
        """differs: where an episode ended, new_obs is its true last observation, not the next one's first."""
        model, maps = self.model, self.model._actions
        dones = (self.flags & (TERMINATED | TRUNCATED)) != 0
        # a copy: the array is written at every step
        observations = self.observations.copy()
        infos: List[Dict[str, Any]] = [{"TimeLimit.truncated": bool(flag == TRUNCATED)} for flag in self.flags]
        ended = np.flatnonzero(dones)
        # the last records are those of this step, in the order of the lanes
        for lane, record in zip(ended, records[len(records) - len(ended) :]):
            infos[lane].update(terminal_observation=observations[lane], episode=record)
        actions = maps.actions.batch(self.rows)
        return {
            **self.fixed, "num_collected_steps": model._round.rounds, "actions": actions,
            "buffer_actions": actions if maps.actions.is_discrete else maps.actions.scaled(self.rows),
            "new_obs": observations, "rewards": self.rewards.astype(np.float32), "dones": dones, "infos": infos,
        }  # fmt: skip
