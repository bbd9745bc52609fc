"""Policies; see `offpolicy.policy`."""

from ..policy import Policy as BasePolicy

__all__ = ["BasePolicy"]


def __getattr__(name: str) -> object:
    from .absent import refuse

    return refuse(__name__, name)
