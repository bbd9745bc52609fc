"""Models made of files of other libraries, and written as such: Stable-Baselines3, and CleanRL's TD3 and DDPG."""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Optional

import numpy as np

from . import _safetensors, _sb3zip, saving, spaces
from .errors import UnsupportedError
from .flatten import GOAL_KEYS, Flattener
from .settings import from_saved, to_saved
from .temperature import keeping_temperature
from .vectors import make_lanes


def fill_from_foreign(
    model: Any, path: Any, members: List[str], env: Any, custom_objects: Dict[str, Any], overrides: Dict[str, Any]
) -> Any:
    """Makes an empty model what another library's file describes. Nothing in the file is run."""
    found = _sb3zip.read_sb3(path) if "data" in members else _sb3zip.read_cleanrl(path)
    cls = type(model)
    if found.algorithm != cls.algorithm:
        raise UnsupportedError(
            f"the file holds a model of {found.algorithm.upper()}: use {found.algorithm.upper()}.load"
        )
    given = from_saved(cls, {key: value for key, value in found.settings.items() if key in cls._argument_names()})
    saved_temperature = given.get("ent_coef")
    given.update({key: value for key, value in custom_objects.items() if key in given})
    given.update(overrides)
    for note in found.notes:
        warnings.warn(f"{path}: {note}", UserWarning, stacklevel=4)
    observations, actions = (
        spaces.from_description(description) for description in (found.observation_space, found.action_space)
    )
    if env is not None:
        env, _ = make_lanes(env, 1, given.get("environment_options") if isinstance(env, str) else None)
        observations = _the_environments_own(observations, env.observation_space, has_bounds="data" in members)
        actions = _the_environments_own(actions, env.action_space)
    policy = "MultiInputPolicy" if spaces.kind(observations) == "Dict" else "MlpPolicy"
    saving.assemble(model, given, env, policy, observations, actions, 1, None)
    model.num_timesteps, model._episode_num = found.num_timesteps, found.episodes
    tensors = found.tensors
    order = goal_order(model)
    if order is not None:
        tensors = reordered(tensors, order)
    with keeping_temperature(model, given.get("ent_coef") != saved_temperature):
        model._learner.give("set_parameters", _safetensors.encode(tensors))
    return model


def write_sb3(model: Any, path: Any) -> None:
    """Writes a model as a zip that Stable-Baselines3 opens."""
    if model.algorithm not in ("sac", "td3", "ddpg", "dqn"):
        raise UnsupportedError(f"Stable-Baselines3 has no {type(model).__name__}; save() writes our own file")
    for name in ("policyActivation", "criticActivation"):
        if name in model.configuration:
            raise UnsupportedError(f"configuration: {name} has no place in Stable-Baselines3's file; use activation_fn")
    tensors, _ = _safetensors.decode(model._learner.result("parameters"))
    order = goal_order(model)
    if order is not None:
        tensors = reordered(tensors, np.argsort(order))
    rate = getattr(model, "learning_rate", None)
    settings = {
        **to_saved(model, ()),
        "learning_rate": rate(model._current_progress_remaining) if callable(rate) else rate,
    }
    _sb3zip.write_sb3(
        _sb3zip.SB3Model(
            model.algorithm, tensors, settings, spaces.describe(model.observation_space),
            spaces.describe(model.action_space), model.num_timesteps, model._episode_num,
            # also those before a file was read
            int(tensors["count.updates"][0]),
        ),
        path,
    )  # fmt: skip


def _the_environments_own(read: Any, environments: Any, has_bounds: bool = True) -> Any:
    """The environment's space where the file's is the same but for what a text does not say: digits beyond the eighth,
    and all bounds of observations in CleanRL's files."""
    if spaces.kind(read) != "Box" or spaces.kind(environments) != "Box":
        return read
    if not has_bounds:
        return environments if int(np.prod(environments.shape)) == read.shape[0] else read
    if read.shape != environments.shape or read.dtype != environments.dtype:
        return read
    bounds = ((getattr(space, name) for space in (read, environments)) for name in ("low", "high"))
    return environments if all(np.allclose(*pair, rtol=1e-6, atol=1e-8) for pair in bounds) else read


def goal_order(model: Any) -> Optional[np.ndarray]:
    """Where the library's numbers of an observation are in SB3's order of its parts; None where both are the same.

    SB3 joins the parts of a Dict by their names; with hindsight the library wants observation, achieved and desired
    goal.
    """
    flattener = model._actions.flattener
    if not flattener.goals:
        return None
    space, at, places = model.observation_space, 0, {}
    for key, part in space.spaces.items():
        size = Flattener(part).size
        places[key] = list(range(at, at + size))
        at += size
    return np.array(sum((places[key] for key in GOAL_KEYS), []), dtype=np.int64)


def reordered(tensors: Dict[str, np.ndarray], order: np.ndarray) -> Dict[str, np.ndarray]:
    """Tensors whose first layers take an observation's numbers in another order; actions, which follow, stay."""
    changed = dict(tensors)
    for name, values in tensors.items():
        if name.endswith("layer.0.weight") and values.ndim == 2 and values.shape[1] >= len(order):
            columns = np.concatenate([order, np.arange(len(order), values.shape[1])])
            changed[name] = np.ascontiguousarray(values[:, columns])
    return changed
