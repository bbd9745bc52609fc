"""DQN: deep Q-network (Mnih et al. 2015), for discrete actions."""

from __future__ import annotations

import warnings
from typing import Any, Dict, Optional

from .. import _safetensors, arguments
from ..base import OffPolicyModel
from ..schedules import LinearSchedule
from ..training_steps import apply

#: the library leaves the targets alone: it hardly ever makes so many updates
_UNMOVED = {"hard": {"every": 1_000_000_000}}


class DQN(OffPolicyModel):
    """Deep Q-network, with the constructor of Stable-Baselines3; arguments that are not named here are those of SAC.

    As there the target's action is the target network's own (no Double DQN) and the loss is Huber's with δ = 1;
    `configuration={"doubleQ": True}` and `{"huberThreshold": None}` change that.

    :param target_update_interval: steps of single environments between copies of the network to the target network
    :param exploration_fraction: part of the run over which ε falls
    :param exploration_initial_eps: ε, the share of random actions, at first
    :param exploration_final_eps: ε at last
    :param max_grad_norm: bound of the gradient's norm
    """

    algorithm = "dqn"
    is_discrete = True
    is_single_network = True

    def __init__(
        self,
        policy: Any,
        env: Any,
        learning_rate: Any = 1e-4,
        buffer_size: int = 1_000_000,
        learning_starts: int = 100,
        batch_size: int = 32,
        tau: float = 1.0,
        gamma: float = 0.99,
        train_freq: Any = 4,
        gradient_steps: int = 1,
        replay_buffer_class: Any = None,
        replay_buffer_kwargs: Optional[Dict[str, Any]] = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        target_update_interval: int = 10_000,
        exploration_fraction: float = 0.1,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        max_grad_norm: Optional[float] = 10,
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
        interval = self.target_update_interval  # type: ignore[attr-defined]
        if self.n_envs > interval:
            warnings.warn(
                f"The number of environments used is greater than the target network update interval ({self.n_envs} > "
                f"{interval}): the target network is updated after each round of {self.n_envs} steps",
                UserWarning,
                stacklevel=5,
            )
        # steps of the environments between copies, in updates
        updates = max(interval, self.n_envs) * self._updates_per_step()
        tracking = _UNMOVED if self._moves_targets else arguments.tracking(self.tau, updates)
        return {
            **arguments.networks(self.policy_kwargs, [64, 64], critics=1, separate=False),
            **self._rates("criticLearningRate"),
            "targetTracking": tracking,
            "doubleQ": False,
            "huberThreshold": 1.0,
            "maximumGradientNorm": None if self.max_grad_norm is None else float(self.max_grad_norm),  # type: ignore[attr-defined]
            "initialEpsilon": float(self.exploration_initial_eps),  # type: ignore[attr-defined]
            "finalEpsilon": float(self.exploration_final_eps),  # type: ignore[attr-defined]
        }

    @property
    def _moves_targets(self) -> bool:
        # the library counts updates, and an episode has any number of steps for each
        return self.train_freq.unit == "episode" and "targetTracking" not in self.configuration

    def _before_updates(self, steps: int) -> None:
        """Moves the target as often as Stable-Baselines3 does in a round of so many steps."""
        if not self._moves_targets:
            return
        interval = self.target_update_interval  # type: ignore[attr-defined]
        now = int(self._learner.counts()[0])
        moves = now // interval - (now - steps) // interval
        if moves == 0:
            return
        # θ̄ ← τ θ + (1 − τ) θ̄, several times: θ stays the same while steps are taken
        kept = (1 - float(self.tau)) ** moves
        tensors, _ = _safetensors.decode(self._learner.result("parameters"))
        moved = {
            name: (1 - kept) * tensors[name[len("target_") :]] + kept * target
            for name, target in tensors.items() if name.startswith("target_")
        }  # fmt: skip
        self._learner.give("set_parameters", _safetensors.encode(moved))

    def _updates_per_step(self) -> float:
        if self.gradient_steps < 0:
            return 1.0
        return max(self.gradient_steps, 1) / (self.n_envs * self.train_freq.frequency)

    @property
    def exploration_schedule(self) -> LinearSchedule:
        """ε as a function of the progress that remains."""
        return LinearSchedule(
            self.exploration_initial_eps, self.exploration_final_eps, self.exploration_fraction  # type: ignore[attr-defined]
        )

    def _before_step(self, progress: float) -> None:
        apply(self, "epsilon", float(self.exploration_schedule(progress)))

    @property
    def exploration_rate(self) -> float:
        """ε as it is now."""
        return self._learner.get("epsilon")

    @exploration_rate.setter
    def exploration_rate(self, value: float) -> None:
        self._applied.pop("epsilon", None)
        self._learner.set("epsilon", float(value))
