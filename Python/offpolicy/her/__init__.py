"""Hindsight under the names of Stable-Baselines3; see `replay_buffer_class`."""

from .goal_selection_strategy import GoalSelectionStrategy

#: for `replay_buffer_class`
HerReplayBuffer = "HerReplayBuffer"

__all__ = ["GoalSelectionStrategy", "HerReplayBuffer"]
