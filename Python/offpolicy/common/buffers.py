"""The replay buffer; see `offpolicy.replay`. For `replay_buffer_class` it is the default."""

from ..replay import ReplayBuffer, ReplayBufferSamples

__all__ = ["ReplayBuffer", "ReplayBufferSamples"]
