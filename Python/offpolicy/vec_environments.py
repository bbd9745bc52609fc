"""Lanes made of a VecEnv of Stable-Baselines3, with all its wrappers."""

from __future__ import annotations

from typing import Any, List, Optional

import numpy as np

from .errors import UnsupportedError
from .given_statistics import Statistics, raw_normalizer
from .lanes import TERMINATED, TRUNCATED, Indices, Lanes


class VecEnvLanes(Lanes):
    """A VecEnv: its steps return first observations where episodes ended, its infos the true last ones.

    With a VecNormalize `next`, `first` and `rewards` are what was there before it; `observations` are what it made of them.
    """

    def __init__(self, environment: Any) -> None:
        self.env = environment
        self.metadata = getattr(environment, "metadata", {})
        self.normalizer = raw_normalizer(environment)
        super().__init__(environment.num_envs, environment.observation_space, environment.action_space)

    def start(self) -> None:
        self.observations = self.env.reset()
        self.write_current(self.first)
        self.reset_infos = list(getattr(self.env, "reset_infos", self.reset_infos))

    def advance(self, rows: np.ndarray) -> None:
        observations, rewards, dones, infos = self.env.step(self.actions.batch(rows))
        self.observations, self.infos = observations, infos
        self.write_current(self.next)
        self.rewards[:] = rewards if self.normalizer is None else self.normalizer.old_reward
        self.flags[:] = 0
        self.has_ends = bool(np.any(dones))
        if self.has_ends:
            self.first[:] = self.next
            for i in np.flatnonzero(dones):
                final = infos[i].get("terminal_observation")
                if final is None:
                    raise UnsupportedError(
                        f"environment {i} ended an episode, but its info has no terminal_observation, as every VecEnv of "
                        "Stable-Baselines3 gives it"
                    )
                if self.normalizer is not None:
                    # it kept what it made of this one alone
                    final = self.normalizer.unnormalize_obs(final)
                self.flattener.write(final, self.next[i])
                self.flags[i] = TRUNCATED if infos[i].get("TimeLimit.truncated", False) else TERMINATED

    def write_current(self, rows: np.ndarray) -> None:
        self.flattener.write_batch(self.observations if self.normalizer is None else self.normalizer.old_obs, rows)

    def resume(self, rows: np.ndarray) -> None:
        super().resume(rows)
        if self.normalizer is not None:
            self.normalizer.old_obs = self.observations
            self.observations = self.normalizer.normalize_obs(self.observations)

    def statistics(self) -> Optional[Statistics]:
        return None if self.normalizer is None else Statistics(self.normalizer, self.flattener)

    def seed(self, seed: Optional[int] = None) -> List[Optional[int]]:
        return self.env.seed(seed)

    def set_options(self, options: Any = None) -> None:
        self.env.set_options(options)

    def close(self) -> None:
        self.env.close()

    def has_method(self, name: str) -> bool:
        try:
            return bool(self.env.has_attr(name)) if hasattr(self.env, "has_attr") else bool(self.env.get_attr(name, [0]))
        except AttributeError:
            return False

    def get_attr(self, name: str, indices: Indices = None) -> List[Any]:
        return self.env.get_attr(name, indices)

    def set_attr(self, name: str, value: Any, indices: Indices = None) -> None:
        self.env.set_attr(name, value, indices)

    def env_method(self, name: str, *arguments: Any, indices: Indices = None, **keywords: Any) -> List[Any]:
        return self.env.env_method(name, *arguments, indices=indices, **keywords)


def is_vec_environment(environment: Any) -> bool:
    """Whether it has the interface of SB3's VecEnv."""
    return all(hasattr(environment, name) for name in ("num_envs", "step_async", "step_wait", "env_is_wrapped"))
