"""What the logger writes to: a table of text, CSV, JSON lines, TensorBoard."""

from __future__ import annotations

import csv
import json
import os
import sys
import warnings
from typing import Any, Dict, List, Mapping, Sequence, TextIO, Tuple, Union

import numpy as np

Excluded = Mapping[str, Tuple[str, ...]]


class Video:
    """Frames (1 × T × C × H × W) and frames per second, for TensorBoard."""

    def __init__(self, frames: Any, fps: float) -> None:
        self.frames, self.fps = frames, fps


class Figure:
    """A figure of matplotlib, and whether to close it, for TensorBoard."""

    def __init__(self, figure: Any, close: bool) -> None:
        self.figure, self.close = figure, close


class Image:
    """A picture and the order of its dimensions, such as "HWC", for TensorBoard."""

    def __init__(self, image: Any, dataformats: str) -> None:
        self.image, self.dataformats = image, dataformats


class HParam:
    """Hyperparameters and the metrics that belong to them, for TensorBoard."""

    def __init__(self, hparam_dict: Mapping[str, Any], metric_dict: Mapping[str, float]) -> None:
        if not metric_dict:
            raise ValueError("`metric_dict` must not be empty: TensorBoard shows no hyperparameters without a metric")
        self.hparam_dict, self.metric_dict = hparam_dict, metric_dict


class FormatUnsupportedError(NotImplementedError):
    """A value of a kind that a format cannot write."""

    def __init__(self, unsupported_formats: Sequence[str], value_description: str) -> None:
        names = ", ".join(unsupported_formats)
        super().__init__(f"a {value_description} cannot be written as {names}; record it with exclude=({names!r},)")


class KVWriter:
    """Writes values by name."""

    def write(self, key_values: Dict[str, Any], key_excluded: Dict[str, Tuple[str, ...]], step: int = 0) -> None:
        """Writes what is not excluded, at a step."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes what it opened."""


class SeqWriter:
    """Writes words."""

    def write_sequence(self, sequence: List[str]) -> None:
        """Writes words in one line."""
        raise NotImplementedError


class HumanOutputFormat(KVWriter, SeqWriter):
    """A table of names and values; longer ones than `max_length` are cut."""

    def __init__(self, filename_or_file: Union[str, TextIO], max_length: int = 36) -> None:
        self.max_length = max_length
        self.own_file = isinstance(filename_or_file, str)
        if isinstance(filename_or_file, str):
            self.file: TextIO = open(filename_or_file, "w")
        elif hasattr(filename_or_file, "write"):
            self.file = filename_or_file
        else:
            raise ValueError(f"expected a file or its path, got {filename_or_file!r}")

    def write(self, key_values: Dict[str, Any], key_excluded: Dict[str, Tuple[str, ...]], step: int = 0) -> None:
        rows: Dict[Tuple[str, str], str] = {}
        for key, value in sorted(key_values.items()):
            excluded = key_excluded.get(key) or ()
            if "stdout" in excluded or "log" in excluded:
                continue
            _refuse(value, ["stdout", "log"])
            text = f"{value:<8.3g}" if isinstance(value, float) else str(value)
            group, slash, name = key.partition("/")
            if slash and group:
                rows[group + "/", self._cut(group + "/")] = ""
                row = (group + "/", self._cut("   " + name))
            else:
                row = ("", self._cut(key))
            if row in rows:
                raise ValueError(f"Key {key!r} is truncated to {row[1]!r}, as another one is; use a larger max_length")
            rows[row] = self._cut(text)
        if not rows:
            warnings.warn("there are no values to write", stacklevel=2)
            return
        left, right = max(len(key) for _, key in rows), max(len(value) for value in rows.values())
        line = "-" * (left + right + 7)
        table = [line] + [f"| {key:<{left}} | {value:<{right}} |" for (_, key), value in rows.items()] + [line]
        self._print("\n".join(table) + "\n")

    def _print(self, text: str) -> None:
        bar = sys.modules.get("tqdm")
        if bar is not None and getattr(self.file, "name", "") == "<stdout>":
            bar.tqdm.write(text, file=sys.stdout, end="")  # keeps a progress bar in one piece
        else:
            self.file.write(text)
        self.file.flush()

    def _cut(self, text: str) -> str:
        return text if len(text) <= self.max_length else text[: self.max_length - 3] + "..."

    def write_sequence(self, sequence: List[str]) -> None:
        self.file.write(" ".join(sequence) + "\n")
        self.file.flush()

    def close(self) -> None:
        if self.own_file:
            self.file.close()


