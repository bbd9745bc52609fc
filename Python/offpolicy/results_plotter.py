"""Curves of what Monitors wrote: returns by steps, episodes or hours. Needs pandas, and Matplotlib where it draws."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np

from .monitor import load_results

X_TIMESTEPS, X_EPISODES, X_WALLTIME = "timesteps", "episodes", "walltime_hrs"

#: episodes in a running mean
EPISODES_WINDOW = 100


def ts2xy(data_frame: Any, x_axis: str) -> Tuple[np.ndarray, np.ndarray]:
    """The returns of a table of `load_results`, and where they are: at the steps, the episodes or the hours of their ends."""
    returns = data_frame["r"].to_numpy()
    if x_axis == X_TIMESTEPS:
        return np.cumsum(data_frame["l"].to_numpy()), returns
    if x_axis == X_EPISODES:
        return np.arange(len(returns)), returns
    if x_axis == X_WALLTIME:
        return data_frame["t"].to_numpy() / 3600, returns
    raise ValueError(f"x_axis is {X_TIMESTEPS!r}, {X_EPISODES!r} or {X_WALLTIME!r}, not {x_axis!r}")


def plot_results(
    dirs: List[str], num_timesteps: Optional[int], x_axis: str, task_name: str, figsize: Tuple[int, int] = (8, 2)
) -> None:
    """Draws the returns of folders of Monitors, and their means over 100 episodes, with Matplotlib's pyplot.

    :param num_timesteps: steps up to which episodes count; None: all
    """
    from matplotlib import pyplot

    pyplot.figure(task_name, figsize=figsize)
    for folder in dirs:
        table = load_results(folder)
        if num_timesteps is not None:
            table = table[table["l"].cumsum() <= num_timesteps]
        x, y = ts2xy(table, x_axis)
        pyplot.scatter(x, y, s=2)
        if len(y) >= EPISODES_WINDOW:
            means = np.convolve(y, np.ones(EPISODES_WINDOW) / EPISODES_WINDOW, mode="valid")
            pyplot.plot(x[EPISODES_WINDOW - 1 :], means)
    pyplot.title(task_name)
    pyplot.xlabel(x_axis)
    pyplot.ylabel("return of an episode")
    pyplot.tight_layout()


__all__ = ["X_EPISODES", "X_TIMESTEPS", "X_WALLTIME", "load_results", "plot_results", "ts2xy"]
