"""EvalCallback: evaluates a model now and then, keeps the best one and the figures."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional

import numpy as np

from .callbacks import EventCallback
from .evaluation import evaluate_policy
from .lanes import Lanes
from .training_steps import goes_on
from .vec_environments import is_vec_environment
from .vec_normalize import sync_envs_normalization
from .vectors import make_lanes


class EvalCallback(EventCallback):
    """Evaluates the model at every `eval_freq`-th call.

    The model with the greatest mean return so far is saved as `best_model.zip` in `best_model_save_path`; ties do not
    count. `evaluations.npz` in `log_path` has timesteps (E), results (E × episodes) and ep_lengths (E × episodes).

    :param eval_env: an id, an Env, a Gymnasium VectorEnv or a VecEnv
    :param callback_on_new_best: called when there is a new best model
    :param callback_after_eval: called after every evaluation
    :param eval_freq: calls between evaluations; with N environments a call is N steps
    """

    def __init__(
        self,
        eval_env: Any,
        callback_on_new_best: Optional[Any] = None,
        callback_after_eval: Optional[Any] = None,
        n_eval_episodes: int = 5,
        eval_freq: int = 10000,
        log_path: Optional[Any] = None,
        best_model_save_path: Optional[Any] = None,
        deterministic: bool = True,
        render: bool = False,
        verbose: int = 1,
        warn: bool = True,
    ) -> None:
        super().__init__(callback_after_eval, verbose)
        self.callback_on_new_best = callback_on_new_best
        if callback_on_new_best is not None:
            callback_on_new_best.parent = self
        is_vector = isinstance(eval_env, Lanes) or is_vec_environment(eval_env)
        self.eval_env = eval_env if is_vector else make_lanes(eval_env)[0]
        self.n_eval_episodes, self.eval_freq = n_eval_episodes, eval_freq
        self.deterministic, self.render, self.warn = deterministic, render, warn
        self.best_model_save_path = best_model_save_path
        self.log_path = None if log_path is None else os.path.join(log_path, "evaluations")
        self.best_mean_reward = -np.inf
        self.last_mean_reward = -np.inf
        self.evaluations_timesteps: List[int] = []
        self.evaluations_results: List[List[float]] = []
        self.evaluations_length: List[List[int]] = []
        self.evaluations_successes: List[List[bool]] = []
        self._is_success_buffer: List[bool] = []

    def _init_callback(self) -> None:
        if self.best_model_save_path is not None:
            os.makedirs(self.best_model_save_path, exist_ok=True)
        if self.log_path is not None:
            os.makedirs(os.path.dirname(self.log_path), exist_ok=True)
        if self.callback_on_new_best is not None:
            self.callback_on_new_best.init_callback(self.model)

    def _log_success_callback(self, locals_: Dict[str, Any], globals_: Dict[str, Any]) -> None:
        success = locals_["info"].get("is_success")
        if locals_["done"] and success is not None:
            self._is_success_buffer.append(success)

    def _on_step(self) -> bool:
        if self.eval_freq <= 0 or self.n_calls % self.eval_freq != 0:
            return True
        self._synchronize()
        self._is_success_buffer = []
        returns, lengths = evaluate_policy(
            self.model, self.eval_env, n_eval_episodes=self.n_eval_episodes, render=self.render,
            deterministic=self.deterministic, return_episode_rewards=True, warn=self.warn,
            callback=self._log_success_callback,
        )  # fmt: skip
        self._keep(returns, lengths)
        self._tell(returns, lengths)
        is_wanted = True
        mean = float(np.mean(returns))
        self.last_mean_reward = mean
        if mean > self.best_mean_reward:
            if self.verbose >= 1:
                print("New best mean reward!")
            self.best_mean_reward = mean
            if self.best_model_save_path is not None:
                self.model.save(os.path.join(self.best_model_save_path, "best_model"))
            if self.callback_on_new_best is not None:
                is_wanted = goes_on(self.callback_on_new_best.on_step())
        return is_wanted and self._on_event()

    def _synchronize(self) -> None:
        # the statistics of a VecNormalize are those of training
        sync_envs_normalization(self.model.get_env(), self.eval_env)

    def _keep(self, returns: Any, lengths: Any) -> None:
        if self.log_path is None:
            return
        self.evaluations_timesteps.append(self.num_timesteps)
        self.evaluations_results.append(returns)
        self.evaluations_length.append(lengths)
        more: Dict[str, Any] = {}
        if self._is_success_buffer:
            self.evaluations_successes.append(self._is_success_buffer)
            more["successes"] = self.evaluations_successes
        np.savez(
            self.log_path, timesteps=self.evaluations_timesteps, results=self.evaluations_results,
            ep_lengths=self.evaluations_length, **more,
        )  # fmt: skip

    def _tell(self, returns: Any, lengths: Any) -> None:
        if self.verbose >= 1:
            print(
                f"Eval num_timesteps={self.num_timesteps}, episode_reward={np.mean(returns):.2f} +/- {np.std(returns):.2f}"
            )
            print(f"Episode length: {np.mean(lengths):.2f} +/- {np.std(lengths):.2f}")
        self.logger.record("eval/mean_reward", float(np.mean(returns)))
        self.logger.record("eval/mean_ep_length", float(np.mean(lengths)))
        if self._is_success_buffer:
            rate = float(np.mean(self._is_success_buffer))
            if self.verbose >= 1:
                print(f"Success rate: {100 * rate:.2f}%")
            self.logger.record("eval/success_rate", rate)
        self.logger.record("time/total_timesteps", self.num_timesteps, exclude="tensorboard")
        self.logger.dump(self.num_timesteps)
