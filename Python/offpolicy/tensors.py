"""What a script that was written for Stable-Baselines3 takes for tensors: NumPy arrays, or PyTorch's where it uses PyTorch."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def as_used(array: np.ndarray) -> Any:
    """A copy: a tensor where the program has imported PyTorch, else an array. PyTorch is never imported here."""
    torch = sys.modules.get("torch")
    copy = np.array(array)
    return torch.from_numpy(copy) if hasattr(torch, "from_numpy") else copy


def as_array(value: Any) -> np.ndarray:
    """An array of a tensor or of whatever NumPy takes."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
