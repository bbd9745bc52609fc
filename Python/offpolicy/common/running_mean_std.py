"""Running statistics; see `offpolicy.vec_normalize`."""

from ..vec_normalize import RunningMeanStd

__all__ = ["RunningMeanStd"]
