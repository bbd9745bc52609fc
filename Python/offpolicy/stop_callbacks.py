"""Callbacks that end training."""

from __future__ import annotations

from typing import Any

import numpy as np

from .callbacks import BaseCallback


class StopTrainingOnRewardThreshold(BaseCallback):
    """Within an EvalCallback: ends training when the best mean return is at least `reward_threshold`."""

    def __init__(self, reward_threshold: float, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.reward_threshold = reward_threshold

    def _on_step(self) -> bool:
        best = _evaluation(self).best_mean_reward
        goes_on = bool(best < self.reward_threshold)
        if self.verbose >= 1 and not goes_on:
            print(f"Stopping: the mean return {best:.2f} has reached the threshold {self.reward_threshold}")
        return goes_on


class StopTrainingOnNoModelImprovement(BaseCallback):
    """Within an EvalCallback: ends training after more than so many evaluations in a row without a new best model.

    The first `min_evals` evaluations do not count.
    """

    def __init__(self, max_no_improvement_evals: int, min_evals: int = 0, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.max_no_improvement_evals, self.min_evals = max_no_improvement_evals, min_evals
        self.last_best_mean_reward = -np.inf
        self.no_improvement_evals = 0

    def _on_step(self) -> bool:
        best = _evaluation(self).best_mean_reward
        if self.n_calls > self.min_evals:
            self.no_improvement_evals = 0 if best > self.last_best_mean_reward else self.no_improvement_evals + 1
        self.last_best_mean_reward = best
        goes_on = self.no_improvement_evals <= self.max_no_improvement_evals
        if self.verbose >= 1 and not goes_on:
            print(f"Stopping: no new best model in the last {self.no_improvement_evals} evaluations")
        return goes_on


class StopTrainingOnMaxEpisodes(BaseCallback):
    """Ends training after `max_episodes` episodes an environment."""

    def __init__(self, max_episodes: int, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.max_episodes = max_episodes
        self.n_episodes = 0
        self._total_max_episodes = max_episodes

    def _init_callback(self) -> None:
        self._total_max_episodes = self.max_episodes * self.training_env.num_envs

    def _on_step(self) -> bool:
        self.n_episodes += int(np.sum(self.locals["dones"]))
        goes_on = self.n_episodes < self._total_max_episodes
        if self.verbose >= 1 and not goes_on:
            print(f"Stopping after {self.n_episodes} episodes in {self.num_timesteps} steps")
        return goes_on


def _evaluation(callback: Any) -> Any:
    if callback.parent is None:
        raise AssertionError(f"{type(callback).__name__} belongs into an EvalCallback")
    return callback.parent
