"""make_vec_env; see `offpolicy.make_vec`."""

from ..make_vec import make_vec_env

__all__ = ["make_vec_env"]
