"""Parameters by name, out of a model and into it."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from . import _safetensors
from .tensors import as_array, as_used

OBJECTS = ("policy", "optimizer")


def get(model: Any) -> Dict[str, Dict[str, Any]]:
    """Copies of all parameters: tensors where the program has imported PyTorch, else arrays."""
    return {which: {name: as_used(value) for name, value in values.items()} for which, values in _all(model).items()}


def _all(model: Any) -> Dict[str, Dict[str, np.ndarray]]:
    tensors, _ = _safetensors.decode(model._learner.result("parameters"))
    found: Dict[str, Dict[str, np.ndarray]] = {name: {} for name in OBJECTS}
    for name, values in tensors.items():
        found[_object_of(name)][name] = values
    return found


def set(model: Any, given: Any, exact_match: bool) -> None:  # noqa: A001  called parameters.set
    """Sets parameters; with `exact_match` all of them."""
    if not isinstance(given, dict):
        from . import saving

        given = saving.parameters_of(model, given)
    for name in given:
        if name not in OBJECTS:
            raise ValueError(f"there are no parameters of {name!r}; there are those of {' and '.join(OBJECTS)}")
    if exact_match:
        check(model, given, list(OBJECTS))
    tensors: Dict[str, np.ndarray] = {}
    known = _all(model)
    for which, values in given.items():
        for name, value in values.items():
            if name not in known[which]:
                raise ValueError(f"there is no parameter {name!r} in {which!r}")
            expected = known[which][name]
            array = as_array(value)
            if array.shape != expected.shape:
                raise ValueError(f"{name} has the shape {expected.shape}, one of the shape {array.shape} was given")
            tensors[name] = array.astype(expected.dtype)
    model._learner.give("set_parameters", _safetensors.encode(tensors))


def check(model: Any, given: Dict[str, Any], names: List[str]) -> None:
    """Raises where a parameter is missing or too much."""
    known = _all(model)
    if sorted(given) != sorted(names):
        raise ValueError(f"expected the parameters of {', '.join(names)}, got those of {', '.join(given) or 'nothing'}")
    for which in names:
        missing = [name for name in known[which] if name not in given[which]]
        if missing:
            raise RuntimeError(f"{len(missing)} parameters of {which!r} are missing, such as {missing[0]}")


def _object_of(name: str) -> str:
    return "optimizer" if "optimizer" in name or name.startswith("count.") else "policy"
