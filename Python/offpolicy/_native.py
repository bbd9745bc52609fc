"""The C library: found, loaded, its functions as integers in and out, its errors as exceptions.

Every function of `offpolicy.h` returns a number of at least 0, or -1 and a sentence. Addresses of arrays are taken once,
by whoever owns the arrays, and passed as integers: that costs 1 to 2 µs a call.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import weakref
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from .errors import NativeError

_ADDRESS = ctypes.c_void_p
_WHOLE = ctypes.c_int64
_REAL = ctypes.c_double

GOAL_FUNCTION = ctypes.CFUNCTYPE(_WHOLE, _ADDRESS, _ADDRESS, _WHOLE, _ADDRESS, _ADDRESS)

# name: types of the arguments
_FUNCTIONS: Dict[str, List[Any]] = {
    "version": [],
    "error": [_ADDRESS, _WHOLE],
    "result": [_ADDRESS, _WHOLE],
    "describe": [],
    "learner_make": [_ADDRESS, _WHOLE],
    "policy_open": [_ADDRESS, _WHOLE],
    "close": [_WHOLE],
    "begin": [_WHOLE, _WHOLE, _ADDRESS, _WHOLE],
    "act": [_WHOLE, _ADDRESS, _WHOLE],
    "replace_actions": [_WHOLE, _ADDRESS, _WHOLE],
    "observe": [_WHOLE, _WHOLE, _REAL, _WHOLE, _WHOLE, _ADDRESS, _WHOLE],
    "observe_all": [_WHOLE, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, _WHOLE],
    "round": [_WHOLE, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, _WHOLE, _ADDRESS, _WHOLE],
    "abandon": [_WHOLE, _WHOLE],
    "learn": [_WHOLE],
    "update": [_WHOLE, _WHOLE],
    "run": [_WHOLE, _WHOLE, _REAL],
    "last_round": [_WHOLE, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS],
    "counts": [_WHOLE, _ADDRESS, _WHOLE],
    "predict": [_WHOLE, _ADDRESS, _WHOLE, _WHOLE, _ADDRESS],
    "values": [_WHOLE, _ADDRESS, _ADDRESS, _WHOLE, _ADDRESS],
    "metrics": [_WHOLE],
    "records": [_WHOLE],
    "set": [_WHOLE, _ADDRESS, _WHOLE, _REAL],
    "get": [_WHOLE, _ADDRESS, _WHOLE, _ADDRESS],
    "set_goal_function": [_WHOLE, _ADDRESS],
    "set_normalization": [_WHOLE, _ADDRESS, _ADDRESS, _ADDRESS, _WHOLE, _REAL, _REAL],
    "state": [_WHOLE],
    "restore": [_WHOLE, _ADDRESS, _WHOLE],
    "restart_streams": [_WHOLE],
    "replay": [_WHOLE],
    "restore_replay": [_WHOLE, _ADDRESS, _WHOLE],
    "transitions": [_WHOLE],
    "add_transitions": [_WHOLE, _WHOLE, _WHOLE, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS],
    "parameters": [_WHOLE],
    "set_parameters": [_WHOLE, _ADDRESS, _WHOLE],
    "policy": [_WHOLE],
    "digest": [_WHOLE],
    "environment_make": [_ADDRESS, _WHOLE],
    "environment_reset": [_WHOLE, _WHOLE, _ADDRESS, _WHOLE],
    "environment_step": [_WHOLE, _ADDRESS, _WHOLE, _ADDRESS, _WHOLE, _ADDRESS, _ADDRESS],
    "environment_state": [_WHOLE],
    "environment_restore": [_WHOLE, _ADDRESS, _WHOLE],
}


def library_paths() -> List[str]:
    """Where the library is looked for, in this order: ``OFFPOLICY_LIBRARY``, then beside this package."""
    named = os.environ.get("OFFPOLICY_LIBRARY")
    if named:
        return [named]
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    return [os.path.join(os.path.dirname(os.path.abspath(__file__)), "liboffpolicy" + suffix)]


class Library:
    """The functions of the C library, without their prefix, as attributes."""

    def __init__(self) -> None:
        paths = library_paths()
        path = next((path for path in paths if os.path.exists(path)), None)
        if path is None:
            raise ImportError(
                f"the library of offpolicy is missing: there is no {' or '.join(paths)}; install the wheel, or set "
                "OFFPOLICY_LIBRARY to the library's path"
            )
        self.path = path
        loaded = ctypes.CDLL(path)
        for name, arguments in _FUNCTIONS.items():
            function = getattr(loaded, "offpolicy_" + name)
            function.argtypes = arguments
            function.restype = _WHOLE
            setattr(self, name, function)
        version = self.version()  # type: ignore[attr-defined]
        if version != 1:
            raise ImportError(f"{path} has version {version} of the C interface; this package needs version 1")

    def __getattr__(self, name: str) -> Callable[..., int]:
        raise AttributeError(f"the library has no function offpolicy_{name}")


_library: Optional[Library] = None


def library() -> Library:
    """The library, loaded at the first call."""
    global _library
    if _library is None:
        _library = Library()
    return _library


def error_text() -> str:
    """This thread's last error."""
    lib = library()
    length = lib.error(None, 0)
    text = ctypes.create_string_buffer(max(1, length))
    lib.error(ctypes.addressof(text), length)
    return text.raw[:length].decode("utf-8", "replace")


