"""Safetensors files, read and written with NumPy: 8 bytes of length, a JSON header, the numbers."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from .errors import OffPolicyError

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}


def decode(content: Any) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Reads a file's content; returns tensors by name, as views of the content, and the metadata."""
    view = memoryview(content)
    if len(view) < 8:
        raise OffPolicyError(f"a safetensors file has at least 8 bytes, this one has {len(view)}")
    length = int.from_bytes(view[:8], "little")
    if length > len(view) - 8:
        raise OffPolicyError(f"the header of a safetensors file has {length} bytes, but {len(view) - 8} bytes follow")
    header = json.loads(bytes(view[8 : 8 + length]))
    metadata = header.pop("__metadata__", {})
    body = view[8 + length :]
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(body[start:end], dtype=_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def encode(tensors: Mapping[str, np.ndarray], metadata: Optional[Mapping[str, str]] = None) -> bytes:
    """Writes tensors, in the order of their names."""
    header: Dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts, offset = [], 0
    for name in sorted(tensors):
        # ascontiguousarray makes rows of single numbers: shapes are those of the given arrays
        array = np.asarray(tensors[name])
        part = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": _NAMES[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(part)],
        }
        parts.append(part)
        offset += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text] + parts)
