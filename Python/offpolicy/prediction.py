"""Predictions: actions for observations, one or many."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _native, spaces
from .errors import UnsupportedError
from .flatten import ActionMap, Flattener


class RowMaps(NamedTuple):
    """From observations to rows, from rows to actions."""

    flattener: Flattener
    actions: ActionMap


def row_maps(model: Any) -> RowMaps:
    """The maps of a model's spaces."""
    lanes = model._lanes
    if lanes is not None:
        return RowMaps(lanes.flattener, lanes.actions)
    goals = model._hindsight.goals > 0 and spaces.is_goal_space(model.observation_space)
    return RowMaps(Flattener(model.observation_space, goals), ActionMap(model.action_space))


def predict(model: Any, observation: Any, deterministic: bool) -> np.ndarray:
    """Actions in the environment's units; for stacked observations stacked ones."""
    maps: RowMaps = model._actions
    flattener = maps.flattener
    if isinstance(observation, tuple) and flattener.kind != "Tuple":
        raise ValueError(
            "predict() was given a tuple, such as (observation, info) of env.reset(); give the observation alone: "
            "obs, info = env.reset(). A VecEnv's reset() returns no tuple: you may be mixing Gym API with that of VecEnv"
        )
    if observation is None:
        raise UnsupportedError("predict() was given None instead of an observation")
    count = flattener.batch_size(observation)
    rows = np.empty((1 if count is None else count, flattener.size), dtype=np.float32)
    if count is None:
        flattener.write(observation, rows[0])
    else:
        if flattener.kind == "Discrete":
            observation = np.asarray(observation).reshape(-1)
        flattener.write_batch(observation, rows)
    chosen = np.empty((len(rows), maps.actions.size), dtype=np.float32)
    if len(rows):
        handle: _native.Handle = model._policy_handle or model._learner
        handle.predict(rows, deterministic, chosen)
    actions = maps.actions.batch(chosen)
    return actions if count is not None else np.asarray(actions[0])


def values(model: Any, observation: Any, action: Any) -> np.ndarray:
    """Q (n) of observations and actions."""
    maps: RowMaps = model._actions
    if model._policy_handle is not None:
        raise UnsupportedError("a policy file has no critics: load a saved model")
    count = maps.flattener.batch_size(observation)
    rows = np.empty((count or 1, maps.flattener.size), dtype=np.float32)
    if count is None:
        maps.flattener.write(observation, rows[0])
    else:
        maps.flattener.write_batch(observation, rows)
    chosen = np.ascontiguousarray(maps.actions.rows(action, len(rows)))
    result = np.empty(len(rows), dtype=np.float32)
    learner = model._learner
    _native.check(
        _native.library().values(
            learner.handle, rows.ctypes.data, chosen.ctypes.data, len(rows), result.ctypes.data
        )
    )
    return result
