"""Hindsight under the names of Stable-Baselines3; see `replay_buffer_class`."""

from ..replay import HerReplayBuffer
from .goal_selection_strategy import GoalSelectionStrategy

__all__ = ["GoalSelectionStrategy", "HerReplayBuffer"]
