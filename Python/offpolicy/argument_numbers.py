"""The numbers among the constructors' arguments: which are whole, and where each has to lie."""

from __future__ import annotations

import math
from typing import Any, Dict, Tuple

import numpy as np

#: whole numbers: the least and the greatest
_WHOLE: Dict[str, Tuple[float, float]] = {
    "buffer_size": (1, 1_000_000_000), "batch_size": (1, 65_536), "n_steps": (1, 32), "learning_starts": (-math.inf, math.inf),
    "gradient_steps": (-math.inf, math.inf), "target_update_interval": (1, math.inf), "policy_delay": (1, math.inf),
    "stats_window_size": (1, math.inf),
}  # fmt: skip

#: real numbers: a test, and what it says
_REAL: Dict[str, Tuple[Any, str]] = {
    "tau": (lambda x: 0 < x <= 1, "above 0 and at most 1"),
    "gamma": (lambda x: 0 <= x <= 1, "from 0 to 1"),
    "exploration_fraction": (lambda x: x >= 0, "at least 0"),
    "exploration_initial_eps": (lambda x: 0 <= x <= 1, "from 0 to 1"),
    "exploration_final_eps": (lambda x: 0 <= x <= 1, "from 0 to 1"),
    "max_grad_norm": (lambda x: x > 0, "above 0; None or infinity: no bound"),
    "target_policy_noise": (lambda x: x >= 0, "at least 0"),
    "target_noise_clip": (lambda x: x >= 0, "at least 0"),
}


def number(name: str, value: Any) -> float:
    """Converts an argument to a number; the error names the argument."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r} is not a number") from None


def check_numbers(model: Any) -> None:
    """Converts a model's whole-number arguments to int; rejects arguments that are out of range."""
    for name, (least, most) in _WHOLE.items():
        if hasattr(model, name):
            value = getattr(model, name)
            found = number(name, value)
            if not (found.is_integer() and least <= found <= most):
                bounds = "" if math.isinf(least) else f" from {least:,}" + ("" if math.isinf(most) else f" to {most:,}")
                raise ValueError(f"{name}={value!r}: it must be a whole number{bounds}")
            setattr(model, name, int(found))
    for name, (holds, range_) in _REAL.items():
        value = getattr(model, name, 0.5)
        has_none = value is None and name == "max_grad_norm"
        if not has_none and not holds(number(name, value)):
            raise ValueError(f"{name}={value!r}: it must be {range_}")


def plain(value: Any) -> Any:
    """A value, and what it is made of, with Python's own numbers in place of NumPy's."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


def without_infinity(value: Any) -> Any:
    """The same with None in place of infinity, which JSON does not have: no bound."""
    if isinstance(value, dict):
        return {key: without_infinity(item) for key, item in value.items()}
    return None if isinstance(value, float) and value == math.inf else value
