"""PyTorch's .pth files: a zip with a pickle and the tensors' numbers, read and written with NumPy.

archive/data.pkl      what there is: names, shapes, and which numbers belong to which tensor
archive/data/0 …      the numbers, one entry per tensor
archive/byteorder     little or big
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, Dict, List

import numpy as np

from ._sb3pickle import Call, ForeignFileError, Name, Persistent, read, write

_ORDERED = Name("collections", "OrderedDict")
_STORAGE = Name("torch", "FloatStorage")
_REBUILD = Name("torch._utils", "_rebuild_tensor_v2")

# a file's entries may be together this many times as long as the file: weights hardly compress
_EXPANSION = 20


def open_archive(content: bytes, where: str) -> zipfile.ZipFile:
    """A zip whose entries are not longer than the file can justify."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError, UnicodeDecodeError):
        raise ForeignFileError(f"{where} is not a zip, or a damaged one") from None
    total = sum(entry.file_size for entry in entries)
    if total > _EXPANSION * len(content) + 4096:
        raise ForeignFileError(f"{where} says that it holds {total} bytes, which a file of {len(content)} bytes cannot")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise ForeignFileError(f"{where} has two entries of the same name")
    return archive


def read_entry(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    """One entry of a zip."""
    try:
        return archive.read(name)
    except KeyError:
        raise ForeignFileError(f"{where} has no entry {name}") from None
    except Exception as error:  # zlib, the checksum, encryption, unknown compression
        raise ForeignFileError(f"the entry {name} of {where} cannot be read: {error}") from None


def read_pth(content: bytes, where: str) -> Any:
    """What `torch.save` wrote: dictionaries, lists, tuples, numbers and float32 arrays."""
    if content[:2] != b"PK":
        raise ForeignFileError(
            f"{where} is not a zip: PyTorch before 1.6 wrote it, or something else; "
            "load and save it again with a newer PyTorch"
        )
    archive = open_archive(content, where)
    folders = [name[: -len("data.pkl")] for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(folders) != 1:
        raise ForeignFileError(f"{where} is not PyTorch's: it has {len(folders)} entries data.pkl")
    folder = folders[0]
    order = ">" if f"{folder}byteorder" in archive.namelist() and (
        read_entry(archive, f"{folder}byteorder", where) == b"big"
    ) else "<"  # fmt: skip
    storages: Dict[str, np.ndarray] = {}

    def storage(reference: Any) -> np.ndarray:
        if not isinstance(reference, Persistent):
            raise ForeignFileError(f"{where} has a tensor without numbers")
        kind, form, key, _, count = reference.value
        if kind != "storage" or form != _STORAGE or not isinstance(key, str):
            raise ForeignFileError(f"{where} has numbers of another kind than float32")
        if key not in storages:
            numbers = read_entry(archive, f"{folder}data/{key}", where)
            if len(numbers) % 4:
                raise ForeignFileError(f"{where} has {len(numbers)} bytes in data/{key}, which are no float32 numbers")
            storages[key] = np.frombuffer(numbers, dtype=order + "f4")
        if storages[key].size != count:
            raise ForeignFileError(f"{where} has {storages[key].size} numbers in data/{key} instead of {count}")
        return storages[key]

    def make(function: Any, arguments: Any) -> Any:
        if arguments is None:
            if function not in (_ORDERED, _STORAGE, _REBUILD):
                raise ForeignFileError(
                    f"{where} names {function}, which a file of weights has no need of; it was not run"
                )
            return function
        if function == _ORDERED and arguments == ():
            return {}
        if function == _REBUILD:
            reference, offset, shape, strides, *_ = arguments
            return _tensor(storage(reference), offset, shape, strides, where)
        raise ForeignFileError(f"{where} is damaged: it calls {function} in a way that PyTorch does not")

    return read(read_entry(archive, f"{folder}data.pkl", where), make, where)


def _tensor(numbers: np.ndarray, offset: int, shape: Any, strides: Any, where: str) -> np.ndarray:
    """A view of a storage. It cannot be larger than its storage."""
    sizes = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(isinstance(size, int) and 0 <= size <= numbers.size for size in sizes):
        raise ForeignFileError(f"{where} has a tensor of the shape {tuple(shape)} in {numbers.size} numbers")
    count = 1
    for size in shape:
        count *= size
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides))
    if count > numbers.size or (count > 0 and last >= numbers.size):
        raise ForeignFileError(f"{where} has a tensor of the shape {tuple(shape)} in {numbers.size} numbers")
    if count == 0:
        return np.zeros(shape, dtype=np.float32)
    return np.lib.stride_tricks.as_strided(
        numbers[offset:], shape, [4 * stride for stride in strides], writeable=False
    )  # fmt: skip


# ---- writing


def write_pth(value: Any) -> bytes:
    """What `torch.load` reads: dictionaries, lists, tuples, numbers, and arrays as float32 tensors."""
    storages: List[np.ndarray] = []
    pickle = write(_references(value, storages))
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        write_entry(archive, "archive/data.pkl", pickle)
        write_entry(archive, "archive/byteorder", b"little")
        for key, numbers in enumerate(storages):
            write_entry(archive, f"archive/data/{key}", numbers.tobytes())
        write_entry(archive, "archive/version", b"3\n")
    return output.getvalue()


def write_entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """An entry with a fixed date, so that the same model is the same file."""
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


def _references(value: Any, storages: List[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        numbers = np.asarray(value, dtype="<f4", order="C")
        reference = Persistent(("storage", _STORAGE, str(len(storages)), "cpu", numbers.size))
        storages.append(numbers)
        strides = tuple(stride // 4 for stride in numbers.strides)
        return Call(_REBUILD, (reference, 0, numbers.shape, strides, False, Call(_ORDERED, ())))
    if isinstance(value, dict):
        return {key: _references(item, storages) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_references(item, storages) for item in value)
    return value
