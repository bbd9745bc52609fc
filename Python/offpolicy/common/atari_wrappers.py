"""Wrappers of Atari games: not here; an import says what there is instead."""


def __getattr__(name: str) -> object:
    from .absent import refuse

    return refuse(__name__, name)