class JSONOutputFormat(KVWriter):
    """A line of JSON a `dump`."""

    def __init__(self, filename: str) -> None:
        self.file = open(filename, "w")

    def write(self, key_values: Dict[str, Any], key_excluded: Dict[str, Tuple[str, ...]], step: int = 0) -> None:
        values = {key: _plain(value) for key, value in kept(key_values, key_excluded, "json").items()}
        self.file.write(json.dumps(values) + "\n")
        self.file.flush()

    def close(self) -> None:
        self.file.close()


class CSVOutputFormat(KVWriter):
    """A row a `dump`; new names add columns to the rows before, which stay empty there."""

    def __init__(self, filename: str) -> None:
        self.file = open(filename, "w+", newline="")
        self.keys: List[str] = []
        self.rows: List[Dict[str, Any]] = []

    def write(self, key_values: Dict[str, Any], key_excluded: Dict[str, Tuple[str, ...]], step: int = 0) -> None:
        row = {}
        for key, value in kept(key_values, key_excluded, "csv").items():
            _refuse(value, ["csv"])
            row[key] = value
        new = [key for key in row if key not in self.keys]
        if new:
            self.file.seek(0)
            rows = list(csv.DictReader(self.file))
            self.keys += new
            self.file.seek(0)
            self._writer().writerow(dict(zip(self.keys, self.keys)))
            self._writer().writerows(rows)
            self.file.truncate()
        self._writer().writerow(row)
        self.file.flush()

    def _writer(self) -> Any:
        # text in quotes, numbers without
        return csv.DictWriter(
            self.file, self.keys, restval=None, quoting=csv.QUOTE_MINIMAL, lineterminator="\n"
        )

    def close(self) -> None:
        self.file.close()


class TensorBoardOutputFormat(KVWriter):
    """TensorBoard's event files, through torch, tensorboardX or tensorboard, whichever can be imported first."""

    def __init__(self, folder: str) -> None:
        self.writer = _summary_writer()(folder)
        self._is_closed = False

    def write(self, key_values: Dict[str, Any], key_excluded: Dict[str, Tuple[str, ...]], step: int = 0) -> None:
        if self._is_closed:
            raise AssertionError("the TensorBoard writer was closed; make another one")
        for key, value in sorted(kept(key_values, key_excluded, "tensorboard").items()):
            if isinstance(value, str):
                self.writer.add_text(key, value, step)
            elif isinstance(value, np.ScalarType):
                self.writer.add_scalar(key, value, step)
            elif isinstance(value, Video) or type(value).__name__ == "Video":
                self.writer.add_video(key, value.frames, step, value.fps)
            elif isinstance(value, Figure) or type(value).__name__ == "Figure":
                self.writer.add_figure(key, value.figure, step, close=value.close)
            elif isinstance(value, Image) or type(value).__name__ == "Image":
                self.writer.add_image(key, value.image, step, dataformats=value.dataformats)
            elif isinstance(value, HParam) or type(value).__name__ == "HParam":
                self.writer.add_hparams(value.hparam_dict, dict(value.metric_dict))
            elif hasattr(value, "shape"):
                self.writer.add_histogram(key, np.asarray(value), step)
        self.writer.flush()

    def close(self) -> None:
        if not self._is_closed:
            self.writer.close()
            self._is_closed = True


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter
    except ImportError:
        pass
    try:
        from tensorboardX import SummaryWriter as Writer
    except ImportError:
        raise ImportError(
            "writing for TensorBoard needs torch with tensorboard, or tensorboardX; try: pip install tensorboardX"
        ) from None
    return Writer


def make_output_format(name: str, folder: str, suffix: str = "") -> KVWriter:
    """A format by its name, writing into a folder."""
    if folder:
        os.makedirs(folder, exist_ok=True)
    if name == "stdout":
        return HumanOutputFormat(sys.stdout)
    if name == "log":
        return HumanOutputFormat(os.path.join(folder, f"log{suffix}.txt"))
    if name == "json":
        return JSONOutputFormat(os.path.join(folder, f"progress{suffix}.json"))
    if name == "csv":
        return CSVOutputFormat(os.path.join(folder, f"progress{suffix}.csv"))
    if name == "tensorboard":
        return TensorBoardOutputFormat(folder)
    raise ValueError(f"there is no log format {name!r}; there are stdout, log, json, csv and tensorboard")


def kept(key_values: Mapping[str, Any], key_excluded: Excluded, name: str) -> Dict[str, Any]:
    """The values that a format writes."""
    return {key: value for key, value in key_values.items() if name not in (key_excluded.get(key) or ())}


def _refuse(value: Any, formats: List[str]) -> None:
    name = type(value).__name__
    if name in ("Video", "Figure", "Image", "HParam") and not hasattr(value, "dtype"):
        raise FormatUnsupportedError(formats, name.lower())


def _plain(value: Any) -> Any:
    _refuse(value, ["json"])
    if not hasattr(value, "dtype"):
        return value
    return float(value.item()) if value.shape == () or len(value) == 1 else value.tolist()
