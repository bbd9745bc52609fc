"""Schedules, and the seeds of Python's and NumPy's generators."""

import random

import numpy as np

from ..schedules import ConstantSchedule, LinearSchedule

__all__ = ["ConstantSchedule", "LinearSchedule", "set_random_seed"]


def set_random_seed(seed: int, using_cuda: bool = False) -> None:
    """Seeds Python's and NumPy's generators. Models have a seed of their own.

    :param using_cuda: for scripts written for Stable-Baselines3; nothing is computed on a GPU
    """
    random.seed(seed)
    np.random.seed(seed)
