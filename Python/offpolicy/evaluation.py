"""evaluate_policy: the returns of a policy's episodes."""

from __future__ import annotations

import warnings
from typing import Any, Callable, Dict, List, Optional, Set, Tuple, Union

import numpy as np

from .environments import innermost
from .lanes import Lanes
from .vec_environments import VecEnvLanes, innermost_vector, is_vec_environment
from .vec_normalize import vec_normalize_of
from .vectors import make_lanes

Result = Union[Tuple[float, float], Tuple[List[float], List[int]]]


def evaluate_policy(
    model: Any,
    env: Any,
    n_eval_episodes: int = 10,
    deterministic: bool = True,
    render: bool = False,
    callback: Optional[Callable[[Dict[str, Any], Dict[str, Any]], None]] = None,
    reward_threshold: Optional[float] = None,
    return_episode_rewards: bool = False,
    warn: bool = True,
) -> Result:
    """Runs a policy for some episodes.

    :param model: anything with `predict`
    :param env: an id, an Env, a Gymnasium VectorEnv or a VecEnv. Of N environments each plays its share of the episodes.
    :param callback: called with locals and globals after each step of each environment that counts
    :param reward_threshold: an AssertionError where the mean return is not above it
    :param return_episode_rewards: returns each episode's return and length instead of mean and deviation
    :param warn: whether to warn where a VecEnv changes rewards and nobody kept the original ones
    :return: mean and standard deviation of the returns, undiscounted
    """
    lanes = env if isinstance(env, Lanes) or is_vec_environment(env) else make_lanes(env)[0]
    counts_episodes = bool(lanes.env_is_wrapped(_monitor_class())[0]) or _has_vec_monitor(lanes)
    if warn and not counts_episodes and vec_normalize_of(lanes) is not None:
        warnings.warn(
            "the evaluation environment changes rewards, and no Monitor is inside: returns are those of changed rewards",
            UserWarning,
            stacklevel=2,
        )
    n_envs = lanes.num_envs
    rewards_of_episodes: List[float] = []
    lengths_of_episodes: List[int] = []
    counts = np.zeros(n_envs, dtype=int)
    targets = np.array([(n_eval_episodes + i) // n_envs for i in range(n_envs)], dtype=int)
    current_rewards, current_lengths = np.zeros(n_envs), np.zeros(n_envs, dtype=int)
    observations = lanes.reset()
    states: Any = None
    episode_starts = np.ones(n_envs, dtype=bool)
    while (counts < targets).any():
        actions, states = model.predict(
            observations, state=states, episode_start=episode_starts, deterministic=deterministic
        )
        new_observations, rewards, dones, infos = lanes.step(actions)
        current_rewards += rewards
        current_lengths += 1
        for i in np.flatnonzero(counts < targets):
            reward, done, info = rewards[i], dones[i], infos[i]
            episode_starts[i] = done
            if callback is not None:
                callback(locals(), globals())
            if not done:
                continue
            if counts_episodes:
                # an episode of the Monitor's may last over several of a wrapper around it
                if "episode" in info:
                    rewards_of_episodes.append(float(info["episode"]["r"]))
                    lengths_of_episodes.append(int(info["episode"]["l"]))
                    counts[i] += 1
            else:
                rewards_of_episodes.append(float(current_rewards[i]))
                lengths_of_episodes.append(int(current_lengths[i]))
                counts[i] += 1
            current_rewards[i], current_lengths[i] = 0, 0
        observations = new_observations
        if render:
            lanes.render()
    _tell_of_moves(model, lanes)
    mean, deviation = float(np.mean(rewards_of_episodes)), float(np.std(rewards_of_episodes))
    if reward_threshold is not None and not mean > reward_threshold:
        raise AssertionError(f"the mean return {mean:.2f} is not above the threshold {reward_threshold:.2f}")
    if return_episode_rewards:
        return rewards_of_episodes, lengths_of_episodes
    return mean, deviation


def _tell_of_moves(model: Any, lanes: Any) -> None:
    """A model whose own environments were evaluated in resets them before it goes on: their observations are others now."""
    own = getattr(model, "_lanes", None)
    if isinstance(own, Lanes) and own is not lanes and not _parts(own).isdisjoint(_parts(lanes)):
        model._must_reset = True


def _parts(vector: Any) -> Set[int]:
    """What tells whether two vectors are made of the same environments."""
    base = innermost_vector(vector.env if isinstance(vector, VecEnvLanes) else vector)
    environments = getattr(base, "envs", None) or [getattr(base, "env", base)]
    return {id(innermost(environment)) for environment in environments}


class Monitor:
    """Stands for the class of this name where Stable-Baselines3 is not imported: our vectors ask for the name alone."""


def _monitor_class() -> type:
    import sys

    module = sys.modules.get("stable_baselines3.common.monitor")
    return module.Monitor if module is not None else Monitor


def _has_vec_monitor(environment: Any) -> bool:
    while environment is not None:
        if type(environment).__name__ == "VecMonitor":
            return True
        environment = getattr(environment, "venv", None)
    return False
