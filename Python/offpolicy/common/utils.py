"""Schedules, seeds, numbers of runs."""

import random
from typing import Any, Callable

import numpy as np

from ..logger import newest_run
from ..policy import Device
from ..schedules import ConstantSchedule, FloatSchedule, LinearSchedule

__all__ = [
    "ConstantSchedule", "FloatSchedule", "LinearSchedule", "constant_fn", "get_device", "get_latest_run_id", "get_linear_fn",
    "get_schedule_fn", "get_system_info", "safe_mean", "set_random_seed",
]  # fmt: skip


def set_random_seed(seed: int, using_cuda: bool = False) -> None:
    """Seeds Python's and NumPy's generators. Models have a seed of their own.

    :param using_cuda: for scripts written for Stable-Baselines3; nothing is computed on a GPU
    """
    random.seed(seed)
    np.random.seed(seed)


def get_schedule_fn(value_schedule: Any) -> FloatSchedule:
    """A number or a function as a schedule."""
    return FloatSchedule(value_schedule)


def constant_fn(val: float) -> ConstantSchedule:
    """The same number always."""
    return ConstantSchedule(val)


def get_linear_fn(start: float, end: float, end_fraction: float) -> Callable[[float], float]:
    """From `start` to `end` over the first `end_fraction` of a run."""
    return LinearSchedule(start, end, end_fraction)


def get_device(device: Any = "auto") -> Device:
    """Where models are computed: "cpu", whatever is asked for."""
    return Device("cpu")


def get_latest_run_id(log_path: str = "", log_name: str = "") -> int:
    """The largest n of the folders `{log_name}_{n}` in a folder; 0: there are none."""
    return newest_run(log_path or ".", log_name)


def safe_mean(arr: Any) -> float:
    """The mean; NaN of nothing."""
    return float(np.mean(arr)) if len(arr) else float("nan")


def get_system_info(print_info: bool = True) -> "tuple[dict[str, str], str]":
    """The versions of this package and of what it runs on, as a dictionary and as lines."""
    import platform

    from .. import __version__, describe

    facts = describe()
    info = {
        "OS": platform.platform(), "Python": platform.python_version(), "offpolicy": __version__, "NumPy": np.__version__,
        "Library": str(facts["version"]), "Processor": str(facts["processor"]), "Kernels": str(facts["kernels"]),
    }  # fmt: skip
    lines = "".join(f"- {name}: {value}\n" for name, value in info.items())
    if print_info:
        print(lines)
    return info, lines
