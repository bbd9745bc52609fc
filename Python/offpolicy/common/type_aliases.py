"""Names that scripts annotate with."""

from typing import Any, Callable, Dict, List, Union

from ..arguments import TrainFreq
from ..replay import ReplayBufferSamples
from ..schedules import Schedule

GymEnv = Any
GymObs = Any
MaybeCallback = Union[None, Callable[..., Any], List[Any], Any]
TensorDict = Dict[str, Any]
DictReplayBufferSamples = ReplayBufferSamples

__all__ = [
    "DictReplayBufferSamples", "GymEnv", "GymObs", "MaybeCallback", "ReplayBufferSamples", "Schedule", "TensorDict", "TrainFreq",
]  # fmt: skip
