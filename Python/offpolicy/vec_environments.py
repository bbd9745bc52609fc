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

    sees_all_steps = False

    def __init__(self, environment: Any) -> None:
        self.env = environment
        self._base = innermost_vector(environment)
        #: what its vector had counted after the last call from here, and what others had counted before
        self._counted, self._by_others = self._count(), 0
        self.metadata = getattr(environment, "metadata", {})
        self.normalizer = raw_normalizer(environment)
        super().__init__(environment.num_envs, environment.observation_space, environment.action_space)

    @property  # type: ignore[override]
    def epoch(self) -> int:
        """Changes when somebody else resets or steps the environments, as far as their vector counts that."""
        return self._by_others + self._count() - self._counted

    @epoch.setter
    def epoch(self, value: int) -> None: ...

    def _count(self) -> int:
        return int(getattr(self._base, "epoch", 0))

    def start(self) -> None:
        self._by_others = self.epoch
        self.observations = self.env.reset()
        self._counted = self._count()
        self.write_current(self.first)
        self.reset_infos = list(getattr(self.env, "reset_infos", self.reset_infos))

    def advance(self, rows: np.ndarray) -> None:
        self._by_others = self.epoch
        observations, rewards, dones, infos = self.env.step(self.actions.batch(rows))
        self._counted = self._count()
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


def innermost_vector(environment: Any) -> Any:
    """A VecEnv without its wrappers."""
    while getattr(environment, "__dict__", {}).get("venv") is not None:
        environment = environment.venv
    return environment


def is_vec_environment(environment: Any) -> bool:
    """Whether it has the interface of SB3's VecEnv."""
    return all(hasattr(environment, name) for name in ("num_envs", "step_async", "step_wait", "env_is_wrapped"))
