"""Models made of files of other libraries: zips of Stable-Baselines3, and what CleanRL's TD3 and DDPG write."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from . import _safetensors, saving, spaces
from .errors import UnsupportedError
from .flatten import GOAL_KEYS, Flattener
from .settings import from_saved


def fill_from_foreign(
    model: Any, path: Any, members: List[str], env: Any, custom_objects: Dict[str, Any], overrides: Dict[str, Any]
) -> Any:
    """Makes an empty model what another library's file describes. Nothing in the file is run."""
    from . import _sb3zip

    read = _sb3zip.read_sb3 if "data" in members else getattr(_sb3zip, "read_cleanrl", None)
    if read is None:
        raise UnsupportedError(f"{path} is a zip, but neither a saved model of this package nor of Stable-Baselines3")
    found = read(path)
    cls = type(model)
    name = str(found.algorithm)
    if name.lower() not in (cls.algorithm, cls.__name__.lower()):
        raise UnsupportedError(f"the file holds a model of {name}: use {name.upper()}.load")
    given = from_saved(cls, {key: value for key, value in found.settings.items() if key in cls._argument_names()})
    given.update({key: value for key, value in custom_objects.items() if key in given})
    given.update(overrides)
    observations, actions = (
        spaces.from_description(spaces.describe(space)) for space in (found.observation_space, found.action_space)
    )
    policy = "MultiInputPolicy" if spaces.kind(observations) == "Dict" else "MlpPolicy"
    count = int(found.settings.get("n_envs", 1)) if env is None else 1
    saving.assemble(model, given, env, policy, observations, actions, count, None)
    model.num_timesteps = int(found.settings.get("num_timesteps", 0))
    tensors = {name: np.asarray(values) for name, values in found.tensors.items()}
    order = goal_order(model)
    if order is not None:
        tensors = reordered(tensors, order)
    model._learner.give("set_parameters", _safetensors.encode(tensors))
    return model


def goal_order(model: Any) -> Any:
    """Where the library's numbers of an observation are in SB3's order of its parts; None where both are the same.

    SB3 joins the parts of a Dict by their names; with hindsight the library wants observation, achieved and desired goal.
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
