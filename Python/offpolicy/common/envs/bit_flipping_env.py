"""BitFlippingEnv; see `offpolicy.example_environments`."""

from ...example_environments import BitFlippingEnv

__all__ = ["BitFlippingEnv"]
