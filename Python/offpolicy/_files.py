"""Files that are whole or not there: written beside their place, synced, renamed."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any, Optional


def write(path: Any, content: Any) -> None:
    """Writes bytes to a path or into an open file."""
    if hasattr(path, "write"):
        path.write(content)
        return
    path = os.fspath(path)
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{os.path.basename(path)}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    _sync(folder)


def read(path: Any) -> bytes:
    """Reads a path or an open file."""
    if hasattr(path, "read"):
        if hasattr(path, "seek") and path.seekable():
            path.seek(0)
        return path.read()
    return pathlib.Path(path).read_bytes()


def with_suffix(path: Any, suffix: str) -> Any:
    """The path with a suffix where it has none."""
    if hasattr(path, "write") or isinstance(path, io.IOBase):
        return path
    path = pathlib.Path(path)
    return path if path.suffix else pathlib.Path(f"{path}.{suffix}")


def existing(path: Any, *suffixes: str) -> Any:
    """The path, or the first path with one of the suffixes, that exists."""
    if hasattr(path, "read"):
        return path
    path = pathlib.Path(path)
    found: Optional[pathlib.Path] = path if path.is_file() else None
    for suffix in suffixes:
        found = found or next((p for p in [pathlib.Path(f"{path}.{suffix}")] if p.is_file()), None)
    if found is None:
        tried = ", ".join([str(path)] + [f"{path}.{suffix}" for suffix in suffixes])
        raise FileNotFoundError(f"there is no file to load; looked for {tried}")
    return found


def _sync(folder: str) -> None:
    # the new name is in the folder
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
