"""make_vec_env, and wrappers of environments; see `offpolicy.make_vec`."""

from ..make_vec import is_wrapped, make_vec_env, unwrap_wrapper

__all__ = ["is_wrapped", "make_vec_env", "unwrap_wrapper"]


def __getattr__(name: str) -> object:
    from .absent import refuse

    return refuse(__name__, name)
