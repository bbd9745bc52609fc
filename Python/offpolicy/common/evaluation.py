"""evaluate_policy; see `offpolicy.evaluation`."""

from ..evaluation import evaluate_policy

__all__ = ["evaluate_policy"]
