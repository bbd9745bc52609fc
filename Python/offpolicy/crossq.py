"""CrossQ: batch normalisation and no target networks (Bhatt et al. 2024), for continuous actions."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from . import arguments
from .base import OffPolicyModel
from .errors import UnsupportedError
from .temperature import WithTemperature


class CrossQ(WithTemperature, OffPolicyModel):
    """CrossQ, with the constructor of sb3-contrib; arguments that are not named here are those of SAC.

    There are no targets, so `tau` is no argument.

    :param policy_delay: updates of the critics to one of the policy and the temperature
    :param policy_kwargs: as SAC's, with net_arch {"pi": [256, 256], "qf": [1024, 1024]} and betas (0.5, 0.999) by default;
        also batch_norm_momentum, 0.01, the share of a batch in the running statistics, batch_norm_eps, 0.001, and
        renorm_warmup_steps, 100,000 batches before batch renormalisation begins
    """

    algorithm = "crossq"
    is_single_network = False
    tau = 1.0

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 1e-3,
        buffer_size: int = 1_000_000,
        learning_starts: int = 100,
        batch_size: int = 256,
        gamma: float = 0.99,
        train_freq: Any = 1,
        gradient_steps: int = 1,
        action_noise: Any = None,
        replay_buffer_class: Any = None,
        replay_buffer_kwargs: Optional[Dict[str, Any]] = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        ent_coef: Union[str, float] = "auto",
        target_entropy: Union[str, float] = "auto",
        policy_delay: int = 3,
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
        if not given.pop("batch_norm", True):
            raise UnsupportedError("policy_kwargs: batch_norm=False is not supported; without batch normalisation use SAC")
        warmup = int(given.pop("renorm_warmup_steps", 100_000))
        settings = {
            "batchMomentum": 1 - float(given.pop("batch_norm_momentum", 0.01)),
            "batchEpsilon": float(given.pop("batch_norm_eps", 0.001)),
            "batchNormalization": {"renormalized": {"ratioBound": 3, "distanceBound": 5, "warmup": warmup}},
            "policyDelay": int(self.policy_delay),  # type: ignore[attr-defined]
        }
        sizes = given.pop("net_arch", None) or {"pi": [256, 256], "qf": [1024, 1024]}
        if not isinstance(sizes, dict):
            # the library's policy has sizes of its own
            sizes = {"pi": sizes, "qf": sizes}
        if given.get("optimizer_kwargs") is None:
            given["optimizer_kwargs"] = {"betas": (0.5, 0.999)}
        else:
            given["optimizer_kwargs"] = {"betas": (0.9, 0.999), **given["optimizer_kwargs"]}
        networks = arguments.networks({"net_arch": sizes, **given}, [256, 256], critics=2, separate=True)
        return {**settings, **networks, **self._soft_settings(has_targets=False)}
