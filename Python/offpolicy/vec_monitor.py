"""VecMonitor: a Monitor around a whole vector, for vectors whose environments have none."""

from __future__ import annotations

import time
from typing import Any, List, Optional, Tuple

import numpy as np

from .monitor import EpisodeFile, told_of
from .vec_wrapper import VecEnvWrapper


class VecMonitor(VecEnvWrapper):
    """Counts the episodes of a vector: where one ends, `info["episode"]` has its return r, its length l and the seconds t.

    Rewards are those of the vector inside: put it inside a VecNormalize, so that they are the environments' own.

    :param filename: the file, or its folder; `monitor.csv` is added to another name; None: there is none
    :param info_keywords: keys of the last step's info that are written with the episode
    """

    def __init__(self, venv: Any, filename: Optional[str] = None, info_keywords: Tuple[str, ...] = ()) -> None:
        super().__init__(venv)
        self.t_start = time.time()
        self.info_keywords = tuple(info_keywords)
        self.episode_count = 0
        self.episode_returns = np.zeros(self.num_envs, dtype=np.float32)
        self.episode_lengths = np.zeros(self.num_envs, dtype=np.int32)
        self._file: Optional[EpisodeFile] = None
        if filename is not None:
            spec = getattr(venv, "spec", None) or (venv.get_attr("spec")[0] if venv.has_attr("spec") else None)
            self._file = EpisodeFile(filename, self.t_start, getattr(spec, "id", None), self.info_keywords, True)

    def reset(self) -> Any:
        """Resets every environment; returns their observations, stacked."""
        observations = self.venv.reset()
        self.episode_returns[:], self.episode_lengths[:] = 0, 0
        return observations

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """A step of every environment."""
        observations, rewards, dones, infos = self.venv.step_wait()
        self.episode_returns += rewards
        self.episode_lengths += 1
        infos = list(infos)
        for i in np.flatnonzero(dones):
            seconds = time.time() - self.t_start
            episode = {"r": float(self.episode_returns[i]), "l": int(self.episode_lengths[i]), "t": round(seconds, 6)}
            episode.update(told_of(infos[i], self.info_keywords, "VecMonitor"))
            infos[i] = {**infos[i], "episode": episode}
            self.episode_count += 1
            self.episode_returns[i], self.episode_lengths[i] = 0, 0
            if self._file is not None:
                self._file.write(episode)
        return observations, rewards, dones, infos

    def close(self) -> None:
        """Closes the environments and the file."""
        if self._file is not None:
            self._file.close()
        super().close()
