"""The base of all models; see `offpolicy.base`."""

from ..base import OffPolicyModel as BaseAlgorithm

__all__ = ["BaseAlgorithm"]
