"""The replay buffer for hindsight under the name of Stable-Baselines3's module."""

from ..replay import HerReplayBuffer

__all__ = ["HerReplayBuffer"]
