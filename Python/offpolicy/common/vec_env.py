"""Vectors of environments; see `offpolicy.make_vec`, `offpolicy.vec_normalize` and `offpolicy.lanes`."""

from ..lanes import Lanes as VecEnv
from ..make_vec import DummyVecEnv, SubprocVecEnv
from ..vec_normalize import VecNormalize, sync_envs_normalization
from ..vec_normalize import vec_normalize_of as unwrap_vec_normalize
from ..vec_wrapper import VecEnvWrapper

__all__ = [
    "DummyVecEnv", "SubprocVecEnv", "VecEnv", "VecEnvWrapper", "VecNormalize", "sync_envs_normalization",
    "unwrap_vec_normalize",
]  # fmt: skip
