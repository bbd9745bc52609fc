"""Replay buffers; see `offpolicy.replay`. For `replay_buffer_class` they are the defaults."""

from ..replay import DictReplayBuffer, NStepReplayBuffer, ReplayBuffer, ReplayBufferSamples

__all__ = ["DictReplayBuffer", "NStepReplayBuffer", "ReplayBuffer", "ReplayBufferSamples"]


def __getattr__(name: str) -> object:
    from .absent import refuse

    return refuse(__name__, name)
