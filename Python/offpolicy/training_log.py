"""What training tells the logger: episodes, speed, losses."""

from __future__ import annotations

import sys
import time
from typing import Any, Optional

from .logger import mean

#: the library's metrics by the names that Stable-Baselines3 has for them
_METRICS = {
    "criticLoss": "train/critic_loss", "policyLoss": "train/actor_loss", "temperature": "train/ent_coef",
    "entropy": "train/entropy", "targetMean": "train/target_mean",
}  # fmt: skip


def record_metrics(model: Any) -> None:
    """Records the means of the updates since the last call."""
    metrics = model._learner.json("metrics")
    for name, value in metrics["means"].items():
        key = _METRICS.get(name, "train/" + name)
        model.logger.record("train/loss" if model.is_single_network and name == "criticLoss" else key, value)
    loss = model._temperature_loss(metrics["means"]) if hasattr(model, "_temperature_loss") else None
    if loss is not None:
        model.logger.record("train/ent_coef_loss", loss)
    updates = model._n_updates
    if updates > 0:
        model.logger.record("train/learning_rate", model.lr_schedule(model._current_progress_remaining))
        model.logger.record("train/n_updates", updates, exclude="tensorboard")


def dump_logs(model: Any) -> None:
    """Writes statistics of the last episodes, speed and losses."""
    elapsed = max((time.time_ns() - model.start_time) / 1e9, sys.float_info.epsilon)
    log = model.logger
    model._current_progress_remaining = 1.0 - model.num_timesteps / max(1, model._total_timesteps)
    record_metrics(model)
    log.record("time/episodes", model._episode_num, exclude="tensorboard")
    if model.ep_info_buffer:
        log.record("rollout/ep_rew_mean", mean([episode["r"] for episode in model.ep_info_buffer]))
        log.record("rollout/ep_len_mean", mean([episode["l"] for episode in model.ep_info_buffer]))
    if model.ep_success_buffer:
        log.record("rollout/success_rate", mean(list(model.ep_success_buffer)))
    if model.is_discrete and hasattr(model, "exploration_rate"):
        log.record("rollout/exploration_rate", model.exploration_rate)
    log.record("time/fps", int((model.num_timesteps - model._num_timesteps_at_start) / elapsed))
    log.record("time/time_elapsed", int(elapsed), exclude="tensorboard")
    log.record("time/total_timesteps", model.num_timesteps, exclude="tensorboard")
    log.dump(step=model.num_timesteps)


def count_episode(model: Any, episode: Any, success: Any, log_interval: Optional[int]) -> None:
    """Counts an episode that has ended, and writes the log where that is due."""
    if episode is not None:
        model.ep_info_buffer.append(episode)
    if success is not None:
        model.ep_success_buffer.append(success)
    model._episode_num += 1
    if log_interval is not None and model._episode_num % log_interval == 0:
        dump_logs(model)
