"""DiscreteSAC: soft actor-critic for discrete actions (Christodoulou 2019)."""

from __future__ import annotations

import math
from typing import Any, Dict, Optional, Union

from . import arguments
from .base import OffPolicyModel
from .temperature import WithTemperature


class DiscreteSAC(WithTemperature, OffPolicyModel):
    """Soft actor-critic for discrete actions, with the constructor of SAC and the defaults of the library.

    Arguments that are not named here are those of SAC.

    :param learning_rate: None: 1e-3 of policy and critics, 3e-4 of the temperature
    :param target_entropy: "auto": half of the greatest, log A; or nats
    """

    algorithm = "sac-discrete"
    is_discrete = True
    is_single_network = False

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = None,
        buffer_size: int = 1_000_000,
        learning_starts: int = 1_000,
        batch_size: int = 128,
        tau: float = 0.005,
        gamma: float = 0.99,
        train_freq: Any = 1,
        gradient_steps: int = 1,
        replay_buffer_class: Any = None,
        replay_buffer_kwargs: Optional[Dict[str, Any]] = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        ent_coef: Union[str, float] = "auto",
        target_update_interval: int = 1,
        target_entropy: Union[str, float] = "auto",
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

    def _check(self) -> None:
        given = self.learning_rate
        if given is None:
            self.learning_rate = 1e-3
        super()._check()
        self.learning_rate = given

    def _configuration(self) -> Dict[str, Any]:
        entropy = self.target_entropy  # type: ignore[attr-defined]
        names = ["policyLearningRate", "criticLearningRate"]
        if self.learning_rate is not None:
            names.append("temperatureLearningRate")
        found = {
            **arguments.networks(self.policy_kwargs, [120, 84], critics=2, separate=True),
            **self._rates(*names),
            "targetTracking": arguments.tracking(self.tau, self.target_update_interval),  # type: ignore[attr-defined]
            "temperature": arguments.temperature(self.ent_coef),  # type: ignore[attr-defined]
        }
        if entropy != "auto":
            found["targetEntropyScale"] = float(entropy) / math.log(max(2, int(self.action_space.n)))
        return found
