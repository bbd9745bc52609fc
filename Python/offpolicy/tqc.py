"""TQC: truncated quantile critics (Kuznetsov et al. 2020), for continuous actions."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from . import arguments
from .base import OffPolicyModel
from .temperature import WithTemperature


class TQC(WithTemperature, OffPolicyModel):
    """Truncated quantile critics, with the constructor of sb3-contrib; arguments that are not named here are those of SAC.

    :param top_quantiles_to_drop_per_net: atoms that a target leaves out for each critic, the largest of all
    :param policy_kwargs: as SAC's; also n_critics, 2, and n_quantiles, 25: the critics and the atoms of each
    """

    algorithm = "tqc"
    is_single_network = False

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 3e-4,
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
        ent_coef: Union[str, float] = "auto",
        target_update_interval: int = 1,
        target_entropy: Union[str, float] = "auto",
        top_quantiles_to_drop_per_net: int = 2,
        use_sde: bool = False,
        sde_sample_freq: int = -1,
        use_sde_at_warmup: bool = False,
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
        given = dict(self.policy_kwargs)
        return {
            "critics": int(given.pop("n_critics", 2)),
            "quantiles": int(given.pop("n_quantiles", 25)),
            "droppedQuantiles": int(self.top_quantiles_to_drop_per_net),  # type: ignore[attr-defined]
            **arguments.networks(given, [256, 256], critics=None, separate=True),
            **self._soft_settings(),
        }
