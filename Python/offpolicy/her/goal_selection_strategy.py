"""The step after which another goal was reached."""

from enum import Enum


class GoalSelectionStrategy(Enum):
    """For `replay_buffer_kwargs=dict(goal_selection_strategy=…)`, by member or by name."""

    FUTURE = 0
    FINAL = 1
    EPISODE = 2
