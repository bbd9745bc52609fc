"""VecNormalize: observations and rewards of a vector, normalised by their running statistics.

    s̃ = clip((s − μ) / √(v + ε), ±c)        r̃ = clip(r / √(w + ε), ±C),   w the variance of G ← γ G + r

As in Stable-Baselines3, μ = 0 and v = 1 count as 1e-4 observations. Its models run with Stable-Baselines3's own class as well.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np

from . import _files, spaces
from .errors import UnsupportedError
from .vec_wrapper import VecEnvWrapper


class RunningMeanStd:
    """Mean and variance of rows so far.

    Chan, Golub and LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", eq. 2.1.
    """

    def __init__(self, epsilon: float = 1e-4, shape: Tuple[int, ...] = ()) -> None:
        self.mean = np.zeros(shape, dtype=np.float64)
        self.var = np.ones(shape, dtype=np.float64)
        self.count = epsilon

    def update(self, rows: Any) -> None:
        """Takes in rows (n × …)."""
        # mean and variance of the rows in the rows' own precision, as in Stable-Baselines3, so that both have the same bits
        rows = np.asarray(rows)
        self.update_from_moments(rows.mean(axis=0), rows.var(axis=0), len(rows))

    def update_from_moments(self, batch_mean: Any, batch_var: Any, batch_count: float) -> None:
        """Takes in rows of which only the moments are known."""
        m, n = batch_count, self.count
        shift = batch_mean - self.mean
        squares = self.var * n + batch_var * m + shift**2 * n * m / (n + m)
        self.mean = self.mean + shift * m / (n + m)
        self.var, self.count = squares / (n + m), n + m

    def combine(self, other: "RunningMeanStd") -> None:
        """Takes in what another one has seen."""
        self.update_from_moments(other.mean, other.var, other.count)

    def copy(self) -> "RunningMeanStd":
        """One of its own with the same numbers."""
        return deepcopy(self)

    def to_json(self) -> Dict[str, Any]:
        """What `of_json` takes."""
        return {"mean": self.mean.tolist(), "var": self.var.tolist(), "count": float(self.count)}

    @classmethod
    def of_json(cls, value: Dict[str, Any]) -> "RunningMeanStd":
        """The same numbers."""
        made = cls()
        made.mean, made.var = np.array(value["mean"], np.float64), np.array(value["var"], np.float64)
        made.count = float(value["count"])
        return made


class VecNormalize(VecEnvWrapper):
    """Normalises the observations and rewards of a vector.

    :param training: whether steps change the statistics
    :param norm_obs: whether observations are normalised
    :param norm_reward: whether rewards are
    :param clip_obs: bound of a normalised observation
    :param clip_reward: bound of a normalised reward
    :param gamma: discount of the returns whose deviation rewards are divided by
    :param epsilon: added to variances
    :param norm_obs_keys: the parts of a Dict that are normalised; None: all
    """

    def __init__(
        self, venv: Any, training: bool = True, norm_obs: bool = True, norm_reward: bool = True, clip_obs: float = 10.0,
        clip_reward: float = 10.0, gamma: float = 0.99, epsilon: float = 1e-8, norm_obs_keys: Optional[List[str]] = None,
    ) -> None:  # fmt: skip
        super().__init__(venv)
        self.training, self.norm_obs, self.norm_reward = training, norm_obs, norm_reward
        self.clip_obs, self.clip_reward, self.gamma, self.epsilon = clip_obs, clip_reward, gamma, epsilon
        self.norm_obs_keys = norm_obs_keys
        self.ret_rms = RunningMeanStd()
        self.returns = np.zeros(self.num_envs)
        self.old_obs: Any = None
        self.old_reward = np.zeros(0)
        if norm_obs:
            self.obs_rms = self._statistics()

    def __getstate__(self) -> Dict[str, Any]:
        # as in Stable-Baselines3, a copy has the statistics and no environments: `set_venv` gives it some
        return {name: value for name, value in self.__dict__.items() if name not in ("venv", "returns")}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state, venv=None)

    def set_venv(self, venv: Any) -> None:
        """Gives a copied or unpickled VecNormalize its vector of environments."""
        if self.venv is not None:
            raise ValueError("this VecNormalize is around a vector already; make another one, or copy this one")
        if _sizes(self.observation_space) != _sizes(venv.observation_space):
            raise ValueError(
                f"this VecNormalize is for {spaces.named(self.observation_space)}, the vector's observations are "
                f"{spaces.named(venv.observation_space)}"
            )
        self.venv, self.num_envs = venv, venv.num_envs
        self.returns = np.zeros(self.num_envs)

    def _statistics(self) -> Union[RunningMeanStd, Dict[str, RunningMeanStd]]:
        space = self.observation_space
        if spaces.kind(space) != "Dict":
            if self.norm_obs_keys is not None:
                raise UnsupportedError("norm_obs_keys names parts of a Dict; observations are " + spaces.summary(space))
            return RunningMeanStd(shape=_shape("observations", space))
        self.norm_obs_keys = list(space.spaces) if self.norm_obs_keys is None else self.norm_obs_keys
        return {key: RunningMeanStd(shape=_shape(f"the part {key!r}", space.spaces[key])) for key in self.norm_obs_keys}

    def reset(self) -> Any:
        """First observations, normalised."""
        self.old_obs = self.venv.reset()
        self.returns = np.zeros(self.num_envs)
        self._learn_from(self.old_obs)
        return self.normalize_obs(self.old_obs)

    def step_wait(self) -> Tuple[Any, np.ndarray, np.ndarray, List[Any]]:
        """Observations and rewards, normalised; the last observations in infos, too."""
        self.old_obs, self.old_reward, dones, infos = self.venv.step_wait()
        self._learn_from(self.old_obs)
        observations = self.normalize_obs(self.old_obs)
        if self.training:
            self.returns = self.returns * self.gamma + self.old_reward
            self.ret_rms.update(self.returns)
        rewards = self.normalize_reward(self.old_reward)
        for i in np.flatnonzero(dones):
            if "terminal_observation" in infos[i]:
                infos[i]["terminal_observation"] = self.normalize_obs(infos[i]["terminal_observation"])
        self.returns[dones] = 0
        return observations, rewards, dones, infos

    def _learn_from(self, observations: Any) -> None:
        if not (self.training and self.norm_obs):
            return
        if isinstance(self.obs_rms, dict):
            for key, statistics in self.obs_rms.items():
                statistics.update(observations[key])
        else:
            self.obs_rms.update(observations)

    # ---- one way and the other

    def normalize_obs(self, obs: Any) -> Any:
        """Observations, one or several, normalised by the statistics as they are."""
        return self._each(obs, self._normalized)

    def unnormalize_obs(self, obs: Any) -> Any:
        """What `normalize_obs` was given, where it did not clip."""
        return self._each(obs, lambda x, found: x * np.sqrt(found.var + self.epsilon) + found.mean)

    def _normalized(self, observation: Any, found: RunningMeanStd) -> np.ndarray:
        values = (observation - found.mean) / np.sqrt(found.var + self.epsilon)
        return np.clip(values, -self.clip_obs, self.clip_obs).astype(np.float32)

    def _each(self, obs: Any, change: Any) -> Any:
        if not self.norm_obs:
            return deepcopy(obs)
        if isinstance(self.obs_rms, dict):
            return {key: change(part, self.obs_rms[key]) if key in self.obs_rms else deepcopy(part) for key, part in obs.items()}
        return change(obs, self.obs_rms)

    def normalize_reward(self, reward: np.ndarray) -> np.ndarray:
        """Rewards, normalised by the statistics as they are."""
        if self.norm_reward:
            divided = reward / np.sqrt(self.ret_rms.var + self.epsilon)
            reward = np.clip(divided, -self.clip_reward, self.clip_reward)
        return np.asarray(reward).astype(np.float32)

    def unnormalize_reward(self, reward: np.ndarray) -> np.ndarray:
        """What `normalize_reward` was given, where it did not clip."""
        return reward * np.sqrt(self.ret_rms.var + self.epsilon) if self.norm_reward else reward

    def get_original_obs(self) -> Any:
        """The last observations, raw."""
        return deepcopy(self.old_obs)

    def get_original_reward(self) -> np.ndarray:
        """The last rewards, raw."""
        return self.old_reward.copy()

    # ---- files

    _SETTINGS = ("training", "norm_obs", "norm_reward", "clip_obs", "clip_reward", "gamma", "epsilon", "norm_obs_keys")

    def save(self, save_path: Any) -> None:
        """Writes settings and statistics, as JSON."""
        content: Dict[str, Any] = {name: getattr(self, name) for name in self._SETTINGS}
        content["ret_rms"] = self.ret_rms.to_json()
        if self.norm_obs:
            found = self.obs_rms
            content["obs_rms"] = (
                {"parts": {key: part.to_json() for key, part in found.items()}}
                if isinstance(found, dict) else found.to_json()
            )  # fmt: skip
        _files.write(save_path, json.dumps({"VecNormalize": content}).encode())

    @staticmethod
    def load(load_path: Any, venv: Any) -> "VecNormalize":
        """The wrapper of a file that `save` wrote, around another vector."""
        data = _files.read(load_path)
        if data[:1] == b"\x80":
            raise UnsupportedError(
                f"{load_path} is a pickle, as Stable-Baselines3 writes it; reading it would run what is in it: open it with "
                "stable_baselines3.common.vec_env.VecNormalize.load, whose vectors can be passed to a model"
            )
        try:
            content = json.loads(data)["VecNormalize"]
            settings = {name: content[name] for name in VecNormalize._SETTINGS}
            returns = RunningMeanStd.of_json(content["ret_rms"])
            found = content.get("obs_rms")
            parts = found.get("parts") if found is not None else None
            read: Any = None
            if found is not None:
                read = (
                    RunningMeanStd.of_json(found) if parts is None
                    else {key: RunningMeanStd.of_json(part) for key, part in parts.items()}
                )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UnsupportedError(f"{load_path} holds no VecNormalize that this package wrote") from None
        made = VecNormalize(venv, **settings)
        made.ret_rms = returns
        if made.norm_obs:
            expected, given = _shapes(made.obs_rms), _shapes(read)
            if expected != given:
                raise UnsupportedError(f"{load_path} has statistics of the shape {given}, the environments need {expected}")
            made.obs_rms = read
        return made


def _shape(what: str, space: Any) -> Tuple[int, ...]:
    if spaces.kind(space) != "Box":
        raise UnsupportedError(
            f"VecNormalize: {what} are a {spaces.summary(space)}, and only a Box can be normalised; name the parts with "
            "norm_obs_keys, or set norm_obs=False"
        )
    return tuple(space.shape)


def _sizes(space: Any) -> Any:
    return {key: part.shape for key, part in space.spaces.items()} if spaces.kind(space) == "Dict" else space.shape


def _shapes(statistics: Any) -> Any:
    if isinstance(statistics, dict):
        return {key: part.mean.shape for key, part in statistics.items()}
    return None if statistics is None else statistics.mean.shape


def vec_normalize_of(environment: Any) -> Any:
    """The VecNormalize among a VecEnv's wrappers, ours or Stable-Baselines3's, or None."""
    while environment is not None:
        if any(cls.__name__ == "VecNormalize" for cls in type(environment).__mro__):
            return environment
        environment = environment.__dict__.get("venv") if hasattr(environment, "__dict__") else None
    return None


def sync_envs_normalization(env: Any, eval_env: Any) -> None:
    """Gives the VecNormalize of `eval_env` the statistics of the one of `env`."""
    ours, theirs = vec_normalize_of(env), vec_normalize_of(eval_env)
    if ours is None:
        return
    if theirs is None:
        raise AssertionError("the training environment has a VecNormalize, the evaluation environment has none")
    if hasattr(ours, "obs_rms"):
        theirs.obs_rms = deepcopy(ours.obs_rms)
    theirs.ret_rms = deepcopy(ours.ret_rms)
