"""The logger; see `offpolicy.logger`."""

from ..logger import (
    CSVOutputFormat,
    Figure,
    FormatUnsupportedError,
    HParam,
    HumanOutputFormat,
    Image,
    JSONOutputFormat,
    KVWriter,
    Logger,
    TensorBoardOutputFormat,
    Video,
    configure,
    make_output_format,
)

__all__ = [
    "CSVOutputFormat", "Figure", "FormatUnsupportedError", "HParam", "HumanOutputFormat", "Image", "JSONOutputFormat",
    "KVWriter", "Logger", "TensorBoardOutputFormat", "Video", "configure", "make_output_format",
]  # fmt: skip
