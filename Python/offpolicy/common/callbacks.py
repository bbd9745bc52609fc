"""Callbacks; see `offpolicy.callbacks`."""

from ..callbacks import (
    BaseCallback,
    CallbackList,
    CheckpointCallback,
    ConvertCallback,
    EvalCallback,
    EventCallback,
    EveryNTimesteps,
    LogEveryNTimesteps,
    ProgressBarCallback,
    StopTrainingOnMaxEpisodes,
    StopTrainingOnNoModelImprovement,
    StopTrainingOnRewardThreshold,
)

__all__ = [
    "BaseCallback", "CallbackList", "CheckpointCallback", "ConvertCallback", "EvalCallback", "EventCallback",
    "EveryNTimesteps", "LogEveryNTimesteps", "ProgressBarCallback", "StopTrainingOnMaxEpisodes",
    "StopTrainingOnNoModelImprovement", "StopTrainingOnRewardThreshold",
]  # fmt: skip
