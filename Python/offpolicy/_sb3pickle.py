"""Pickles read and written as data: a small machine for the few instructions that PyTorch's files need.

Python's own `pickle` is not used. A pickle names functions and says what to call them with; here a caller's `make` is
asked instead, and nothing that a file names is imported or called. So a file cannot run code, whatever it holds.
"""

from __future__ import annotations

import struct
from typing import Any, Callable, Dict, List, NamedTuple

from .errors import OffPolicyError


class ForeignFileError(OffPolicyError, ValueError):
    """A file of another program that is damaged, or that holds something that this package does not read."""


class Name(NamedTuple):
    """A function or class that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Call(NamedTuple):
    """What a pickle wants called, and what with. It stays a note."""

    function: Any
    arguments: Any


class Persistent(NamedTuple):
    """A reference to something beside the pickle: of PyTorch's files, to a tensor's numbers."""

    value: Any


class _Mark:
    pass


_MARK = _Mark()
_CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}

Make = Callable[[Any, Any], Any]


def note(function: Any, arguments: Any) -> Any:
    """Writes down what a pickle wants called."""
    return function if arguments is None else Call(function, arguments)


def read(content: bytes, make: Make = note, where: str = "a pickle") -> Any:
    """Reads one pickle. `make(function, arguments)` stands in for every call, and sees each `Name` first as
    ``make(name, None)``, to refuse it; what it returns then is kept as the function."""
    machine = _Machine(content, make, where)
    try:
        return machine.run()
    except (IndexError, struct.error, TypeError, UnicodeDecodeError, KeyError, ValueError) as error:
        if isinstance(error, ForeignFileError):
            raise
        raise ForeignFileError(f"{where} is damaged near byte {machine.position}") from None


class _Machine:
    def __init__(self, content: bytes, make: Make, where: str) -> None:
        self.content, self.make, self.where = content, make, where
        self.position = 0
        self.stack: List[Any] = []
        self.memo: Dict[int, Any] = {}

    def take(self, count: int) -> bytes:
        start, self.position = self.position, self.position + count
        if count < 0 or self.position > len(self.content):
            raise ForeignFileError(f"{self.where} ends in the middle: {count} bytes are missing at byte {start}")
        return self.content[start : self.position]

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        end = self.content.index(b"\n", self.position)
        return self.take(end + 1 - self.position)[:-1].decode()

    def after_mark(self) -> List[Any]:
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is _MARK:
                items = self.stack[i + 1 :]
                del self.stack[i:]
                return items
        raise ForeignFileError(f"{self.where} is damaged near byte {self.position}")

    def set_items(self, items: List[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise ForeignFileError(f"{self.where} is damaged near byte {self.position}")
        for key, value in zip(items[::2], items[1::2]):
            # nothing else names a tensor, and a deep tuple cannot be hashed without harm
            if not isinstance(key, (str, int)):
                raise ForeignFileError(f"{self.where} has a key of the type {type(key).__name__}")
            target[key] = value

    def run(self) -> Any:
        push = self.stack.append
        pop = self.stack.pop
        while True:
            code = self.take(1)
            if code == b".":
                return pop()
            if code in _CONSTANTS:
                push(_CONSTANTS[code])
            elif code in _NUMBERS:
                push(self.number(_NUMBERS[code]))
            elif code in _TEXTS:
                push(self.take(self.number(_TEXTS[code])).decode())
            elif code in _BYTES:
                push(self.take(self.number(_BYTES[code])))
            elif code == b"\x8a":
                push(int.from_bytes(self.take(self.number("<B")), "little", signed=True))
            elif code in (b"\x80", b"\x95"):  # the protocol, a frame
                self.take(1 if code == b"\x80" else 8)
            elif code == b"(":
                push(_MARK)
            elif code in (b"}", b"]", b")"):
                push({} if code == b"}" else [] if code == b"]" else ())
            elif code in (b"\x85", b"\x86", b"\x87"):
                count = code[0] - 0x84
                items = tuple(self.stack[-count:])
                if len(items) < count:
                    raise IndexError
                del self.stack[-count:]
                push(items)
            elif code == b"t":
                push(tuple(self.after_mark()))
            elif code == b"a":
                item = pop()
                self.stack[-1].append(item) if isinstance(self.stack[-1], list) else self.refuse("APPEND")
            elif code == b"e":
                items_ = self.after_mark()
                self.stack[-1].extend(items_) if isinstance(self.stack[-1], list) else self.refuse("APPENDS")
            elif code == b"s":
                value, key = pop(), pop()
                self.set_items([key, value])
            elif code == b"u":
                self.set_items(self.after_mark())
            elif code in _PUTS:
                self.memo[len(self.memo) if code == b"\x94" else self.number(_PUTS[code])] = self.stack[-1]
            elif code in _GETS:
                push(self.memo[self.number(_GETS[code])])
            elif code == b"c":
                module = self.line()
                push(self.make(Name(module, self.line()), None))
            elif code == b"\x93":
                name, module = pop(), pop()
                push(self.make(Name(str(module), str(name)), None))
            elif code in (b"R", b"\x81"):
                arguments, function = pop(), pop()
                push(self.make(function, arguments))
            elif code == b"b":
                # attributes of an object: of a state_dict, its version
                pop()
            elif code == b"Q":
                push(Persistent(pop()))
            else:
                self.refuse(f"0x{code[0]:02x}")

    def refuse(self, instruction: str) -> None:
        raise ForeignFileError(
            f"{self.where} has the pickle instruction {instruction} at byte {self.position - 1}, which is not read here"
        )


_NUMBERS = {b"K": "<B", b"M": "<H", b"J": "<i", b"G": ">d"}
_TEXTS = {b"X": "<I", b"\x8c": "<B"}
_BYTES = {b"C": "<B", b"B": "<I"}
_PUTS = {b"q": "<B", b"r": "<I", b"\x94": ""}
_GETS = {b"h": "<B", b"j": "<I"}


# ---- writing


def write(value: Any) -> bytes:
    """A pickle (protocol 2) of numbers, texts, tuples, lists, dictionaries, and `Name`, `Call`, `Persistent` notes."""
    parts: List[bytes] = [b"\x80\x02"]
    _write(value, parts)
    return b"".join(parts) + b"."


def _write(value: Any, parts: List[bytes]) -> None:
    if value is None or isinstance(value, bool):
        parts.append(b"N" if value is None else b"\x88" if value else b"\x89")
    elif isinstance(value, int):
        if -(2**31) <= value < 2**31:
            parts.append(b"J" + struct.pack("<i", value))
        else:
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            parts.append(b"\x8a" + bytes([len(raw)]) + raw)
    elif isinstance(value, float):
        parts.append(b"G" + struct.pack(">d", value))
    elif isinstance(value, str):
        raw = value.encode()
        parts.append(b"X" + struct.pack("<I", len(raw)) + raw)
    elif isinstance(value, Name):
        parts.append(f"c{value.module}\n{value.name}\n".encode())
    elif isinstance(value, Call):
        _write(value.function, parts)
        _write(tuple(value.arguments), parts)
        parts.append(b"R")
    elif isinstance(value, Persistent):
        _write(value.value, parts)
        parts.append(b"Q")
    elif isinstance(value, tuple):
        parts.append(b"(" if value else b")")
        for item in value:
            _write(item, parts)
        if value:
            parts.append(b"t")
    elif isinstance(value, list):
        parts.append(b"](")
        for item in value:
            _write(item, parts)
        parts.append(b"e")
    elif isinstance(value, dict):
        parts.append(b"}(")
        for key, item in value.items():
            _write(key, parts)
            _write(item, parts)
        parts.append(b"u")
    else:
        raise TypeError(f"{type(value).__name__} is not written")
