"""Names that scripts annotate with."""

from typing import Any, Callable, Dict, List, Tuple, Union

from ..arguments import TrainFreq
from ..replay import ReplayBufferSamples
from ..schedules import Schedule

GymEnv = Any
GymObs = Any
GymResetReturn = Tuple[Any, Dict[str, Any]]
GymStepReturn = Tuple[Any, float, bool, bool, Dict[str, Any]]
MaybeCallback = Union[None, Callable[..., Any], List[Any], Any]
TensorDict = Dict[str, Any]
DictReplayBufferSamples = ReplayBufferSamples

__all__ = [
    "DictReplayBufferSamples", "GymEnv", "GymObs", "GymResetReturn", "GymStepReturn", "MaybeCallback", "ReplayBufferSamples",
    "Schedule", "TensorDict", "TrainFreq",
]  # fmt: skip
