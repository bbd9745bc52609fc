"""The replay buffer with the interface of Stable-Baselines3: looked at, added to, sampled from.

The transitions themselves are in the library. Arrays are copies of them: oldest first, a column for each environment.
"""

from __future__ import annotations

import copy
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from . import _native, _safetensors, spaces
from .arguments import timeouts_are_ends
from .errors import UnsupportedError
from .lanes import TERMINATED, TRUNCATED
from .tensors import as_array, as_used


class ReplayBufferSamples(NamedTuple):
    """Transitions drawn from a replay buffer, n of them: tensors where the program has imported PyTorch, else arrays."""

    observations: Any  # (n × …), a dictionary of parts where observations are one
    actions: Any  # (n × A), in [−1, 1]; n × 1 choices
    next_observations: Any  # (n × …)
    dones: Any  # (n × 1), 1 where the episode ended for good
    rewards: Any  # (n × 1)
    discounts: Any = None


class ReplayBuffer:
    """What a model's replay buffer holds, N environments, n rows of them.

    observations, next_observations (n × N × …, as the space has them; a dictionary of parts where observations are one),
    actions (n × N × A, in [−1, 1]; choices n × N × 1), rewards, dones, timeouts (n × N). Reading one of them copies them all,
    once for each state of the buffer. Where an environment has fewer transitions than others, zeros follow its own.
    """

    def __init__(self, model: Any = None, *others: Any, **more: Any) -> None:
        if others or more or not hasattr(model, "replay_buffer_class"):
            raise UnsupportedError(
                f"a {type(self).__name__} belongs to a model, which makes it: model.replay_buffer; one by itself is not supported"
            )
        self._model = model
        self._arrays: Dict[str, np.ndarray] = {}
        self._state: Any = None
        #: transitions that were added and are not in the library yet, by environment
        self._added: List[List[Any]] = [[] for _ in range(self.n_envs)]

    def _count(self, i: int) -> int:
        return int(self._model._learner.counts()[i])

    # ---- sizes

    @property
    def n_envs(self) -> int:
        """N, environments that fill it."""
        return self._count(5)

    @property
    def buffer_size(self) -> int:
        """Rows that fit: transitions of each environment."""
        return max(1, self._count(4) // self.n_envs)

    @property
    def full(self) -> bool:
        """Whether old transitions have to go for new ones."""
        return self.size() >= self.buffer_size

    @property
    def pos(self) -> int:
        """The row that the next transitions take; 0 where the buffer is full: there are the oldest."""
        size = self.size()
        return 0 if size >= self.buffer_size else size

    def size(self) -> int:
        """Rows that it holds."""
        self.flush()
        return -(-self._count(3) // self.n_envs)

    def __len__(self) -> int:
        self.flush()
        return self._count(3)

    @property
    def device(self) -> Any:
        """Where it is: in the processor's memory."""
        return self._model.device

    @property
    def n_steps(self) -> int:
        """Steps of a return."""
        return self._model.n_steps

    @property
    def gamma(self) -> float:
        """Discount of a return."""
        return self._model.gamma

    @property
    def observation_space(self) -> Any:
        """The model's."""
        return self._model.observation_space

    @property
    def action_space(self) -> Any:
        """The model's."""
        return self._model.action_space

    # ---- what it holds

    def transitions(self) -> Dict[str, np.ndarray]:
        """All of it as the library has it, n transitions, environment after environment, each oldest first.

        observations, next_observations (n × S), actions (n × A, in the environment's units), rewards, terminated, truncated
        (n), lane_ends (N): the rows of an environment end before that one.
        """
        self.flush()
        state = self._count(0), self._count(3), self._flushed
        if state != self._state:
            self._arrays, _ = _safetensors.decode(self._model._learner.result("transitions"))
            self._state = state
        return self._arrays

    def _columns(self, rows: np.ndarray) -> np.ndarray:
        ends = self.transitions()["lane_ends"].astype(np.int64)
        lanes = np.split(rows, ends[:-1])
        result = np.zeros((max(len(lane) for lane in lanes), len(lanes)) + rows.shape[1:], dtype=rows.dtype)
        for i, lane in enumerate(lanes):
            result[: len(lane), i] = lane
        return result

    def _observations(self, name: str) -> Any:
        stacked = self._model._actions.flattener.unflatten_batch(self.transitions()[name])
        if isinstance(stacked, dict):
            return {key: self._columns(part) for key, part in stacked.items()}
        return tuple(map(self._columns, stacked)) if isinstance(stacked, tuple) else self._columns(stacked)

    @property
    def observations(self) -> Any:
        """s (n × N × …)"""
        return self._observations("observations")

    @property
    def next_observations(self) -> Any:
        """s′ (n × N × …), the true ones also where an episode ended"""
        return self._observations("next_observations")

    @property
    def actions(self) -> np.ndarray:
        """a (n × N × A), in [−1, 1]; choices (n × N × 1)"""
        return self._columns(self._scaled(self.transitions()["actions"]))

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        actions = self._model._actions.actions
        return rows.astype(np.int64) + actions.start if actions.is_discrete else actions.scaled(rows)

    @property
    def rewards(self) -> np.ndarray:
        """r (n × N)"""
        return self._columns(self.transitions()["rewards"])

    @property
    def terminated(self) -> np.ndarray:
        """Whether the episode ended for good (n × N)."""
        return self._columns(self.transitions()["terminated"] != 0)

    @property
    def timeouts(self) -> np.ndarray:
        """1 where the episode was cut (n × N)."""
        arrays = self.transitions()
        return self._columns(((arrays["truncated"] != 0) & (arrays["terminated"] == 0)).astype(np.float32))

    @property
    def dones(self) -> np.ndarray:
        """1 where the episode ended, one way or the other (n × N)."""
        arrays = self.transitions()
        return self._columns((arrays["terminated"] | arrays["truncated"]).astype(np.float32))

    # ---- adding and drawing

    _flushed = 0

    def add(self, obs: Any, next_obs: Any, action: Any, reward: Any, done: Any, infos: List[Dict[str, Any]]) -> None:
        """Adds a transition of each environment, collected elsewhere; they are no steps of the run.

        :param obs: N stacked observations
        :param next_obs: the true next ones, also where an episode ended
        :param action: N actions in [−1, 1], or N choices
        :param done: whether the episodes ended; by running out of time where `infos` have "TimeLimit.truncated"
        """
        maps, count = self._model._actions, self.n_envs
        rows = np.empty((2, count, maps.flattener.size), dtype=np.float32)
        for given, written in zip((obs, next_obs), rows):
            if maps.flattener.kind == "Discrete":
                given = np.asarray(given).reshape(-1)
            maps.flattener.write_batch(given, written)
        actions = as_array(action).reshape(count, maps.actions.size)
        if maps.actions.is_discrete:
            actions = actions - maps.actions.start
        else:
            actions = maps.actions.unscaled(actions)
        rewards, dones = as_array(reward).reshape(count), as_array(done).reshape(count)
        self._check(rows, actions, rewards)
        are_ends = timeouts_are_ends(self._model.replay_buffer_kwargs)
        for i in range(count):
            is_cut = not are_ends and np.any(as_array(infos[i].get("TimeLimit.truncated", False)))
            flag = 0 if not dones[i] else TRUNCATED if is_cut else TERMINATED
            self._added[i].append((rows[0, i], actions[i], rewards[i], flag, rows[1, i]))
        if len(self._added[0]) >= 1024:
            self.flush()

    def _check(self, rows: np.ndarray, actions: np.ndarray, rewards: np.ndarray) -> None:
        """Refuses what the library would refuse later, together with all else that was added."""
        for what, values in (("an observation", rows), ("an action", actions), ("a reward", rewards)):
            with np.errstate(over="ignore"):
                is_finite = np.isfinite(values.astype(np.float32)).all()
            if not is_finite:
                raise UnsupportedError(f"add() was given {what} with NaN or infinity, or beyond single precision: {values}")
        maps = self._model._actions.actions
        if maps.is_discrete and not np.isin(actions, np.arange(maps.space.n)).all():
            last = maps.start + int(maps.space.n) - 1
            raise UnsupportedError(f"add() was given the choices {np.ravel(actions) + maps.start}, expected {maps.start} to {last}")

    def extend(self, *arrays: Any) -> None:
        """Adds several of what `add` takes, one after the other."""
        for row in zip(*arrays):
            self.add(*row)

    def flush(self) -> None:
        """Hands what was added to the library. Whoever needs it there calls this."""
        if not self._added or not self._added[0]:
            return
        kinds = (np.float32, np.float32, np.float64, np.uint8, np.float32)
        for lane, rows in enumerate(self._added):
            columns = [np.ascontiguousarray(column, dtype=kind) for column, kind in zip(zip(*rows), kinds)]
            addresses = _native.prepared(*columns)
            handle = self._model._learner.handle
            _native.check(_native.library().add_transitions(handle, lane, len(rows), *addresses))
        self._added = [[] for _ in self._added]
        self._flushed += 1

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Draws transitions uniformly, from NumPy's global generator; training does not use this.

        :param env: a VecNormalize, whose statistics observations and rewards are normalised by
        """
        arrays = self.transitions()
        count = len(arrays["rewards"])
        if count == 0:
            raise UnsupportedError("the replay buffer is empty: there is nothing to draw from")
        rows = np.random.randint(0, count, size=batch_size)
        flattener = self._model._actions.flattener
        seen = [flattener.unflatten_batch(arrays[name][rows]) for name in ("observations", "next_observations")]
        rewards = arrays["rewards"][rows][:, None]
        if env is not None:
            seen, rewards = [env.normalize_obs(part) for part in seen], env.normalize_reward(rewards).astype(np.float32)
        dones = (arrays["terminated"][rows] != 0).astype(np.float32)[:, None]
        values = seen[0], self._scaled(arrays["actions"][rows]), seen[1], dones, rewards
        return ReplayBufferSamples(*map(_used, values))

    def __deepcopy__(self, memo: Dict[int, Any]) -> "FrozenReplayBuffer":
        return FrozenReplayBuffer(self)


class DictReplayBuffer(ReplayBuffer):
    """The replay buffer of a model whose observations are a Dict."""


class NStepReplayBuffer(ReplayBuffer):
    """The replay buffer of a model with `n_steps` above 1: rows are single steps, and returns are summed as they are drawn."""


class HerReplayBuffer(DictReplayBuffer):
    """The replay buffer of a model with hindsight; for `replay_buffer_class`."""


def replay_buffer_of(model: Any) -> ReplayBuffer:
    """A model's replay buffer."""
    if model._hindsight.goals > 0:
        return HerReplayBuffer(model)
    if model.n_steps > 1:
        return NStepReplayBuffer(model)
    return DictReplayBuffer(model) if spaces.kind(model.observation_space) == "Dict" else ReplayBuffer(model)


def _used(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_used(part) for key, part in value.items()}
    return tuple(map(as_used, value)) if isinstance(value, tuple) else as_used(value)


class FrozenReplayBuffer:
    """The transitions of a replay buffer at one moment."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        names = ("observations", "next_observations", "actions", "rewards", "terminated", "timeouts", "dones")
        for name in names:
            setattr(self, name, copy.deepcopy(getattr(buffer, name)))
        self.buffer_size, self.n_envs, self.pos, self.full = buffer.buffer_size, buffer.n_envs, buffer.pos, buffer.full

    def size(self) -> int:
        """Rows that it holds."""
        return len(self.rewards)  # type: ignore[attr-defined]


def flush(buffer: Optional[Any]) -> None:
    """Hands what was added to a model's buffer to the library, whatever somebody put in its place."""
    if isinstance(buffer, ReplayBuffer):
        buffer.flush()
