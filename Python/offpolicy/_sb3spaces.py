"""Spaces in Stable-Baselines3's files: read from the text that stands beside each pickle, written as pickles.

A description is what `spaces.describe` gives.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Dict, List, Mapping

import numpy as np

from ._sb3pickle import Call, ForeignFileError, Name

_NUMBER = re.compile(r"[-+]?(?:inf|nan|\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)|\.\.\.")
_TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def read_space(entry: Any, which: str) -> Dict[str, Any]:
    """The description of a space from its entry in `data`. `which` is "observation_space" or "action_space"."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get(":type:"), str):
        raise ForeignFileError(f"the file's {which} has no text form")
    kind = entry[":type:"].rstrip("'>").rsplit(".", 1)[-1]
    try:
        if kind == "Box":
            return _read_box(entry)
        if kind == "Discrete":
            return {"kind": kind, "n": _whole(entry["n"]), "start": _whole(entry.get("start", 0))}
        if kind == "MultiDiscrete":
            sizes = [_whole(size) for size in _numbers(entry["nvec"])]
            starts = [_whole(start) for start in _numbers(entry.get("start", "0 " * len(sizes)))]
            return {"kind": kind, "nvec": sizes, "start": starts}
        if kind == "MultiBinary":
            return {"kind": kind, "shape": [_whole(size) for size in entry["_shape"]]}
        if kind == "Dict":
            return _read_dict(entry["spaces"])
    except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError, OverflowError) as error:
        if isinstance(error, ForeignFileError):
            raise
        raise ForeignFileError(f"the text form of the file's {which} cannot be read: {error!r}") from None
    raise ForeignFileError(f"the file's {which} is of the kind {kind}, which is not supported")


def _read_box(entry: Mapping[str, Any]) -> Dict[str, Any]:
    shape = [_whole(size) for size in entry["_shape"]]
    dtype = str(entry["dtype"])
    if dtype not in _TYPES:
        raise ForeignFileError(f"a Box of the type {dtype} is not supported")
    count = int(np.prod(shape, dtype=object)) if shape else 1
    bounds: Dict[str, List[Any]] = {}
    for name in ("low", "high"):
        numbers = _numbers(entry[name])
        if "..." in numbers:
            # NumPy leaves out the middle of what is longer than 1,000
            printed = {number for number in numbers if number != "..."}
            if len(printed) != 1 or count > 10_000_000:
                raise ForeignFileError(
                    f"the file says only the first and last of {count} bounds of a Box, and they differ: give the "
                    "model an environment"
                )
            numbers = [printed.pop()] * count
        if len(numbers) != count:
            raise ForeignFileError(f"a Box of the shape {tuple(shape)} has {len(numbers)} bounds")
        bounds[name] = [_bound(number) for number in numbers]
    return {"kind": "Box", **bounds, "shape": shape, "dtype": dtype}


def _read_dict(text: Any) -> Dict[str, Any]:
    """From the text of a dictionary, such as ``{'a': Discrete(3), 'b': Box(-1.0, 1.0, (2,), float32)}``."""
    if len(str(text)) > 100_000 or str(text).count("(") + str(text).count("[") > 2000:
        raise ForeignFileError("the text form of the file's Dict space is too long")
    # NumPy prints arrays without commas
    tree = ast.parse(re.sub(r"(?<=\d)\s+(?=\d)", ", ", str(text).strip()), mode="eval").body
    # older versions print an ordered dictionary, some with pairs
    pairs: List[Any] = []
    if isinstance(tree, ast.Dict):
        pairs = list(zip(tree.keys, tree.values))
    elif isinstance(tree, ast.Call) and len(tree.args) == 1:
        (inner,) = tree.args
        if isinstance(inner, ast.Dict):
            pairs = list(zip(inner.keys, inner.values))
        elif isinstance(inner, ast.List):
            pairs = [pair.elts for pair in inner.elts]  # type: ignore[attr-defined]
    return {"kind": "Dict", "spaces": [[str(ast.literal_eval(key)), _read_part(part)] for key, part in pairs]}


def _read_part(part: Any) -> Dict[str, Any]:
    if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Name):
        raise ForeignFileError("a part of the file's Dict space cannot be read")
    kind, arguments = part.func.id, part.args
    if kind == "Box":
        low, high = (_least(argument) for argument in arguments[:2])
        shape, dtype = list(ast.literal_eval(arguments[2])), ast.unparse(arguments[3])
        count = int(np.prod(shape, dtype=object))
        if count > 10_000_000 or dtype not in _TYPES:
            raise ForeignFileError(f"a Box of the shape {tuple(shape)} and the type {dtype} is not supported")
        return {"kind": kind, "low": [low] * count, "high": [high] * count, "shape": shape, "dtype": dtype}
    if kind == "Discrete":
        start = next((ast.literal_eval(k.value) for k in part.keywords if k.arg == "start"), 0)
        return {"kind": kind, "n": int(ast.literal_eval(arguments[0])), "start": int(start)}
    if kind == "MultiDiscrete":
        sizes = [_whole(size) for size in _numbers(ast.unparse(arguments[0]))]
        return {"kind": kind, "nvec": sizes, "start": [0] * len(sizes)}
    if kind == "MultiBinary":
        size = ast.literal_eval(arguments[0])
        return {"kind": kind, "shape": [int(size)] if isinstance(size, int) else [int(i) for i in size]}
    raise ForeignFileError(f"a Dict space with a part of the kind {kind} is not supported")


