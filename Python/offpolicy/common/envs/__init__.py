"""Small environments; see `offpolicy.example_environments`."""

from ...example_environments import BitFlippingEnv, IdentityEnv, IdentityEnvBox

__all__ = ["BitFlippingEnv", "IdentityEnv", "IdentityEnvBox"]


def __getattr__(name: str) -> object:
    from ..absent import refuse

    return refuse(__name__, name)
