"""XQC: distributional critics, batch normalisation and weights of length 1 (Palenicek et al. 2026), for continuous actions."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from . import arguments
from .base import OffPolicyModel
from .errors import UnsupportedError
from .schedules import LinearSchedule
from .temperature import WithTemperature


class XQC(WithTemperature, OffPolicyModel):
    """XQC, with the constructor of SAC and the defaults of the library; arguments that are not named here are those of SAC.

    Rewards are divided by the running deviation of the discounted return, so that most returns lie between `v_min` and
    `v_max`; `configuration={"scaleRewards": False}` turns this off.

    :param gamma: discount; for episodes of T steps the authors take 1 - 5 / T within [0.95, 0.995]
    :param policy_delay: updates of the critics to one of the policy and the temperature
    :param n_atoms: values that a return may have, equally spaced from `v_min` to `v_max`, in scaled rewards
    :param target_entropy: "auto": minus half the number of action dimensions
    :param policy_kwargs: as SAC's, with net_arch [256, 256, 256, 256] by default and ReLU as the only activation; also
        batch_norm_momentum, 0.01, the weight of a batch in the running statistics, and batch_norm_eps, 0.001
    """

    algorithm = "xqc"
    is_single_network = False
    _entropy_per_action = -0.5

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = LinearSchedule(3e-4, 3e-5, 1.0),
        buffer_size: int = 1_000_000,
        learning_starts: int = 5_000,
        batch_size: int = 256,
        tau: float = 0.005,
        gamma: float = 0.995,
        train_freq: Any = 1,
        gradient_steps: int = 1,
        action_noise: Any = None,
        replay_buffer_class: Any = None,
        replay_buffer_kwargs: Optional[Dict[str, Any]] = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        ent_coef: Union[str, float] = "auto_0.01",
        target_update_interval: int = 1,
        target_entropy: Union[str, float] = "auto",
        policy_delay: int = 3,
        n_atoms: int = 101,
        v_min: float = -5.0,
        v_max: float = 5.0,
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
        if arguments.activation_name(given.pop("activation_fn", "ReLU")) != "ReLU":
            raise UnsupportedError("policy_kwargs: XQC has ReLU as its only activation_fn; leave it out")
        return {
            "batchMomentum": 1 - float(given.pop("batch_norm_momentum", 0.01)),
            "batchEpsilon": float(given.pop("batch_norm_eps", 0.001)),
            "policyDelay": int(self.policy_delay),  # type: ignore[attr-defined]
            "atoms": int(arguments.number("n_atoms", self.n_atoms)),  # type: ignore[attr-defined]
            "minimumValue": arguments.number("v_min", self.v_min),  # type: ignore[attr-defined]
            "maximumValue": arguments.number("v_max", self.v_max),  # type: ignore[attr-defined]
            "policyHiddenSizes": None,  # as the critics, unless net_arch says otherwise
            "learningRateSchedule": {"constant": {}},  # learning_rate is the schedule
            **arguments.networks(given, [256, 256, 256, 256], critics=2, separate=True),
            **self._soft_settings(),
        }