def _least(argument: Any) -> Any:
    return _bound(ast.unparse(argument))


def _numbers(text: Any) -> List[str]:
    return _NUMBER.findall(str(text))


def _bound(text: str) -> Any:
    # as `spaces.describe` has it: JSON has no infinity
    return text.lstrip("+") if text.lstrip("+-") == "inf" else float(text)


def _whole(value: Any) -> int:
    number = int(value)
    if not 0 <= abs(number) < 2**31:
        raise ForeignFileError(f"{number} is no size of a space")
    return number


# ---- writing


def write_space(description: Mapping[str, Any]) -> Dict[str, Any]:
    """The entry of a space in `data`, without its pickle: its type and its text form."""
    kind = description["kind"]
    module = {"Box": "box", "Discrete": "discrete", "MultiDiscrete": "multi_discrete", "MultiBinary": "multi_binary"}
    entry: Dict[str, Any] = {":type:": f"<class 'gymnasium.spaces.{module.get(kind, kind.lower())}.{kind}'>"}
    if kind == "Box":
        with np.printoptions(threshold=10**9, floatmode="unique", precision=None):
            for name in ("low", "high"):
                entry[name] = str(_array(description, name)).replace("\n", "")
        entry.update(_shape=list(description["shape"]), dtype=description["dtype"])
    elif kind == "Discrete":
        entry.update(n=str(description["n"]), start=str(description["start"]))
    elif kind == "MultiDiscrete":
        entry.update(nvec=str(np.array(description["nvec"])), start=str(np.array(description["start"])))
    elif kind == "MultiBinary":
        entry.update(_shape=list(description["shape"]))
    elif kind == "Dict":
        entry["spaces"] = "{" + ", ".join(f"{key!r}: {_text(part)}" for key, part in description["spaces"]) + "}"
    return entry


def pickle_space(description: Mapping[str, Any]) -> Any:
    """A note that calls the space's constructor, for `_sb3pickle.write`."""
    kind = description["kind"]
    if kind == "Box":
        low, high = (_array_note(_array(description, name)) for name in ("low", "high"))
        dtype = Name("numpy", description["dtype"])
        return Call(Name("gymnasium.spaces.box", "Box"), (low, high, tuple(description["shape"]), dtype))
    if kind == "Discrete":
        arguments = (description["n"], None, description["start"])
        return Call(Name("gymnasium.spaces.discrete", "Discrete"), arguments)
    if kind == "MultiDiscrete":
        sizes = _array_note(np.array(description["nvec"], dtype=np.int64))
        return Call(Name("gymnasium.spaces.multi_discrete", "MultiDiscrete"), (sizes,))
    if kind == "MultiBinary":
        shape = list(description["shape"])
        return Call(Name("gymnasium.spaces.multi_binary", "MultiBinary"), (shape[0] if len(shape) == 1 else shape,))
    if kind == "Dict":
        pairs = [(key, pickle_space(part)) for key, part in description["spaces"]]
        ordered = Call(Name("collections", "OrderedDict"), (pairs,))
        return Call(Name("gymnasium.spaces.dict", "Dict"), (ordered,))
    raise ForeignFileError(f"Stable-Baselines3 has no spaces of the kind {kind}")


def _array(description: Mapping[str, Any], name: str) -> np.ndarray:
    numbers = np.array([float(number) for number in description[name]])
    return numbers.astype(description["dtype"]).reshape(description["shape"])


def _array_note(array: np.ndarray) -> Call:
    return Call(Name("numpy", "array"), (array.tolist(), str(array.dtype)))


def _text(description: Mapping[str, Any]) -> str:
    kind = description["kind"]
    if kind == "Box":
        low, high = _array(description, "low"), _array(description, "high")
        return f"Box({low.min()}, {high.max()}, {tuple(description['shape'])}, {description['dtype']})"
    if kind == "Discrete":
        start = description["start"]
        return f"Discrete({description['n']}{f', start={start}' if start else ''})"
    if kind == "MultiDiscrete":
        return f"MultiDiscrete({np.array(description['nvec'])})"
    return f"MultiBinary({description['shape'][0] if len(description['shape']) == 1 else list(description['shape'])})"
