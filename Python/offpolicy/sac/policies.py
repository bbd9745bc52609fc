"""The policies of SAC under the name of Stable-Baselines3's module."""

from ..policy import Policy

__all__ = ["MlpPolicy", "MultiInputPolicy"]


class MlpPolicy(Policy):
    """Dense layers; `MlpPolicy.load` reads what a policy's `save` wrote."""


class MultiInputPolicy(Policy):
    """The same for a Dict of observations, whose parts are joined."""
