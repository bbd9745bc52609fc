"""TD3: twin delayed deep deterministic policy gradient (Fujimoto et al. 2018), for continuous actions."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .. import arguments
from ..base import OffPolicyModel


class TD3(OffPolicyModel):
    """Twin delayed DDPG, with the constructor of Stable-Baselines3; arguments that are not named here are those of SAC.

    :param action_noise: exploration; None: none
    :param policy_delay: updates of the critics to one of the policy and the targets
    :param target_policy_noise: standard deviation of the noise on target actions, in units of [−1, 1]
    :param target_noise_clip: bound of that noise
    """

    algorithm = "td3"
    is_single_network = False
    _explores_with_noise = True

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 1e-3,
        buffer_size: int = 1_000_000,
        learning_starts: int = 100,
        batch_size: int = 256,
        tau: float = 0.005,
        gamma: float = 0.99,
        train_freq: Any = 1,
        gradient_steps: int = 1,
        action_noise: Any = None,
        replay_buffer_class: Any = None,
        replay_buffer_kwargs: Optional[Dict[str, Any]] = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        policy_delay: int = 2,
        target_policy_noise: float = 0.2,
        target_noise_clip: float = 0.5,
        stats_window_size: int = 100,
        tensorboard_log: Optional[str] = None,
        policy_kwargs: Optional[Dict[str, Any]] = None,
        verbose: int = 0,
        seed: Optional[int] = None,
        device: Any = "auto",
        _init_setup_model: bool = True,
        *,
        configuration: Optional[Dict[str, Any]] = None,
        threads: Optional[int] = None,
        n_envs: int = 1,
        environment_options: Optional[Dict[str, Any]] = None,
    ) -> None:
        self._make(locals())

    def _configuration(self) -> Dict[str, Any]:
        return {
            **arguments.networks(self.policy_kwargs, [400, 300], critics=2, separate=True),
            **self._rates("policyLearningRate", "criticLearningRate"),
            "targetTracking": arguments.tracking(self.tau, 1),
            "policyDelay": int(self.policy_delay),  # type: ignore[attr-defined]
            "targetNoise": float(self.target_policy_noise),  # type: ignore[attr-defined]
            # actions are in [−1, 1], so a bound above 2 has no effect
            "targetNoiseClip": min(float(self.target_noise_clip), 2.0),  # type: ignore[attr-defined]
        }
