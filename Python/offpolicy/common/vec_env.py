"""Vectors of environments; see `offpolicy.make_vec`, `offpolicy.vec_normalize`, `offpolicy.vec_env` and the other `vec_…`."""

from ..make_vec import DummyVecEnv, SubprocVecEnv
from ..vec_checks import VecCheckNan, VecExtractDictObs, VecTransposeImage
from ..vec_env import VecEnv
from ..vec_frame_stack import VecFrameStack
from ..vec_monitor import VecMonitor
from ..vec_normalize import VecNormalize, sync_envs_normalization
from ..vec_normalize import vec_normalize_of as unwrap_vec_normalize
from ..vec_wrapper import VecEnvWrapper, is_vecenv_wrapped, unwrap_vec_wrapper

__all__ = [
    "DummyVecEnv", "SubprocVecEnv", "VecCheckNan", "VecEnv", "VecEnvWrapper", "VecExtractDictObs", "VecFrameStack", "VecMonitor",
    "VecNormalize", "VecTransposeImage", "is_vecenv_wrapped", "sync_envs_normalization", "unwrap_vec_normalize", "unwrap_vec_wrapper",
]  # fmt: skip


def __getattr__(name: str) -> object:
    from .absent import refuse

    return refuse(__name__, name)
