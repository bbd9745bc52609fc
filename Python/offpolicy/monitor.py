"""Monitor: an environment whose episodes are counted, and written to a file of comma-separated values.

The file is Stable-Baselines3's: a line of JSON after `#`, the names, then a line for each episode: return, length, seconds.
"""

from __future__ import annotations

import csv
import json
import os
import time
from typing import Any, Dict, List, Optional, Tuple

from .errors import UnsupportedError

try:
    from gymnasium import Wrapper as _Base
except ImportError:

    class _Base:  # type: ignore[no-redef]
        """What Gymnasium's Wrapper does, where Gymnasium is not installed."""

        def __init__(self, env: Any) -> None:
            self.env = env

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or "env" not in self.__dict__:
                raise AttributeError(name)
            return getattr(self.env, name)

        @property
        def unwrapped(self) -> Any:
            """The innermost environment."""
            return getattr(self.env, "unwrapped", self.env)

        def close(self) -> None:
            """Closes the environment."""
            self.env.close()


class LoadMonitorResultsError(FileNotFoundError):
    """A folder has no file of a Monitor."""


class EpisodeFile:
    """The file of a Monitor: a line for each episode.

    :param path: the file, or its folder; `monitor.csv` is added to another name
    :param names: what is written besides return, length and seconds
    :param override: whether a file that is there is replaced; else lines are added to it
    """

    EXT = "monitor.csv"

    def __init__(self, path: Any, t_start: float, env_id: Any, names: Tuple[str, ...], override: bool) -> None:
        path = os.fspath(path)
        if not path.endswith(self.EXT):
            path = os.path.join(path, self.EXT) if os.path.isdir(path) else f"{path}.{self.EXT}"
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        is_new = override or not os.path.exists(path)
        self._file = open(path, "w" if override else "a", newline="\n")
        self._rows = csv.DictWriter(self._file, ("r", "l", "t") + names, lineterminator="\n")
        if is_new:
            self._file.write("#" + json.dumps({"t_start": t_start, "env_id": str(env_id)}) + "\n")
            self._rows.writeheader()
        self._file.flush()

    def write(self, episode: Dict[str, Any]) -> None:
        """Adds an episode."""
        self._rows.writerow(episode)
        self._file.flush()

    def close(self) -> None:
        """Closes it."""
        self._file.close()


def told_of(info: Dict[str, Any], keywords: Tuple[str, ...], who: str) -> Dict[str, Any]:
    """What an info says under these keywords."""
    for key in keywords:
        if key not in info:
            raise UnsupportedError(
                f"{who}: info_keywords names {key!r}, which the info of the episode's last step does not have; it has "
                f"{', '.join(map(repr, info)) or 'nothing'}"
            )
    return {key: info[key] for key in keywords}


class Monitor(_Base):  # type: ignore[misc,valid-type]
    """Counts episodes: where one ends, `info["episode"]` has its return r, its length l and the seconds t since the start.

    :param filename: the file, or its folder; `monitor.csv` is added to another name; None: there is none
    :param allow_early_resets: whether an episode may be reset before it has ended
    :param reset_keywords: arguments of `reset` that are written with the episode
    :param info_keywords: keys of the last step's info that are written with the episode
    :param override_existing: whether a file that is there is replaced; else lines are added to it
    """

    EXT = EpisodeFile.EXT

    def __init__(
        self, env: Any, filename: Optional[str] = None, allow_early_resets: bool = True,
        reset_keywords: Tuple[str, ...] = (), info_keywords: Tuple[str, ...] = (), override_existing: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(env)
        self.t_start = time.time()
        self.allow_early_resets = allow_early_resets
        self.reset_keywords, self.info_keywords = tuple(reset_keywords), tuple(info_keywords)
        self.needs_reset = True
        self.rewards: List[float] = []
        self.episode_returns: List[float] = []
        self.episode_lengths: List[int] = []
        self.episode_times: List[float] = []
        self.total_steps = 0
        self.current_reset_info: Dict[str, Any] = {}
        self._file: Optional[EpisodeFile] = None
        if filename is not None:
            id = getattr(getattr(env, "spec", None), "id", None)
            names = self.reset_keywords + self.info_keywords
            self._file = EpisodeFile(filename, self.t_start, id, names, override_existing)

    def reset(self, **keywords: Any) -> Tuple[Any, Dict[str, Any]]:
        """Resets the environment."""
        if not self.allow_early_resets and not self.needs_reset:
            raise RuntimeError("the episode has not ended: Monitor(…, allow_early_resets=True) lets it be reset all the same")
        for key in self.reset_keywords:
            if keywords.get(key) is None:
                raise ValueError(f"reset() needs the argument {key}, which reset_keywords names")
            self.current_reset_info[key] = keywords[key]
        self.rewards, self.needs_reset = [], False
        return self.env.reset(**keywords)

    def step(self, action: Any) -> Tuple[Any, Any, bool, bool, Dict[str, Any]]:
        """Steps the environment."""
        if self.needs_reset:
            raise RuntimeError("the episode has ended, or none has begun: call reset() first")
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.rewards.append(float(reward))
        self.total_steps += 1
        if terminated or truncated:
            self.needs_reset = True
            # a dictionary of its own: the environment may go on with the one that it gave
            info = {**info, "episode": self._end(info)}
        return observation, reward, terminated, truncated, info

    def _end(self, info: Dict[str, Any]) -> Dict[str, Any]:
        told = told_of(info, self.info_keywords, "Monitor")
        total, length, seconds = sum(self.rewards), len(self.rewards), time.time() - self.t_start
        self.episode_returns.append(total)
        self.episode_lengths.append(length)
        self.episode_times.append(seconds)
        episode = {"r": round(total, 6), "l": length, "t": round(seconds, 6)}
        episode.update(told, **self.current_reset_info)
        if self._file is not None:
            self._file.write(episode)
        return episode

    def close(self) -> None:
        """Closes the environment and the file."""
        super().close()
        if self._file is not None:
            self._file.close()

    def get_total_steps(self) -> int:
        """Steps so far."""
        return self.total_steps

    def get_episode_rewards(self) -> List[float]:
        """The returns of the episodes so far."""
        return self.episode_returns

    def get_episode_lengths(self) -> List[int]:
        """Their lengths."""
        return self.episode_lengths

    def get_episode_times(self) -> List[float]:
        """The seconds when they ended."""
        return self.episode_times


def get_monitor_files(path: str) -> List[str]:
    """The files of Monitors in a folder."""
    return sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(Monitor.EXT))


def load_results(path: str) -> Any:
    """The episodes of all Monitors of a folder in the order in which they ended, as a table of pandas."""
    import pandas

    tables = []
    for name in get_monitor_files(path):
        with open(name) as file:
            header = json.loads(file.readline()[1:])
            table = pandas.read_csv(file, index_col=None)
        table["t"] += header["t_start"]
        tables.append(table)
    if not tables:
        raise LoadMonitorResultsError(f"there is no *{Monitor.EXT} in {path}")
    # a table without rows has no types, and pandas warns of it
    joined = pandas.concat([table for table in tables if len(table)] or tables[:1])
    joined = joined.sort_values("t").reset_index()
    joined["t"] -= joined["t"].iloc[0] if len(joined) else 0
    return joined
