"""A constructor's arguments as JSON, and back."""

from __future__ import annotations

import enum
import inspect
import os
import warnings
from typing import Any, Dict, Iterable

import numpy as np

from . import noise, schedules


def to_saved(model: Any, left_out: Iterable[str]) -> Dict[str, Any]:
    """The arguments that a model was made with, as they are now."""
    saved: Dict[str, Any] = {}
    for name in type(model)._argument_names():
        try:
            if name not in left_out:
                saved[name] = _to_json(name, getattr(model, name))
        except TypeError as error:
            warnings.warn(f"the argument {name} is not saved: {error}; load(…, {name}=…) sets it", UserWarning, stacklevel=6)
    if "action_noise" in saved and model._noise_in_python and noise.noise_state(model.action_noise) is None:
        warnings.warn(
            f"the state of the action noise, a {type(model.action_noise).__name__}, is not saved: a run that goes on from the "
            "file draws other noise; offpolicy.common.noise has classes whose state is saved",
            UserWarning,
            stacklevel=6,
        )
    return saved


def from_saved(cls: Any, saved: Dict[str, Any]) -> Dict[str, Any]:
    """Arguments for a class; those that were not saved have their defaults."""
    given: Dict[str, Any] = {}
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if name in cls._argument_names():
            given[name] = _from_json(cls, name, saved[name]) if name in saved else parameter.default
    return given


def _to_json(name: str, value: Any) -> Any:
    if name == "learning_rate" and value is not None:
        return schedules.to_json(value)
    if name == "action_noise":
        return _noise_to_json(value)
    if isinstance(value, dict):
        return {key: _to_json(key, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json("", item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return str(value) if name == "device" else value
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, type) or name == "activation_fn":
        # such as ReLU and HerReplayBuffer
        return value.__name__
    raise TypeError(f"it has a {type(value).__name__}, which JSON cannot hold")


def _from_json(cls: Any, name: str, value: Any) -> Any:
    if name == "learning_rate":
        if isinstance(value, dict) and "function" in value:
            default = inspect.signature(cls.__init__).parameters[name].default
            warnings.warn(
                f"the learning rate was the function {value['function']}, which is not saved; it is {default} now: "
                "load(…, learning_rate=…) sets it",
                UserWarning,
                stacklevel=6,
            )
            return default
        return schedules.from_json(value, 0.0)
    if name == "action_noise":
        return _noise_from_json(value)
    if name == "train_freq" and isinstance(value, list):
        return tuple(value)
    return value


_NOISE_FIELDS = {
    "NormalActionNoise": {"mean": "_mu", "sigma": "_sigma"},
    "OrnsteinUhlenbeckActionNoise": {
        "mean": "_mu", "sigma": "_sigma", "theta": "_theta", "dt": "_dt", "initial_noise": "initial_noise",
    },
}  # fmt: skip


def _noise_to_json(value: Any) -> Any:
    if value is None:
        return None
    name = type(value).__name__
    if name == "VectorizedActionNoise":
        base = _noise_to_json(value.base_noise)
        return {"class": name, "base_noise": base, "n_envs": value.n_envs, "state": noise.noise_state(value)}
    if name not in _NOISE_FIELDS:
        return {"class": name}
    fields = {key: getattr(value, attribute) for key, attribute in _NOISE_FIELDS[name].items()}
    fields = {key: field.tolist() if hasattr(field, "tolist") else field for key, field in fields.items()}
    return {"class": name, **fields, "state": noise.noise_state(value)}


def _noise_from_json(value: Any) -> Any:
    if value is None:
        return None
    fields = {key: item for key, item in value.items() if key not in ("class", "state")}
    if value["class"] == "VectorizedActionNoise":
        base = _noise_from_json(fields["base_noise"])
        if base is None:
            return None
        made: Any = noise.VectorizedActionNoise(base, fields["n_envs"])
        noise.set_noise_state(made, value.get("state") or [])
        return made
    if value["class"] not in _NOISE_FIELDS:
        warnings.warn(
            f"the action noise was a {value['class']}, which is not saved: load(…, action_noise=…) sets it",
            UserWarning,
            stacklevel=7,
        )
        return None
    fields = {key: np.asarray(item) if isinstance(item, list) else item for key, item in fields.items()}
    made = getattr(noise, value["class"])(**fields)
    noise.set_noise_state(made, value.get("state"))
    return made
