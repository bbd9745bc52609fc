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

try:
    from tqdm.auto import tqdm
except ImportError:
    tqdm = None

__all__ = [
    "BaseCallback", "CallbackList", "CheckpointCallback", "ConvertCallback", "EvalCallback", "EventCallback",
    "EveryNTimesteps", "LogEveryNTimesteps", "ProgressBarCallback", "StopTrainingOnMaxEpisodes",
    "StopTrainingOnNoModelImprovement", "StopTrainingOnRewardThreshold", "tqdm",
]  # fmt: skip
