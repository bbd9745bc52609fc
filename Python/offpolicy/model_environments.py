"""The environments of a model: taking, exchanging and returning them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from . import prediction, saving, spaces
from .environments import innermost
from .errors import UnsupportedError
from .goals import GoalFunction
from .lanes import Lanes, register_with_sb3
from .vec_environments import VecEnvLanes
from .vec_normalize import vec_normalize_of
from .vectors import make_lanes

#: the model that last trained in an environment, by the ids of both
_users: Dict[int, int] = {}


class WithEnvironments:
    """A model that acts in environments, its lanes."""

    n_envs: int
    observation_space: Any
    action_space: Any
    _hindsight: Any
    _learner: Any
    _steps_natively: bool
    _policy_handle: Any

    def _set_lanes(self, lanes: Lanes, built_in: Optional[str]) -> None:
        self._lanes: Optional[Lanes] = lanes
        self._built_in = built_in
        self._vec_normalize_env = vec_normalize_of(getattr(lanes, "env", None))
        lanes.prepare(goals=self._hindsight.goals > 0 and built_in is None)
        # whether the environments have to be reset before the next step
        self._must_reset = True
        self._epoch = lanes.epoch
        # where a saved model's environments were, and what was seen there, until training goes on
        self._saved_lanes: Optional[List[Any]] = None
        self._saved_rows: Optional[List[Any]] = None
        if hasattr(self, "_actions"):
            self._actions = prediction.row_maps(self)

    def _take_lanes(self) -> bool:
        """Records that this model trains in its environments; returns whether another model has trained there since."""
        lanes = self._lanes
        single = getattr(lanes, "_base", getattr(lanes, "env", lanes))
        stepped = [innermost(one) for one in lanes.envs] if hasattr(lanes, "envs") else [single]
        earlier = [_users.get(id(one), id(self)) for one in stepped]
        _users.update({id(one): id(self) for one in stepped})
        return any(one != id(self) for one in earlier)

    def get_env(self) -> Any:
        """The environments as a VecEnv: the one that was given, or one around the environment that was given."""
        if isinstance(self._lanes, VecEnvLanes):
            return self._lanes.env
        if self._lanes is not None:
            register_with_sb3(type(self._lanes))
        return self._lanes

    @property
    def env(self) -> Any:
        """As `get_env`. After `del model.env` the model has none until `set_env`."""
        return self.get_env()

    @env.deleter
    def env(self) -> None:
        self._set_nowhere()

    def _set_nowhere(self) -> None:
        self._lanes = self._built_in = self._vec_normalize_env = None
        self._must_reset, self._epoch = True, -1

    def get_vec_normalize_env(self) -> Any:
        """The VecNormalize around the environments, or None."""
        return self._vec_normalize_env

    def set_env(self, env: Any, force_reset: bool = True) -> None:
        """Changes the environments; number and spaces have to be the same.

        :param force_reset: whether to reset them before the next step; for a model that has just been loaded, those that can be
            put back go on where they were
        """
        if env is self.get_env():
            self._must_reset = self._must_reset or force_reset
            return
        lanes, built_in = make_lanes(env, self.n_envs if isinstance(env, str) else 1)
        if lanes.num_envs != self.n_envs:
            raise UnsupportedError(
                f"the model has {self.n_envs} environments, {lanes.num_envs} were given; for another number load the "
                f"model with them: {type(self).__name__}.load(path, env)"
            )
        spaces.check_same("observation", self.observation_space, lanes.observation_space)
        spaces.check_same("action", self.action_space, lanes.action_space)
        if self._policy_handle is not None:
            self._set_lanes(lanes, built_in)
            return
        places = self._saved_lanes, self._saved_rows
        if self._steps_natively or self._lanes is None:
            saving.move_to(self, lanes, built_in)
        else:
            self._set_lanes(lanes, built_in)
            self._must_reset = force_reset or lanes.observations is None
            if self._hindsight.goals > 0:
                self._goal_function = GoalFunction(self.observation_space, lanes)
                self._goal_function.attach(self._learner)
        if force_reset and not self._steps_natively:
            self._saved_lanes, self._saved_rows = places
        self._epoch = -1
