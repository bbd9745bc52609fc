"""Lanes made of a Gymnasium VectorEnv, in each of its autoreset modes."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from . import spaces
from .environments import attribute, layers
from .errors import UnsupportedError
from .lanes import IDLE, TERMINATED, TRUNCATED, EpisodeCounter, Indices, Lanes


class VectorEnvironmentLanes(Lanes):
    """A VectorEnv.

    NEXT_STEP: the step after an end ignores its action and returns the first observation; it is no transition.
    SAME_STEP: the step returns the first observation, `infos["final_obs"]` the true one.
    DISABLED: lanes that have ended are reset by `options={"reset_mask": …}`.
    """

    def __init__(self, environment: Any) -> None:
        mode = getattr(environment, "metadata", {}).get("autoreset_mode")
        self.mode = str(getattr(mode, "name", mode)).upper().rsplit(".", 1)[-1]
        if self.mode not in ("NEXT_STEP", "SAME_STEP", "DISABLED"):
            raise UnsupportedError(
                f'the vector environment has the autoreset_mode {mode!r} in its metadata, expected NEXT_STEP, SAME_STEP or '
                "DISABLED of gymnasium.vector.AutoresetMode"
            )
        self.env = environment
        self.metadata = environment.metadata
        self.render_mode = getattr(environment, "render_mode", None)
        self.resets_at_once = self.mode != "NEXT_STEP"
        super().__init__(environment.num_envs, environment.single_observation_space, environment.single_action_space)
        self.episodes = EpisodeCounter(self.num_envs)
        self.has_ended = np.zeros(self.num_envs, dtype=bool)

    def start(self) -> None:
        keywords: Dict[str, Any] = {}
        if self._seeds[0] is not None:
            keywords["seed"] = list(self._seeds)
            self._seeds = [None] * self.num_envs
        if self._options[0]:
            keywords["options"], self._options = self._options[0], [None] * self.num_envs
        self.observations, infos = self.env.reset(**keywords)
        self.reset_infos = separate(infos, self.num_envs)
        self.flattener.write_batch(self.observations, self.first)
        self.has_ended[:] = False
        self.flags[:] = 0
        for i in range(self.num_envs):
            self.episodes.begin(i)

    def advance(self, rows: np.ndarray) -> None:
        observations, rewards, terminated, truncated, infos = self.env.step(self.actions.batch(rows))
        was_ended = self.has_ended.copy()
        self.observations = observations
        self.flattener.write_batch(observations, self.next)
        self.rewards[:] = rewards
        self.flags[:] = np.asarray(terminated, bool) * TERMINATED + np.asarray(truncated, bool) * TRUNCATED
        self.infos = separate(infos, self.num_envs)
        if not self.resets_at_once:
            self.flags[was_ended] = IDLE
            self.first[was_ended] = self.next[was_ended]
        self.has_ended = self.dones
        self.has_ends = bool(self.has_ended.any())
        for i in range(self.num_envs):
            if self.flags[i] == IDLE:
                self.episodes.begin(i)
                continue
            self.episodes.returns[i] += float(self.rewards[i])
            self.episodes.lengths[i] += 1
            self.infos[i]["TimeLimit.truncated"] = self.flags[i] == TRUNCATED
            if self.has_ended[i]:
                self._end(i)
        if self.mode == "DISABLED" and self.has_ends:
            self.observations, _ = self.env.reset(options={"reset_mask": self.has_ended})
            self.flattener.write_batch(self.observations, self.first)
            self.has_ended[:] = False

    def _end(self, i: int) -> None:
        final = self._row(i)
        info = self.infos[i]
        if self.mode == "SAME_STEP":
            self.first[i] = self.next[i]
            final = info.pop("final_obs", None)
            if final is None:
                raise UnsupportedError(
                    f"environment {i} of the vector ended an episode, but infos['final_obs'] has no final observation, as "
                    "the mode SAME_STEP needs it"
                )
            self.flattener.write(final, self.next[i])
            ending = info.pop("final_info", None) or {}
            info.update({key: value for key, value in ending.items() if key not in info})
        info["terminal_observation"] = final
        # that of a wrapper inside has other rewards where one outside of it changes them
        info["episode"] = self.episodes.finish(i)
        if self.resets_at_once:
            self.episodes.begin(i)

    def _row(self, i: int) -> Any:
        def row(part: Any) -> Any:
            if isinstance(part, dict):
                return {key: row(value) for key, value in part.items()}
            return tuple(row(value) for value in part) if isinstance(part, tuple) else np.array(part[i])

        return row(self.observations)

    def close(self) -> None:
        self.env.close()

    def has_method(self, name: str) -> bool:
        inner = self.env.unwrapped
        if getattr(inner, "envs", None):
            return any(hasattr(layer, name) for layer in layers(inner.envs[0]))
        if _has_processes(inner):
            return bool(self._call_in_processes([0], "has_wrapper_attr", name)[0])
        return hasattr(inner, name)

    def has_attr(self, name: str) -> bool:
        # to get an attribute that is a method, Gymnasium calls it
        return self.has_method(name)

    def get_attr(self, name: str, indices: Indices = None) -> List[Any]:
        values = self.env.get_attr(name) if hasattr(self.env, "get_attr") else [getattr(self.env, name)] * self.num_envs
        return [values[i] for i in self._chosen(indices)]

    def set_attr(self, name: str, value: Any, indices: Indices = None) -> None:
        values = [value] * self.num_envs
        if indices is not None:
            values = self.get_attr(name)
            for i in self._chosen(indices):
                values[i] = value
        # a list: Gymnasium gives each environment one of its items
        self.env.set_attr(name, values)

    def env_method(self, name: str, *arguments: Any, indices: Indices = None, **keywords: Any) -> List[Any]:
        inner, chosen = self.env.unwrapped, self._chosen(indices)
        if getattr(inner, "envs", None):
            return [attribute(inner.envs[i], name)(*arguments, **keywords) for i in chosen]
        if _has_processes(inner):
            return self._call_in_processes(chosen, name, *arguments, **keywords)
        values = self.env.call(name, *arguments, **keywords)
        return [values[i] for i in chosen]

    def _call_in_processes(self, chosen: List[int], name: str, *arguments: Any, **keywords: Any) -> List[Any]:
        """AsyncVectorEnv.call, of some environments alone."""
        vector = self.env.unwrapped
        for i in chosen:
            vector.parent_pipes[i].send(("_call", (name, arguments, keywords)))
        answers = [vector.parent_pipes[i].recv() for i in chosen]
        vector._raise_if_errors([True] * (self.num_envs - len(chosen)) + [went_well for _, went_well in answers])
        return [value for value, _ in answers]

    def render(self, mode: Any = None) -> Any:
        return self.env.render()


def _has_processes(vector: Any) -> bool:
    return hasattr(vector, "parent_pipes") and hasattr(vector, "_raise_if_errors")


def separate(infos: Any, count: int) -> List[Dict[str, Any]]:
    """What a vector's infos say of each environment; those of DictInfoToList are separate already."""
    if isinstance(infos, (list, tuple)):
        return [dict(info) for info in infos]
    return [pick(infos, i) for i in range(count)]


def pick(infos: Dict[str, Any], i: int) -> Dict[str, Any]:
    """What a vector's infos say of one environment: keys whose mask, named with `_` in front, is set."""
    picked: Dict[str, Any] = {}
    for key, values in infos.items():
        mask = infos.get("_" + key)
        if key.startswith("_") or mask is not None and not np.asarray(mask)[i]:
            continue
        if isinstance(values, dict):
            picked[key] = pick(values, i)
        else:
            picked[key] = values[i] if np.ndim(values) > 0 or isinstance(values, (list, tuple)) else values
    return picked


def is_vector_environment(environment: Any) -> bool:
    """Whether it is one of Gymnasium's vectors."""
    return hasattr(environment, "single_observation_space") and hasattr(environment, "num_envs") and (
        spaces.kind(environment.single_observation_space) is not None
    )
