"""SAC: soft actor-critic (Haarnoja et al. 2018), for continuous actions."""

from __future__ import annotations

from typing import Any, Dict, Optional, Union

from .. import arguments
from ..base import OffPolicyModel
from ..temperature import WithTemperature


class SAC(WithTemperature, OffPolicyModel):
    """Soft actor-critic, with the constructor of Stable-Baselines3.

    :param policy: "MlpPolicy", or "MultiInputPolicy" where observations are a Dict
    :param env: an id, an Env, a list of them, a function that makes one, a Gymnasium VectorEnv, or a VecEnv of SB3
    :param learning_rate: Adam's rate, or a function of the progress that remains, from 1 to 0
    :param buffer_size: transitions in the replay buffer
    :param learning_starts: first steps, with uniform actions and without updates
    :param train_freq: steps of all environments between updates, or (n, "step"), or (n, "episode")
    :param gradient_steps: updates after each of these; −1: as many as steps of single environments were taken
    :param action_noise: noise added to actions in [−1, 1]
    :param replay_buffer_class: HerReplayBuffer, by class or by name, for hindsight
    :param n_steps: steps of a return before the critics' value takes over
    :param ent_coef: the temperature α: "auto", "auto_0.1" (learned from 0.1 on) or a number
    :param target_update_interval: updates between steps of the targets
    :param target_entropy: "auto": −A; or nats of the density of actions in [−1, 1]
    :param policy_kwargs: net_arch, a list or {"pi": …, "qf": …}; optimizer_kwargs: betas, eps
    :param configuration: hyperparameters of the library by its own names, which override all others
    :param threads: threads of an update; the results do not depend on it
    :param n_envs: environments, where `env` is an id or a function
    :param environment_options: options of an environment that is given by its id
    """

    algorithm = "sac"
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
        return {
            **arguments.networks(self.policy_kwargs, [256, 256], critics=2, separate=True),
            **self._soft_settings(),
        }
