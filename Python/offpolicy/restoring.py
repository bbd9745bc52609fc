"""Environments in a saved model: how far each can be put back to where it was.

exact: the environment goes on in the middle of its episode, to the bit. That is so for built-in environments, for those
whose innermost layer has `get_state()` and `set_state(state)` with a state that JSON can hold, for Gymnasium's MuJoCo
environments, for its classic control, and for every environment whose episode has just begun and that draws from
`self.np_random` only. Else the episode that was running is lost, and another begins.
"""

from __future__ import annotations

import base64
from typing import Any, Dict, List, Optional

import numpy as np

from .builtin import BuiltInEnvironment
from .environments import EnvironmentLanes, layers, random_state
from .lanes import Lanes
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
    # at an episode's start a reset can be repeated, unless the environment has a generator that only it knows
    inner = getattr(environment, "unwrapped", environment)
    has_own_state = isinstance(inner, BuiltInEnvironment) or (hasattr(inner, "get_state") and hasattr(inner, "set_state"))
    goes_on = lanes.episodes.lengths[i] > 0 or has_own_state
    return {
        "length": lanes.episodes.lengths[i],
        "return": lanes.episodes.returns[i],
        "random": _to_json(random_state(environment)),
        "randomBeforeReset": _to_json(lanes.random_states[i]),
        "elapsed": [layer._elapsed_steps for layer in layers(environment) if hasattr(layer, "_elapsed_steps")],
        "state": _state(environment) if goes_on else None,
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
    environment = lanes.envs[i]
    if saved is None:
        lanes.reset_lane(i)
        return False
    expected = np.array(saved["observation"], dtype=np.float32)
    if saved["state"] is None and saved["length"] == 0:
        # an episode that has just begun: its reset is repeated
        before = saved["randomBeforeReset"]
        if isinstance(before, int):
            lanes._seeds[i] = before
        else:
            _set_random(environment, before)
        lanes.reset_lane(i)
        return before is not None and bool(np.array_equal(lanes.first[i], expected))
    lanes.reset_lane(i)
    exact = saved["state"] is not None and _set_state(environment, saved["state"])
    _set_random(environment, saved["random"])
    if not exact:
        lanes.reset_lane(i)
        return False
    counted = [layer for layer in layers(environment) if hasattr(layer, "_elapsed_steps")]
    for layer, steps in zip(counted, saved["elapsed"]):
        layer._elapsed_steps = steps
    lanes.episodes.lengths[i], lanes.episodes.returns[i] = saved["length"], saved["return"]
    lanes.random_states[i] = _from_json(saved["randomBeforeReset"])
    lanes._current[i] = pick_row(lanes.flattener.unflatten_batch(expected[None]), 0)
    lanes._stacked = None
    return True


# ---- the state of one environment


def _state(environment: Any) -> Any:
    inner = getattr(environment, "unwrapped", environment)
    if isinstance(inner, BuiltInEnvironment):
        return {"builtIn": base64.b64encode(inner.save()).decode()}
    if hasattr(inner, "get_state") and hasattr(inner, "set_state"):
        return {"own": inner.get_state()}
    if _is_mujoco(inner):
        import mujoco

        kind = mujoco.mjtState.mjSTATE_INTEGRATION
        values = np.empty(mujoco.mj_stateSize(inner.model, kind), dtype=np.float64)
        mujoco.mj_getState(inner.model, inner.data, values, kind)
        return {"mujoco": values.tolist()}
    if type(inner).__module__.startswith("gymnasium.envs.classic_control.") and getattr(inner, "state", None) is not None:
        state = inner.state
        dtype = getattr(state, "dtype", None)
        kept: Dict[str, Any] = {"classic": [float(x) for x in state], "dtype": None if dtype is None else dtype.name}
        for name in ("steps_beyond_terminated", "last_u"):
            if hasattr(inner, name):
                value = getattr(inner, name)
                kept[name] = None if value is None else float(value)
        return kept
    return None


def _set_state(environment: Any, state: Dict[str, Any]) -> bool:
    inner = getattr(environment, "unwrapped", environment)
    if "builtIn" in state and isinstance(inner, BuiltInEnvironment):
        inner.restore(base64.b64decode(state["builtIn"]))
    elif "own" in state and hasattr(inner, "set_state"):
        inner.set_state(state["own"])
    elif "mujoco" in state and _is_mujoco(inner):
        import mujoco

        values = np.array(state["mujoco"], dtype=np.float64)
        mujoco.mj_setState(inner.model, inner.data, values, mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(inner.model, inner.data)
    elif "classic" in state and hasattr(inner, "state"):
        values = state["classic"]
        inner.state = tuple(values) if state["dtype"] is None else np.array(values, dtype=state["dtype"])
        for name in ("steps_beyond_terminated", "last_u"):
            if name in state:
                setattr(inner, name, state[name])
    else:
        return False
    return True


def _is_mujoco(inner: Any) -> bool:
    # the plain tasks: robots with several simulators or mocap bodies keep more than the integration state
    return type(inner).__module__.startswith("gymnasium.envs.mujoco.") and hasattr(inner, "data")


def _set_random(environment: Any, state: Any) -> None:
    inner = getattr(environment, "unwrapped", environment)
    state = _from_json(state)
    if isinstance(state, dict) and getattr(inner, "_np_random", None) is not None:
        inner._np_random.bit_generator.state = state
    elif isinstance(state, dict) and hasattr(inner, "np_random"):
        generator = np.random.Generator(getattr(np.random, state["bit_generator"])())
        generator.bit_generator.state = state
        inner.np_random = generator


def _to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": value.dtype.name}
    return value.item() if isinstance(value, np.generic) else value


def _from_json(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"array", "dtype"}:
        return np.array(value["array"], dtype=value["dtype"])
    return {key: _from_json(item) for key, item in value.items()} if isinstance(value, dict) else value


__all__ = ["restore_lanes", "save_lanes"]
