"""The base of all models; see `offpolicy.base`."""

from ..base import OffPolicyModel as OffPolicyAlgorithm

__all__ = ["OffPolicyAlgorithm"]
