"""The logger: values by name, written now and then to a table, files and TensorBoard; the interface of SB3's logger."""

from __future__ import annotations

import datetime
import os
import sys
import tempfile
from collections import defaultdict
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from .logger_formats import (
    CSVOutputFormat,
    Figure,
    FormatUnsupportedError,
    HParam,
    HumanOutputFormat,
    Image,
    JSONOutputFormat,
    KVWriter,
    SeqWriter,
    TensorBoardOutputFormat,
    Video,
    make_output_format,
)

DEBUG, INFO, WARN, ERROR, DISABLED = 10, 20, 30, 40, 50

__all__ = [
    "CSVOutputFormat", "DEBUG", "DISABLED", "ERROR", "Figure", "FormatUnsupportedError", "HParam", "HumanOutputFormat",
    "INFO", "Image", "JSONOutputFormat", "KVWriter", "Logger", "TensorBoardOutputFormat", "Video", "WARN", "configure",
    "make_output_format",
]  # fmt: skip

Excluded = Union[str, Tuple[str, ...], None]


class Logger:
    """Keeps the last value of each name until `dump` writes them all.

    :param folder: where files are written; None: there are none
    :param output_formats: who writes
    """

    def __init__(self, folder: Optional[str], output_formats: Sequence[KVWriter]) -> None:
        self.name_to_value: Dict[str, Any] = defaultdict(float)
        self.name_to_count: Dict[str, int] = defaultdict(int)
        self.name_to_excluded: Dict[str, Any] = {}
        self.level = INFO
        self.dir = folder
        self.output_formats = list(output_formats)

    def record(self, key: str, value: Any, exclude: Excluded = None) -> None:
        """Sets a value; the last one before `dump` counts. `exclude` names formats that do not write it."""
        self.name_to_value[key] = value
        self.name_to_excluded[key] = _formats(exclude)

    def record_mean(self, key: str, value: Optional[float], exclude: Excluded = None) -> None:
        """Adds a value to a mean over the calls since the last `dump`."""
        if value is None:
            return
        old, count = self.name_to_value[key], self.name_to_count[key]
        self.name_to_value[key] = old * count / (count + 1) + value / (count + 1)
        self.name_to_count[key] = count + 1
        self.name_to_excluded[key] = _formats(exclude)

    def dump(self, step: int = 0) -> None:
        """Writes all values and forgets them."""
        if self.level == DISABLED:
            return
        for output in self.output_formats:
            if isinstance(output, KVWriter) or hasattr(output, "write"):
                output.write(self.name_to_value, self.name_to_excluded, step)
        self.name_to_value.clear()
        self.name_to_count.clear()
        self.name_to_excluded.clear()

    def log(self, *arguments: Any, level: int = INFO) -> None:
        """Writes words to the outputs of text, where the level is high enough."""
        if self.level <= level:
            for output in self.output_formats:
                if isinstance(output, SeqWriter) or hasattr(output, "write_sequence"):
                    output.write_sequence([str(argument) for argument in arguments])  # type: ignore[attr-defined]

    def debug(self, *arguments: Any) -> None:
        """`log` at the level DEBUG."""
        self.log(*arguments, level=DEBUG)

    def info(self, *arguments: Any) -> None:
        """`log` at the level INFO."""
        self.log(*arguments, level=INFO)

    def warn(self, *arguments: Any) -> None:
        """`log` at the level WARN."""
        self.log(*arguments, level=WARN)

    def error(self, *arguments: Any) -> None:
        """`log` at the level ERROR."""
        self.log(*arguments, level=ERROR)

    def set_level(self, level: int) -> None:
        """Sets the lowest level that is written."""
        self.level = level

    def get_dir(self) -> Optional[str]:
        """The folder of the files."""
        return self.dir

    def close(self) -> None:
        """Closes the outputs."""
        for output in self.output_formats:
            output.close()


def configure(folder: Optional[str] = None, format_strings: Optional[List[str]] = None) -> Logger:
    """A logger that writes "stdout", "log", "csv", "json" or "tensorboard" into a folder.

    Without a folder it is a new one among the temporary files; without formats, those of OFFPOLICY_LOG_FORMAT, or
    stdout, log and csv.
    """
    if folder is None:
        stamp = datetime.datetime.now().strftime("offpolicy-%Y-%m-%d-%H-%M-%S-%f")
        folder = os.path.join(tempfile.gettempdir(), stamp)
    os.makedirs(folder, exist_ok=True)
    if format_strings is None:
        format_strings = os.environ.get("OFFPOLICY_LOG_FORMAT", "stdout,log,csv").split(",")
    formats = [make_output_format(name, folder) for name in format_strings if name]
    logger = Logger(folder, formats)
    if formats and format_strings != ["stdout"]:
        logger.log(f"Logging to {folder}")
    return logger


def logger_of_run(verbose: int, tensorboard_log: Optional[str], name: str, reset: bool) -> Logger:
    """The logger that `learn` makes where nobody set one: a table where verbose, TensorBoard where a folder is given."""
    names: List[str] = ["stdout"] if verbose >= 1 else []
    if tensorboard_log is None:
        return Logger(None, [make_output_format(each, "") for each in names])
    number = newest_run(tensorboard_log, name) + (1 if reset else 0)
    folder = os.path.join(tensorboard_log, f"{name}_{number}")
    return configure(folder, names + ["tensorboard"])


def newest_run(folder: str, name: str) -> int:
    """The largest n of the folders `{name}_{n}` in a folder; 0: there are none."""
    # a name may have folders in it
    folder, name = os.path.split(os.path.join(folder, name))
    newest = 0
    for entry in os.listdir(folder) if os.path.isdir(folder) else []:
        prefix, _, number = entry.rpartition("_")
        if prefix == name and number.isdigit():
            newest = max(newest, int(number))
    return newest


def _formats(exclude: Excluded) -> Tuple[str, ...]:
    return () if exclude is None else (exclude,) if isinstance(exclude, str) else tuple(exclude)


def mean(values: Sequence[float]) -> float:
    """The mean; NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def flush() -> None:
    """Flushes the standard output, which notebooks show late otherwise."""
    sys.stdout.flush()
