"""The model: what the algorithms have in common.

A model has a learner of the library and the environments that it collects from. The constructors' arguments are kept as
attributes of the same names. Each verb has its file: training.py, prediction.py, saving.py, parameters.py. Its environments
are in model_environments.py.
"""

from __future__ import annotations

import inspect
import random
from collections import deque
from typing import Any, ClassVar, Dict, List, Optional, Tuple

import numpy as np

from . import _native, arguments, changed_arguments, one_thread, parameters, prediction, saving, spaces, training
from .goals import GoalFunction
from .learner_settings import learner_settings
from .logger import Logger
from .model_environments import WithEnvironments
from .noise import VectorizedActionNoise, check_noise, native_noise, restart_noise
from .policy import Device, Policy
from .replay import replay_buffer_of
from .schedules import FloatSchedule
from .training_steps import first_rate
from .vectors import make_lanes


class OffPolicyModel(WithEnvironments):
    """Base of the models. Subclasses have the constructors, and say in `_configuration` what their arguments mean."""

    #: the library's name of the algorithm
    algorithm: ClassVar[str] = ""
    is_discrete: ClassVar[bool] = False
    #: whether critic and policy are one network
    is_single_network: ClassVar[bool] = False

    learning_rate: Any
    learning_starts: int
    buffer_size: int
    batch_size: int
    gamma: float
    tau: float
    train_freq: Any
    gradient_steps: int
    n_steps: int
    action_noise: Any = None
    policy_kwargs: Dict[str, Any]
    verbose: int
    seed: Optional[int]
    tensorboard_log: Optional[str]

    def _make(self, given: Dict[str, Any]) -> None:
        """Takes a constructor's arguments, refuses what is not supported, makes environments and learner."""
        given = {name: value for name, value in given.items() if name not in ("self", "__class__")}
        policy, environment = given.pop("policy"), given.pop("env")
        given.pop("_init_setup_model", None)
        policy_name = arguments.check_policy(policy)
        for name, value in given.items():
            setattr(self, name, value)
        for name in ("policy_kwargs", "configuration"):
            setattr(self, name, arguments.dictionary(name, getattr(self, name)))
        self._check()
        lanes, built_in = make_lanes(environment, self.n_envs, self.environment_options)
        self.n_envs = lanes.num_envs
        self._set_spaces(lanes.observation_space, lanes.action_space, policy_name)
        self._start_counting()
        self._set_lanes(lanes, built_in)
        self._make_learner()
        if self.seed is not None:
            self._seed_surroundings(self.seed)
        if self.verbose >= 1:
            where = f"built-in {built_in}" if built_in else type(getattr(lanes, "env", lanes)).__name__
            print(f"{type(self).__name__}: {lanes.num_envs} × {where}, {self._threads} threads on the CPU")

    def _check(self) -> None:
        """Refuses what no environment could make right."""
        arguments.check_device(self.device)
        self.device = Device("cpu")
        arguments.refuse_sde(getattr(self, "use_sde", False), getattr(self, "use_sde_at_warmup", False))
        self.train_freq = arguments.train_freq(self.train_freq)
        arguments.check_kinds(self)
        self._setup_lr_schedule()
        self._has_constant_rate = self.lr_schedule.is_constant
        self._hindsight = arguments.hindsight(self.replay_buffer_class, self.replay_buffer_kwargs, self.buffer_size)
        arguments.check_n_steps(self.n_steps, self._hindsight.goals)

    def _setup_lr_schedule(self) -> None:
        self.lr_schedule = FloatSchedule(self.learning_rate)

    def _set_spaces(self, observations: Any, actions: Any, policy_name: str) -> None:
        spaces.check_observations(observations, policy_name)
        spaces.check_actions(actions, self.is_discrete, type(self).__name__)
        self.policy_class = policy_name
        self.observation_space, self.action_space = observations, actions

    def _start_counting(self) -> None:
        self._training_thread: Optional[int] = None
        self.num_timesteps = 0
        self._total_timesteps = 0
        self._num_timesteps_at_start = 0
        self._episode_num = 0
        self._current_progress_remaining = 1.0
        self.start_time = 0.0
        self.ep_info_buffer: deque = deque(maxlen=self.stats_window_size)
        self.ep_success_buffer: deque = deque(maxlen=self.stats_window_size)
        self._logger: Optional[Logger] = None
        self._custom_logger = False
        self._round = training.Round()
        self._must_restart_streams = False
        self._policy_handle: Optional[_native.Handle] = None
        self.policy = Policy(self)

    # ---- the learner

    def _make_learner(self) -> None:
        lanes = self._lanes
        self._cadence = arguments.cadence(self.train_freq, self.gradient_steps, self.n_envs)
        check_noise(self.action_noise, prediction.row_maps(self).actions.size, self.n_envs)
        noise = native_noise(self.action_noise) if self._explores_with_noise else None
        self._noise_in_python = self.action_noise is not None and noise is None
        if self._noise_in_python and self.n_envs > 1 and not hasattr(self.action_noise, "noises"):
            self.action_noise = VectorizedActionNoise(self.action_noise, self.n_envs)
        # the library steps built-in environments itself, where nothing in Python belongs into a step
        self._steps_natively = (
            self._built_in is not None and not self._noise_in_python and self._cadence.by_library
            and self.gradient_steps != 0
            # where the library steps, an episode that ran out of time is one that did not end
            and not arguments.timeouts_are_ends(self.replay_buffer_kwargs)
        )  # fmt: skip
        self._goal_function: Optional[GoalFunction] = None
        settings = learner_settings(self, noise)
        if not self._steps_natively and self._hindsight.goals > 0:
            self._goal_function = GoalFunction(self.observation_space, lanes)
            settings["goals"] = self._goal_function.settings()
        self._learner = _native.Learner(settings)
        if self._goal_function is not None:
            self._goal_function.attach(self._learner)
        self._applied: Dict[str, float] = {}
        self.replay_buffer: Any = replay_buffer_of(self)
        self._actions = prediction.row_maps(self)
        self._learner_arguments = changed_arguments.argument_values(self)

    #: whether the library has noise for it; others draw their actions, and add noise in Python
    _explores_with_noise: ClassVar[bool] = False

    def _configuration(self) -> Dict[str, Any]:
        """The library's hyperparameters that are this algorithm's own."""
        raise NotImplementedError

    def _rates(self, *names: str) -> Dict[str, float]:
        # a schedule that begins with 0 is set before the first update
        return dict.fromkeys(names, first_rate(self))

    # ---- what Stable-Baselines3 has

    @property
    def logger(self) -> Logger:
        """The logger; `learn` makes one where nobody set one."""
        if self._logger is None:
            self._logger = Logger(None, [])
        return self._logger

    def set_logger(self, logger: Any) -> None:
        """Sets the logger, ours or SB3's; `verbose` and `tensorboard_log` are then without effect on it."""
        self._logger, self._custom_logger = logger, True

    def set_random_seed(self, seed: Optional[int] = None) -> None:
        """Restarts the model's random streams from a seed, and seeds Python's and NumPy's generators, the action space and the
        environments' next resets. What was learned stays. In a callback, the streams restart with the next round.

        differs: it sets `seed` too, so that a saved model goes on in the same streams.
        """
        seed = arguments.seed(seed)
        if seed is None:
            return
        one_thread.check(self)
        self._seed_surroundings(seed)
        self.seed = self._seed = seed
        restart_noise(self.action_noise)
        if self._policy_handle is None:
            self._must_restart_streams = True
            if self._training_thread is None:
                changed_arguments.take_changed_arguments(self)

    def _seed_surroundings(self, seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        self.action_space.seed(seed)
        if self._lanes is not None:
            self._lanes.seed(seed)

    @property
    def _last_obs(self) -> Any:
        return None if self._must_reset or self._lanes is None else self._lanes.observations

    @property
    def _n_updates(self) -> int:
        return int(self._learner.counts()[2])

    @property
    def digest(self) -> str:
        """A hash of all learned parameters, that of the program's `inspect`."""
        one_thread.check(self)
        return self._learner.result("digest").decode()

    def value(self, observation: Any, action: Any) -> np.ndarray:
        """Q (n), the smallest of the critics', of observations and actions."""
        one_thread.check(self)
        return prediction.values(self, observation, action)

    def learn(
        self, total_timesteps: int, callback: Any = None, log_interval: Optional[int] = 4,
        tb_log_name: Optional[str] = None, reset_num_timesteps: bool = True, progress_bar: bool = False,
    ) -> Any:  # fmt: skip
        """Trains for at least so many steps of single environments; returns the model.

        :param callback: a callback of ours or SB3's, a function of locals and globals, or a list of them
        :param log_interval: episodes between writings of the log; None: never
        :param reset_num_timesteps: counts from 0 and resets the environments; else goes on
        """
        with one_thread.training(self):
            return training.learn(
                self, total_timesteps, callback, log_interval, tb_log_name or type(self).__name__, reset_num_timesteps,
                progress_bar,
            )  # fmt: skip

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> Tuple[np.ndarray, Any]:
        """Actions for one observation, or for n stacked ones.

        :return: an action, or n stacked ones, in the environment's units and types; and `state`, which nobody needs here
        """
        one_thread.check(self)
        return prediction.predict(self, observation, deterministic), state

    @property
    def actor(self) -> Any:
        """The part of the policy that chooses actions; not of DQN."""
        return self.policy.actor

    @property
    def q_net(self) -> Any:
        """The values of all actions, of DQN."""
        return self.policy.q_net

    def dump_logs(self) -> None:
        """Writes the log."""
        training.dump_logs(self)

    def get_parameters(self) -> Dict[str, Dict[str, np.ndarray]]:
        """Parameters by name: of "policy" (networks and targets), and of "optimizer" (moments and counts).

        They are NumPy arrays, or tensors where the program has imported PyTorch.
        """
        one_thread.check(self)
        return parameters.get(self)

    def set_parameters(self, load_path_or_dict: Any, exact_match: bool = True, device: Any = "auto") -> None:
        """Sets parameters from `get_parameters` or from a saved model.

        :param exact_match: whether all have to be there; else those that are there are set
        """
        one_thread.check(self)
        parameters.set(self, load_path_or_dict, exact_match)

    def _check_parameters(self, given: Dict[str, Any], names: List[str]) -> None:
        parameters.check(self, given, names)

    def save(self, path: Any, exclude: Any = None, include: Any = None) -> None:
        """Saves everything in one file; `.zip` is added where the path has no suffix.

        The file is written whole or not at all. Going on from it gives the bits of never having stopped, as far as the
        environments can be put back. It holds no pickle: nothing in it is run.

        :param exclude: names of arguments that are not saved; "replay_buffer" leaves the buffer out
        """
        one_thread.check(self)
        saving.save(self, path, exclude, include)

    @classmethod
    def load(
        cls, path: Any, env: Any = None, device: Any = "auto", custom_objects: Optional[Dict[str, Any]] = None,
        print_system_info: bool = False, force_reset: bool = True, **overrides: Any,
    ) -> Any:  # fmt: skip
        """A new model from a file of `save`, a zip of Stable-Baselines3, a policy.safetensors, or a run's folder.

        :param env: its environments; None: it predicts, and trains where they are built in
        :param custom_objects: arguments to replace, where the file has them
        :param force_reset: whether the environments begin new episodes; those that can be put back go on where they were
        :param overrides: arguments to replace
        """
        return saving.load(cls, path, env, custom_objects, print_system_info, force_reset, overrides)

    def save_sb3(self, path: Any) -> None:
        """Writes a zip that Stable-Baselines3 opens."""
        from . import foreign_files

        foreign_files.write_sb3(self, path)

    def save_replay_buffer(self, path: Any) -> None:
        """Writes the replay buffer, a safetensors file; `.safetensors` is added where the path has no suffix."""
        saving.save_replay_buffer(self, path)

    def load_replay_buffer(self, path: Any, truncate_last_traj: bool = True) -> None:
        """Reads a replay buffer. The episodes that were running when it was written end there.

        :param truncate_last_traj: whether hindsight warns of it
        """
        saving.load_replay_buffer(self, path, truncate_last_traj and self._hindsight.goals > 0)

    def __getstate__(self) -> Dict[str, Any]:
        return {"saved": saving.to_bytes(self)}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        saving.fill(self, state["saved"])

    @classmethod
    def _argument_names(cls) -> List[str]:
        names = list(inspect.signature(cls.__init__).parameters)[1:]
        return [name for name in names if name not in ("policy", "env", "_init_setup_model")]


__all__ = ["OffPolicyModel"]
