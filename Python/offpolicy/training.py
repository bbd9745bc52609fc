"""learn(): the loop of steps and updates, in the order of Stable-Baselines3.

A round is `train_freq` steps of all environments, or episodes, and the updates that follow. Python owns the loop where
environments are Python's: an interrupt takes effect within one step, an environment's exception passes through untouched.
Built-in environments are stepped by the library, 50 ms at a time, or step by step where a callback looks at every step.

differs: a step is stored before the callback sees it, not after, so that a model that a callback saves is whole; where a
callback ends training, the updates that are owed are made when training goes on.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections import deque
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from . import _native, arguments
from .callbacks import make_callback
from .changed_arguments import have_changed, take_changed_arguments
from .errors import UnsupportedError
from .lanes import IDLE, TERMINATED, TRUNCATED
from .logger import logger_of_run
from .native_training import learn_natively
from .noise import reset_noise
from .replay import flush
from .restoring import restore_lanes
from .training_log import count_episode, dump_logs, record_metrics
from .training_steps import Round, fixed_locals, goes_on, set_rate


def learn(
    model: Any, total_timesteps: int, callback: Any, log_interval: Optional[int], tb_log_name: str,
    reset_num_timesteps: bool, progress_bar: bool,
) -> Any:  # fmt: skip
    """Trains; returns the model."""
    if model._policy_handle is not None:
        raise UnsupportedError("this model was loaded from a policy file, which has no critics: it cannot learn")
    if model._lanes is None and not model._steps_natively:
        raise UnsupportedError("the model has no environment: give it one with set_env(), or load(path, env=…)")
    if log_interval == 0:
        raise ValueError("log_interval=0: it is a number of episodes from 1, or None for no log")
    take_changed_arguments(model)
    if model.lr_schedule(1.0) > 1:
        raise UnsupportedError(f"learning_rate={model.lr_schedule(1.0):g} is not supported: Adam's rate is at most 1")
    flush(getattr(model, "replay_buffer", None))
    given = dict(
        self=model, total_timesteps=total_timesteps, log_interval=log_interval, tb_log_name=tb_log_name,
        reset_num_timesteps=reset_num_timesteps, progress_bar=progress_bar,
    )  # fmt: skip
    total = _begin(model, int(total_timesteps), tb_log_name, reset_num_timesteps)
    watcher = make_callback(callback, progress_bar)
    given.update(total_timesteps=total, callback=watcher)
    if watcher is not None:
        watcher.init_callback(model)
        watcher.on_training_start(given, globals())
    while True:
        take_steps = learn_natively if model._steps_natively else _learn_driven
        if take_steps(model, total, watcher, log_interval) is not None:
            break
        take_changed_arguments(model)
        if not model._steps_natively:
            _begin_lanes(model)
    model._current_progress_remaining = 1.0 - model.num_timesteps / max(1, total)
    record_metrics(model)
    if watcher is not None:
        watcher.on_training_end()
    return model


def _begin(model: Any, total: int, name: str, reset: bool) -> int:
    model.start_time = time.time_ns()
    if reset:
        model.ep_info_buffer = deque(maxlen=model.stats_window_size)
        model.ep_success_buffer = deque(maxlen=model.stats_window_size)
        model.num_timesteps, model._episode_num = 0, 0
        model._must_reset, model._saved_lanes = True, None
        model._round.clear()
    else:
        total += model.num_timesteps
    model._total_timesteps = total
    model._num_timesteps_at_start = model.num_timesteps
    if not model._custom_logger:
        model._logger = logger_of_run(model.verbose, model.tensorboard_log, name, reset)
    if not model._steps_natively:
        _begin_lanes(model)
    return total


def _begin_lanes(model: Any) -> None:
    """Tells the library where the lanes are, where it does not know."""
    lanes, lib, handle = model._lanes, _native.library(), model._learner.handle
    are_anothers = model._take_lanes()
    if not model._must_reset and lanes.observations is not None and model._epoch == lanes.epoch and not are_anothers:
        return
    exact: List[bool] = [False] * lanes.num_envs
    if model._saved_lanes is not None:
        exact = restore_lanes(lanes, model._saved_lanes)
        rows, model._saved_lanes = lanes.first, None
    elif model._must_reset or are_anothers or lanes.observations is None or _must_start(model, lanes):
        lanes.start()
        rows = lanes.first
    else:
        rows = np.empty_like(lanes.first)
        lanes.write_current(rows)
    for lane in range(lanes.num_envs):
        if not exact[lane]:
            _native.check(lib.abandon(handle, lane))
            _begin_lane(model, lane, rows)
            if model._noise_in_python:
                reset_noise(model.action_noise, lane)
    model._must_reset, model._epoch = False, lanes.epoch


def _must_start(model: Any, lanes: Any) -> bool:
    # −1: nobody moved them, the library has to be told anew
    are_elsewhere = not lanes.sees_all_steps and model._epoch not in (-1, lanes.epoch)
    # an episode cannot begin with the last observation of another one
    return are_elsewhere or not lanes.resets_at_once and bool(lanes.has_ended.any())


def _begin_lane(model: Any, lane: int, rows: np.ndarray) -> None:
    size = rows.shape[1]
    _native.check(_native.library().begin(model._learner.handle, lane, rows[lane].ctypes.data, size))


# ---- environments in Python


def _learn_driven(model: Any, total: int, watcher: Any, log_interval: Optional[int]) -> Optional[bool]:
    """Takes the steps up to `total`; False: a callback ended it; None: a callback moved the environments, or changed something."""
    lanes, learner, collected = model._lanes, model._learner, model._round
    lib, handle, count = _native.library(), learner.handle, lanes.num_envs
    rows = np.zeros((count, lanes.actions.size), dtype=np.float32)
    rewards, flags, following, first = lanes.rewards, lanes.flags, lanes.next, lanes.first
    # taken once: an address costs more than a call
    number, lane_count = ctypes.c_int64(handle), ctypes.c_int64(count)
    chosen = _native.prepared(rows) + (ctypes.c_int64(rows.size),)
    addresses = _native.prepared(rewards, flags, following, first if lanes.resets_at_once else None)
    act, observe_all, learn_owed, advance = lib.act, lib.observe_all, lib.learn, lanes.advance
    is_plain = model._cadence.by_library and model._has_constant_rate
    fixed = fixed_locals(model, watcher, log_interval) if watcher is not None else {}
    resets_at_once, frequency = lanes.resets_at_once, model.train_freq.frequency
    by_episode = model.train_freq.unit == "episode"
    noise = model.action_noise if model._noise_in_python else None
    before_step = getattr(model, "_before_step", None)
    ended = TERMINATED | TRUNCATED
    timeouts_are_ends = arguments.timeouts_are_ends(model.replay_buffer_kwargs)
    statistics = _statistics(model)
    is_simple = is_plain and watcher is None and noise is None and before_step is None and resets_at_once
    is_simple = is_simple and not by_episode and frequency == 1 and not timeouts_are_ends
    while True:
        if (collected.episodes if by_episode else collected.rounds) >= frequency:
            if watcher is not None:
                watcher.on_rollout_end()
            if is_plain and not collected.is_restored:
                if learn_owed(number) < 0:
                    _fail(model)
                collected.clear()
            else:
                _update(model)
        if collected.rounds == 0:
            if model.num_timesteps >= total:
                return True
            if is_simple:
                return _learn_in_one_call(model, total, log_interval, rows, statistics)
            if watcher is not None:
                watcher.on_rollout_start()
        if before_step is not None:
            before_step(1.0 - model.num_timesteps / total)
        if resets_at_once or (flags & ended == 0).any():
            if act(number, *chosen) < 0:
                _native.check(-1)
            if noise is not None:
                _add_noise(lanes, rows, noise)
                _native.check(lib.replace_actions(number, *chosen))
        # until the library knows of the step, the lanes are somewhere else than it thinks
        model._must_reset = True
        advance(rows)
        if timeouts_are_ends and lanes.has_ends:
            flags[flags == TRUNCATED] = TERMINATED
        if statistics is not None:
            statistics.give(learner)
        if observe_all(number, *addresses, lane_count) < 0:
            _native.check(-1)
        steps = count
        if not resets_at_once:
            for lane in np.flatnonzero(flags == IDLE):
                _begin_lane(model, lane, first)
                steps -= 1
        model._must_reset = False
        model.num_timesteps += steps
        collected.rounds += 1
        collected.steps += steps
        if lanes.has_ends:
            collected.episodes += int(((flags & ended) != 0).sum())
        # a callback may evaluate in the same environments
        ends = _ends(lanes) if lanes.has_ends else ()
        if noise is not None:
            for lane, _ in ends:
                reset_noise(noise, lane)
        if watcher is not None:
            watcher.update_locals({**fixed, **_locals(model, rows)})
            if not goes_on(watcher.on_step()):
                return False
        if ends:
            _count_episodes(model, ends, log_interval)
        if watcher is not None and _has_moved(model, lanes, learner):
            return None


def _has_moved(model: Any, lanes: Any, learner: Any) -> bool:
    """Whether somebody has moved or changed the environments, or an argument of the model, since the last step."""
    is_other = model._lanes is not lanes or model._learner is not learner
    return is_other or model._must_reset or model._epoch != lanes.epoch or have_changed(model)


def _statistics(model: Any) -> Any:
    """What the model's environments are normalised by, given to the library once; None: nothing is."""
    statistics = model._lanes.statistics()
    if statistics is None:
        model._learner.set_normalization([], 0, 1.0, math.inf)
    else:
        statistics.give(model._learner)
    return statistics