def check(result: int) -> int:
    """Passes a result on, or raises the library's sentence."""
    if result < 0:
        raise NativeError(error_text())
    return result


def result_bytes() -> bytearray:
    """The bytes that this thread's last call made."""
    lib = library()
    length = check(lib.result(None, 0))
    content = bytearray(length)
    if length:
        lib.result(ctypes.addressof((ctypes.c_char * length).from_buffer(content)), length)
    return content


def prepared(*arrays: Optional[np.ndarray]) -> Tuple[ctypes.c_void_p, ...]:
    """The arrays' addresses as arguments, made once: a number would be turned into one at each call."""
    return tuple(_ADDRESS(None if array is None else array.ctypes.data) for array in arrays)


def _encoded(value: Any) -> bytes:
    # NaN and infinity are not JSON: the library would not read them
    return json.dumps(value, allow_nan=False).encode()


def _address(content: Any) -> int:
    return np.frombuffer(content, dtype=np.uint8).ctypes.data


def describe() -> Dict[str, Any]:
    """The algorithms with their hyperparameters, the built-in environments, the processor."""
    check(library().describe())
    return json.loads(result_bytes())


class Handle:
    """A handle of the library, closed when nobody needs it any more."""

    def __init__(self, handle: int) -> None:
        self.handle = check(handle)
        self._finalizer = weakref.finalize(self, library().close, self.handle)

    def close(self) -> None:
        """Frees what the handle stands for. A second call does nothing."""
        self._finalizer()

    def result(self, name: str) -> bytearray:
        """Calls a function that makes bytes."""
        check(getattr(library(), name)(self.handle))
        return result_bytes()

    def give(self, name: str, content: Any) -> None:
        """Calls a function that takes bytes."""
        content = bytes(content)
        check(getattr(library(), name)(self.handle, content and _address(content), len(content)))

    def predict(self, observations: np.ndarray, deterministic: bool, actions: np.ndarray) -> None:
        """Writes actions (rows × A) for observations (rows × S); both are contiguous float32 arrays."""
        check(
            library().predict(
                self.handle, observations.ctypes.data, len(observations), int(deterministic), actions.ctypes.data
            )
        )


class Policy(Handle):
    """A policy file, opened for predictions."""

    def __init__(self, content: bytes) -> None:
        content = bytes(content)
        super().__init__(library().policy_open(content and _address(content), len(content)))


class Learner(Handle):
    """A learner that somebody else's loop drives, see `offpolicy.h`."""

    def __init__(self, settings: Dict[str, Any]) -> None:
        content = _encoded(settings)
        super().__init__(library().learner_make(_address(content), len(content)))
        self._counts = np.zeros(9, dtype=np.int64)
        self._counts_address = self._counts.ctypes.data
        self._number = np.zeros(1, dtype=np.float64)
        self._number_address = self._number.ctypes.data
        self._names: Dict[str, Any] = {}
        self._goal_function: Any = None

    def counts(self) -> np.ndarray:
        """Steps, episodes, updates, transitions held, transitions that fit, N, S, A, choices (0: continuous)."""
        check(library().counts(self.handle, self._counts_address, 9))
        return self._counts

    def _name(self, name: str) -> Any:
        if name not in self._names:
            array = np.frombuffer(name.encode(), dtype=np.uint8)
            self._names[name] = (array, array.ctypes.data, len(array))
        return self._names[name]

    def set(self, name: str, value: float) -> None:
        """Sets "learningRate" or "epsilon"."""
        _, address, length = self._name(name)
        check(library().set(self.handle, address, length, value))

    def get(self, name: str) -> float:
        """Reads "epsilon" or "temperature"."""
        _, address, length = self._name(name)
        check(library().get(self.handle, address, length, self._number_address))
        return float(self._number[0])

    def set_goal_function(self, function: Callable[[int, int, int, int, int], int]) -> None:
        """Sets what computes rewards and terminations of other goals; it must not raise."""
        kept = GOAL_FUNCTION(function)
        check(library().set_goal_function(self.handle, ctypes.cast(kept, ctypes.c_void_p)))
        self._goal_function = kept

    def set_normalization(self, addresses: List[int], count: int, divisor: float, bound: float) -> None:
        """Sets what observations and rewards are normalised by; without addresses: nothing is."""
        mean, scale, bounds = addresses or (None, None, None)
        check(library().set_normalization(self.handle, mean, scale, bounds, count, divisor, bound))

    def json(self, name: str) -> Any:
        """Calls a function that makes JSON: "metrics" or "records"."""
        return json.loads(self.result(name))


class Environment(Handle):
    """A built-in environment; `facts` is what the library says of it."""

    def __init__(self, id: str, options: Optional[Dict[str, Any]] = None) -> None:
        content = _encoded({"id": id, "options": options or {}})
        super().__init__(library().environment_make(_address(content), len(content)))
        self.facts: Dict[str, Any] = json.loads(result_bytes())
