"""Off-policy reinforcement learning on the CPU: SAC, TQC, REDQ, CrossQ, XQC, TD3, DDPG, DQN and DiscreteSAC.

    from offpolicy import SAC
    model = SAC("MlpPolicy", "Pendulum-v1", verbose=1, seed=0)
    model.learn(10_000)
    model.save("pendulum")
    action, _ = SAC.load("pendulum").predict([1.0, 0.0, 0.0], deterministic=True)

The interface is that of Stable-Baselines3. The work is done by a library written in Swift; NumPy is all that is needed.
"""

from ._native import describe
from .builtin import BuiltInEnvironment, built_in_ids
from .crossq import CrossQ
from .ddpg import DDPG
from .discrete_sac import DiscreteSAC
from .dqn import DQN
from .errors import NativeError, OffPolicyError, UnsupportedError
from .evaluation import evaluate_policy
from .logger import configure
from .noise import ActionNoise, NormalActionNoise, OrnsteinUhlenbeckActionNoise, VectorizedActionNoise
from .redq import REDQ
from .replay import HerReplayBuffer
from .sac import SAC
from .schedules import ConstantSchedule, LinearSchedule
from .td3 import TD3
from .tqc import TQC
from .xqc import XQC

__version__ = "0.1.0"

__all__ = [
    "ActionNoise", "BuiltInEnvironment", "ConstantSchedule", "CrossQ", "DDPG", "DQN", "DiscreteSAC", "HerReplayBuffer",
    "LinearSchedule", "NativeError", "NormalActionNoise", "OffPolicyError", "OrnsteinUhlenbeckActionNoise", "REDQ",
    "SAC", "TD3", "TQC", "UnsupportedError", "VectorizedActionNoise", "XQC", "built_in_ids", "configure", "describe",
    "evaluate_policy",
]  # fmt: skip


#: algorithms of Stable-Baselines3 and sb3-contrib that are not here
_OTHERS = ("A2C", "ARS", "MaskablePPO", "PPO", "QRDQN", "RecurrentPPO", "TRPO")


def __getattr__(name: str) -> object:
    if name in _OTHERS:
        raise ImportError(
            f"offpolicy has no {name}: it has off-policy algorithms, SAC, TQC, REDQ, CrossQ, XQC, TD3 and DDPG for continuous actions, "
            "DQN and DiscreteSAC for discrete ones"
        )
    # the checker is loaded when it is used
    if name == "check_env":
        from .check import check_env

        return check_env
    raise AttributeError(f"module 'offpolicy' has no attribute {name!r}")
