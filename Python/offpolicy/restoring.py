"""Environments in a saved model: how far each can be put back to where it was.

An environment goes on in the middle of its episode, to the bit, where each of its layers can be put back: the innermost
environment and all wrappers around it, see `layer_states`. For that the reset that began the episode is repeated, so that what
it drew is drawn again, and the layers get their states.

An episode that has just begun goes on in every environment that draws from `self.np_random` only. Else the episode that was
running is lost, and another begins.
"""

from __future__ import annotations

import json
import warnings
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from .environments import EnvironmentLanes, layers, random_state
from .lanes import Lanes
from .layer_states import has_own_state, kind_of, outlasts_episodes
from .packing import pack, unpack
from .separate_lanes import pick_row


def save_lanes(lanes: Lanes) -> List[Optional[Dict[str, Any]]]:
    """What is known of each environment, as JSON; None where nothing is."""
    if hasattr(lanes, "save_each"):
        return lanes.save_each()
    if not isinstance(lanes, EnvironmentLanes) or lanes.observations is None:
        return [None] * lanes.num_envs
    return [_saved(lanes, i) for i in range(lanes.num_envs)]


def _saved(lanes: EnvironmentLanes, i: int) -> Dict[str, Any]:
    environment = lanes.envs[i]
    row = np.zeros(lanes.flattener.size, dtype=np.float32)
    lanes.flattener.write(lanes._current[i], row)
    return {
        "length": lanes.episodes.lengths[i],
        "return": lanes.episodes.returns[i],
        "random": pack(random_state(environment)),
        "randomBeforeReset": pack(lanes.random_states[i]),
        "layers": _memories(environment),
        "observation": row.tolist(),
    }


def restore_lanes(lanes: Lanes, saved: List[Optional[Dict[str, Any]]]) -> List[bool]:
    """Puts environments back; returns which of them go on exactly. The others have been reset."""
    puts_back = hasattr(lanes, "restore_each") or isinstance(lanes, EnvironmentLanes)
    if not puts_back or len(saved) != lanes.num_envs:
        lanes.start()
        return [False] * lanes.num_envs
    if hasattr(lanes, "restore_each"):
        return lanes.restore_each(saved)
    return [_restored(lanes, i, saved[i]) for i in range(lanes.num_envs)]


def _restored(lanes: EnvironmentLanes, i: int, saved: Optional[Dict[str, Any]]) -> bool:
    if saved is None:
        lanes.reset_lane(i)
        return False
    environment, before = lanes.envs[i], unpack(saved["randomBeforeReset"])
    expected = np.array(saved["observation"], dtype=np.float32)
    # files of earlier versions have no layers
    memories = saved.get("layers", [None])
    if isinstance(before, (int, np.integer)):
        lanes._seeds[i] = int(before)
    else:
        _set_random(environment, before)
    lanes.reset_lane(i)
    if saved["length"] == 0 and None in memories:
        return before is not None and bool(np.array_equal(lanes.first[i], expected))
    is_exact = _put_back(environment, memories)
    _set_random(environment, unpack(saved["random"]))
    if not is_exact:
        lanes.reset_lane(i)
        return False
    lanes.episodes.lengths[i], lanes.episodes.returns[i] = saved["length"], saved["return"]
    lanes.random_states[i] = before
    lanes._current[i] = pick_row(lanes.flattener.unflatten_batch(expected[None]), 0)
    lanes._stacked = None
    return True


def _set_random(environment: Any, state: Any) -> None:
    inner = getattr(environment, "unwrapped", environment)
    if isinstance(state, dict) and getattr(inner, "_np_random", None) is not None:
        inner._np_random.bit_generator.state = state
    elif isinstance(state, dict) and hasattr(inner, "np_random"):
        generator = np.random.Generator(getattr(np.random, state["bit_generator"])())
        generator.bit_generator.state = state
        inner.np_random = generator


# ---- the layers of one environment


def _memories(environment: Any) -> List[Optional[Dict[str, Any]]]:
    """What each layer remembers, from the outside in; None where one may have a state that cannot be seen."""
    stack = list(layers(environment))
    if getattr(environment, "unwrapped", environment) is not stack[-1]:
        # an environment that steps another one: each has a generator
        return [None]
    return [_memory(layer, stack) for layer in stack]


def _memory(layer: Any, stack: Sequence[Any]) -> Optional[Dict[str, Any]]:
    kind = kind_of(layer, stack)
    if kind is None:
        return None
    try:
        known = kind(layer, stack)
        return {"class": type(layer).__qualname__, "fixed": known.fixed(), "state": pack(known.state())}
    except Exception as error:
        _warn_of_own_state(layer, error)
        return None


def _put_back(environment: Any, memories: Sequence[Optional[Dict[str, Any]]]) -> bool:
    """Gives the layers their states; whether all of them are where they were."""
    stack = list(layers(environment))
    if len(stack) != len(memories):
        return False
    pairs = list(zip(stack, memories))
    are_same = [_is_same(layer, memory, stack) for layer, memory in pairs]
    if all(are_same):
        return all([_is_put_back(layer, memory, stack) for layer, memory in pairs])
    for is_same, (layer, memory) in zip(are_same, pairs):
        if is_same and outlasts_episodes(memory["state"]):
            _is_put_back(layer, memory, stack)
    return False


def _is_same(layer: Any, memory: Optional[Dict[str, Any]], stack: Sequence[Any]) -> bool:
    """Whether a memory is of such a layer, with the same parameters."""
    if memory is None:
        return False
    now = _memory(layer, stack)
    return now is not None and all(_are_equal(now[name], memory[name]) for name in ("class", "fixed"))


def _is_put_back(layer: Any, memory: Dict[str, Any], stack: Sequence[Any]) -> bool:
    try:
        kind_of(layer, stack)(layer, stack).put_back(unpack(memory["state"]))
    except Exception as error:
        _warn_of_own_state(layer, error)
        return False
    now = _memory(layer, stack)
    return now is not None and _are_equal(now["state"], memory["state"])


def _are_equal(one: Any, other: Any) -> bool:
    # as texts: NaN is NaN there
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _warn_of_own_state(layer: Any, error: Exception) -> None:
    if has_own_state(layer):
        warnings.warn(
            f"get_state() and set_state() of {type(layer).__name__} cannot be used to continue an episode: "
            f"{type(error).__name__}: {error}; the episode that was running ends when the model is loaded",
            UserWarning,
            stacklevel=3,
        )


__all__ = ["restore_lanes", "save_lanes"]
