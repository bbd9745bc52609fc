"""REDQ: randomized ensembled double Q-learning (Chen et al. 2021), for continuous actions; with dropout it is DroQ."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from . import arguments
from .base import OffPolicyModel
from .temperature import WithTemperature


class REDQ(WithTemperature, OffPolicyModel):
    """Randomized ensembled double Q-learning, with the constructor of SAC and the defaults of the library.

    Arguments that are not named here are those of SAC. DroQ (Hiraoka et al. 2022) is
    `policy_kwargs=dict(n_critics=2, dropout_rate=0.01, layer_norm=True)`, the names that SBX has for it.

    :param n_critics_in_target: critics whose minimum a target is, drawn anew for each update
    :param policy_delay: updates of the critics to one of the policy and the temperature
    :param policy_kwargs: as SAC's; also n_critics, 10, dropout_rate, 0, and layer_norm, False: how the critics are made
    """

    algorithm = "redq"
    is_single_network = False

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 3e-4,
        buffer_size: int = 1_000_000,
        learning_starts: int = 5_000,
        batch_size: int = 256,
        tau: float = 0.005,
        gamma: float = 0.99,
        train_freq: Any = 1,
        gradient_steps: int = 20,
        action_noise: Any = None,
        replay_buffer_class: Any = None,
        replay_buffer_kwargs: Optional[Dict[str, Any]] = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        ent_coef: Union[str, float] = "auto",
        target_update_interval: int = 1,
        target_entropy: Union[str, float] = "auto",
        n_critics_in_target: int = 2,
        policy_delay: int = 20,
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
        normalization = "layer" if given.pop("layer_norm", False) else "none"
        return {
            "critics": int(given.pop("n_critics", 10)),
            "criticsInTarget": int(self.n_critics_in_target),  # type: ignore[attr-defined]
            "policyDelay": int(self.policy_delay),  # type: ignore[attr-defined]
            "criticDropout": float(given.pop("dropout_rate", None) or 0),
            "criticNormalization": {normalization: {}},
            **arguments.networks(given, [256, 256], critics=None, separate=True),
            **self._soft_settings(),
        }
