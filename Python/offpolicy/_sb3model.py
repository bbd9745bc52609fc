"""What a model file of Stable-Baselines3 or CleanRL holds, and the arguments that it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List

from ._sb3names import Tensors


@dataclass
class SB3Model:
    """What a model file holds."""

    #: "sac", "td3", "ddpg" or "dqn"
    algorithm: str
    #: Weights, targets, Adam's moments and counts under the names of `offpolicy_parameters`.
    tensors: Tensors
    #: Arguments of the constructor, by Stable-Baselines3's names. Noise is as in `settings`.
    settings: Dict[str, Any] = field(default_factory=dict)
    #: Descriptions as `spaces.describe` gives them; None where the file does not say (CleanRL's observations).
    observation_space: Any = None
    action_space: Any = None
    num_timesteps: int = 0
    episodes: int = 0
    updates: int = 0
    #: What the file holds and this model does not, a sentence each.
    notes: List[str] = field(default_factory=list)


_COMMON: Dict[str, Any] = {
    "learning_rate": 1e-3, "buffer_size": 1_000_000, "learning_starts": 100, "batch_size": 256, "tau": 0.005,
    "gamma": 0.99, "train_freq": 1, "gradient_steps": 1, "n_steps": 1, "optimize_memory_usage": False,
    "tensorboard_log": None, "verbose": 0, "seed": None, "stats_window_size": 100, "action_noise": None,
}  # fmt: skip
# the arguments that a file says, and what they are where it does not
DEFAULTS: Dict[str, Dict[str, Any]] = {
    "sac": {
        **_COMMON, "learning_rate": 3e-4, "ent_coef": "auto", "target_entropy": "auto", "target_update_interval": 1,
    },
    "td3": {**_COMMON, "policy_delay": 2, "target_policy_noise": 0.2, "target_noise_clip": 0.5},
    "ddpg": {**_COMMON, "policy_delay": 1, "target_policy_noise": 0.1, "target_noise_clip": 0.0},
    "dqn": {
        **_COMMON, "learning_rate": 1e-4, "batch_size": 32, "tau": 1.0, "train_freq": 4,
        "target_update_interval": 10_000, "exploration_fraction": 0.1, "exploration_initial_eps": 1.0,
        "exploration_final_eps": 0.05, "max_grad_norm": 10,
    },
}  # fmt: skip