def _learn_in_one_call(
    model: Any, total: int, log_interval: Optional[int], rows: np.ndarray, statistics: Any
) -> bool:  # fmt: skip
    """Rounds of one step, where nothing comes between observing, learning and acting: those are one call of the library."""
    lanes, collected, lib = model._lanes, model._round, _native.library()
    learner, count, advance, take_round = model._learner, lanes.num_envs, lanes.advance, lib.round
    outcome = _native.prepared(lanes.rewards, lanes.flags, lanes.next, lanes.first) + (ctypes.c_int64(count),)
    actions = _native.prepared(rows) + (ctypes.c_int64(rows.size),)
    number = ctypes.c_int64(learner.handle)
    steps = model.num_timesteps
    # steps that the library counts and this loop does not: those before num_timesteps was set to 0
    others = int(learner.counts()[0]) - steps
    _native.check(lib.act(number, *actions))
    while True:
        # until the library knows of the step, the lanes are somewhere else than it thinks
        model._must_reset = True
        advance(rows)
        if statistics is not None:
            statistics.give(learner)
        if not lanes.has_ends and steps + count < total:
            if take_round(number, *outcome, *actions) < 0:
                _fail_in_round(model, steps + others, count)
            model._must_reset = False
            model.num_timesteps = steps = steps + count
            continue
        # the log of an episode that ends, and the last step: call by call
        _native.check(lib.observe_all(number, *outcome))
        model._must_reset = False
        model.num_timesteps = steps = steps + count
        collected.rounds, collected.steps = 1, count
        if lanes.has_ends:
            _count_episodes(model, _ends(lanes), log_interval)
        if lib.learn(number) < 0:
            _fail(model)
        collected.clear()
        if steps >= total:
            return True
        _native.check(lib.act(number, *actions))


