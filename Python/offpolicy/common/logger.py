"""The logger; see `offpolicy.logger`."""

from ..logger import (
    DEBUG,
    DISABLED,
    ERROR,
    INFO,
    WARN,
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
    "CSVOutputFormat", "DEBUG", "DISABLED", "ERROR", "Figure", "FormatUnsupportedError", "HParam", "HumanOutputFormat", "INFO",
    "Image", "JSONOutputFormat", "KVWriter", "Logger", "TensorBoardOutputFormat", "Video", "WARN", "configure",
    "make_output_format",
]  # fmt: skip
