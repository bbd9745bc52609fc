"""Values as JSON, and back with the same types: numbers, texts, arrays, and lists, tuples, queues and dictionaries of them."""

from __future__ import annotations

import base64
from collections import deque
from typing import Any

import numpy as np

#: numbers of the largest array
LARGEST = 1 << 20
_KEYS = {name: f"offpolicy.{name}" for name in ("array", "scalar", "tuple", "deque")}


def pack(value: Any) -> Any:
    """A value as JSON; raises TypeError where it is of another kind."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf" and value.size <= LARGEST:
        content = base64.b64encode(value.tobytes()).decode()
        if isinstance(value, np.generic):
            return {_KEYS["scalar"]: value.dtype.str, "bytes": content}
        return {_KEYS["array"]: value.dtype.str, "shape": list(value.shape), "bytes": content}
    if type(value) is list:
        return [pack(part) for part in value]
    if type(value) is tuple:
        return {_KEYS["tuple"]: [pack(part) for part in value]}
    if type(value) is deque:
        return {_KEYS["deque"]: [pack(part) for part in value], "maximum": value.maxlen}
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: pack(part) for key, part in value.items()}
    raise TypeError(f"a value is a {type(value).__name__}, expected numbers, texts, arrays, lists or dictionaries")


def unpack(packed: Any) -> Any:
    """The value that `pack` made JSON of."""
    if isinstance(packed, list):
        return [unpack(part) for part in packed]
    if not isinstance(packed, dict):
        return packed
    if _KEYS["array"] in packed:
        values = np.frombuffer(base64.b64decode(packed["bytes"]), np.dtype(packed[_KEYS["array"]]))
        return values.reshape(packed["shape"]).copy()
    if _KEYS["scalar"] in packed:
        return np.frombuffer(base64.b64decode(packed["bytes"]), np.dtype(packed[_KEYS["scalar"]]))[0]
    if _KEYS["tuple"] in packed:
        return tuple(unpack(part) for part in packed[_KEYS["tuple"]])
    if _KEYS["deque"] in packed:
        return deque((unpack(part) for part in packed[_KEYS["deque"]]), packed["maximum"])
    return {key: unpack(part) for key, part in packed.items()}