def _fail_in_round(model: Any, before: int, count: int) -> None:
    """Raises what a round failed of, after `before` steps of the library. The round's own may have been taken."""
    text = _native.error_text()
    if int(model._learner.counts()[0]) > before:
        model._must_reset = False
        model.num_timesteps += count
    if model._goal_function is not None:
        model._goal_function.raise_error()
    raise _native.NativeError(text)


def _add_noise(lanes: Any, rows: np.ndarray, noise: Any) -> None:
    drawn = np.asarray(noise(), dtype=np.float32)
    # one number may stand for all of an action
    drawn = drawn.reshape(len(rows), -1) if drawn.size >= len(rows) else drawn.reshape(-1)
    scaled = lanes.actions.scaled(rows) + drawn
    rows[...] = lanes.actions.unscaled(np.clip(scaled, -1, 1))


def _update(model: Any) -> None:
    """The updates of a round."""
    learner, collected = model._learner, model._round
    model._current_progress_remaining = 1.0 - model.num_timesteps / max(1, model._total_timesteps)
    set_rate(model, model._current_progress_remaining)
    before_updates = getattr(model, "_before_updates", None)
    if before_updates is not None:
        before_updates(collected.steps)
    result = 0
    if collected.is_restored:
        result = _native.library().update(learner.handle, _owed(model))
    elif model._cadence.by_library:
        result = _native.library().learn(learner.handle)
    elif model.num_timesteps > model.learning_starts and model.gradient_steps != 0:
        updates = collected.steps if model.gradient_steps < 0 else model.gradient_steps
        result = _native.library().update(learner.handle, updates)
    if result < 0:
        _fail(model)
    collected.clear()


def _fail(model: Any) -> None:
    """Raises what the last call of the library failed of."""
    if model._goal_function is not None:
        model._goal_function.raise_error()
    _native.check(-1)


def _owed(model: Any) -> int:
    """The updates that steps from before a restart owe: the library has forgotten where the round began."""
    collected, (_, every, ratio) = model._round, model._cadence
    step = int(model._learner.counts()[0])
    if not model._cadence.by_library:
        wanted = collected.steps if model.gradient_steps < 0 else model.gradient_steps
        return wanted if model.num_timesteps > model.learning_starts else 0
    first, last = (step - collected.steps) // every * every, step // every * every
    return int(last * ratio) - int(first * ratio) if step > model.learning_starts else 0


def _locals(model: Any, rows: np.ndarray) -> Dict[str, Any]:
    lanes, collected = model._lanes, model._round
    actions = lanes.actions.batch(rows)
    return {
        "num_collected_steps": collected.rounds, "num_collected_episodes": collected.episodes, "actions": actions,
        "buffer_actions": actions if lanes.actions.is_discrete else lanes.actions.scaled(rows),
        "new_obs": lanes.observations, "rewards": lanes.rewards.astype(np.float32), "dones": lanes.dones,
        "infos": lanes.infos,
    }  # fmt: skip


def _ends(lanes: Any) -> List[Tuple[int, Dict[str, Any]]]:
    """The lanes whose episodes have just ended, and their infos."""
    return [(int(lane), lanes.infos[lane]) for lane in np.flatnonzero(lanes.flags & (TERMINATED | TRUNCATED))]


def _count_episodes(model: Any, ends: Any, log_interval: Optional[int]) -> None:
    for _, info in ends:
        count_episode(model, info.get("episode"), info.get("is_success"), log_interval)


__all__ = ["Round", "dump_logs", "learn"]
