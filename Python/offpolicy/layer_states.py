"""The state of one layer of an environment: what has to be the same in another process, and what is put back there.

A layer is the innermost environment, or a wrapper. `kind_of` says how it is put back:

  BuiltIn     built-in environments: what the library saves
  OfItsOwn    layers with get_state() and set_state(state)
  MuJoCo      Gymnasium's MuJoCo environments: the simulator's state; the model has to be the same
  Attributes  Gymnasium's classic control and wrappers: some attributes; all others have to be the same. Monitor: the
              episode. Other wrappers have no attributes that are put back: all have to be the same.

Other innermost environments may have a state that cannot be seen, as those with a simulator written in C have.
"""

from __future__ import annotations

import base64
import hashlib
import types
from typing import Any, Callable, Optional, Sequence, Type

import numpy as np

from . import spaces
from .builtin import BuiltInEnvironment
from .packing import pack

#: attributes that no step depends on, and the generator, which is saved by itself
_ASIDE = {"_np_random", "_np_random_seed", "spec", "_cached_spec", "metadata", "_metadata", "render_mode"}
#: those of Gymnasium's own classes
_ASIDE_IN_GYMNASIUM = {
    "screen", "clock", "surf", "isopen", "mujoco_renderer", "width", "height", "camera_name", "camera_id", "_ezpickle_args",
    "_ezpickle_kwargs", "_previous_data", "episode_start_time",
}  # fmt: skip
_CLASSIC_STATE = ("state", "steps_beyond_terminated", "last_u")
_EPISODE_OF_MONITOR = ("rewards", "needs_reset", "total_steps", "current_reset_info")
_MONITORS = (f"{__package__}.monitor", "stable_baselines3.common.monitor")


class BuiltIn:
    """A built-in environment."""

    def __init__(self, layer: Any, stack: Sequence[Any]) -> None:
        self.layer = layer

    def fixed(self) -> Any:
        """What has to be the same, as JSON."""
        return {"id": self.layer.id, "options": pack(self.layer.options)}

    def state(self) -> Any:
        """What changes from step to step."""
        return base64.b64encode(self.layer.save()).decode()

    def put_back(self, state: Any) -> None:
        """Puts the layer where it was."""
        self.layer.restore(base64.b64decode(state))


class OfItsOwn(BuiltIn):
    """A layer with get_state() and set_state(state)."""

    def fixed(self) -> Any:
        return None

    def state(self) -> Any:
        return self.layer.get_state()

    def put_back(self, state: Any) -> None:
        self.layer.set_state(state)


class Attributes(BuiltIn):
    """A layer whose state is in attributes."""

    def __init__(self, layer: Any, stack: Sequence[Any]) -> None:
        super().__init__(layer, stack)
        self.own = {
            name: value for name, value in vars(layer).items()
            if not _is_aside(layer, name) and spaces.kind(value) is None and not any(value is other for other in stack)
        }  # fmt: skip
        self.changing = [name for name in self.own if _changes(layer)(name)]

    def fixed(self) -> Any:
        return {name: _packed_or_named(value) for name, value in self.own.items() if name not in self.changing}

    def state(self) -> Any:
        # running statistics are objects with three numbers
        return {name: vars(self.own[name]) if _is_statistic(name) else self.own[name] for name in self.changing}

    def put_back(self, state: Any) -> None:
        for name, value in state.items():
            if _is_statistic(name):
                vars(self.own[name]).update(value)
            else:
                vars(self.layer)[name] = value


class MuJoCo(Attributes):
    """A MuJoCo environment of Gymnasium."""

    #: where the last step found the bodies: rewards of the next step depend on it
    PLACES = ("xpos", "xipos")

    def __init__(self, layer: Any, stack: Sequence[Any]) -> None:
        super().__init__(layer, [*stack, layer.model, layer.data])

    def fixed(self) -> Any:
        import mujoco

        model = np.zeros(mujoco.mj_sizeModel(self.layer.model), dtype=np.uint8)
        mujoco.mj_saveModel(self.layer.model, None, model)
        return {**super().fixed(), "model": hashlib.sha256(model.tobytes()).hexdigest()}

    def state(self) -> Any:
        import mujoco

        model, data, kind = self.layer.model, self.layer.data, mujoco.mjtState.mjSTATE_INTEGRATION
        values = np.empty(mujoco.mj_stateSize(model, kind), dtype=np.float64)
        mujoco.mj_getState(model, data, values, kind)
        return {"simulator": values, **{name: getattr(data, name) for name in self.PLACES}}

    def put_back(self, state: Any) -> None:
        import mujoco

        model, data, kind = self.layer.model, self.layer.data, mujoco.mjtState.mjSTATE_INTEGRATION
        mujoco.mj_setState(model, data, state["simulator"], kind)
        mujoco.mj_forward(model, data)
        # computing the rest changed where the solver starts from
        mujoco.mj_setState(model, data, state["simulator"], kind)
        for name in self.PLACES:
            getattr(data, name)[...] = state[name]


def kind_of(layer: Any, stack: Sequence[Any]) -> Optional[Type[BuiltIn]]:
    """How a layer of these is put back; None: it may have a state that cannot be seen."""
    if isinstance(layer, BuiltInEnvironment):
        return BuiltIn
    if has_own_state(layer):
        return OfItsOwn
    if _module(layer).startswith("gymnasium.envs.mujoco.") and hasattr(layer, "data"):
        # the plain tasks: robots with several simulators or mocap bodies keep more than the integration state
        return MuJoCo
    is_wrapper = layer is not stack[-1]
    return Attributes if is_wrapper or _module(layer).startswith("gymnasium.envs.classic_control.") else None


def has_own_state(layer: Any) -> bool:
    """Whether a layer says itself what its state is."""
    return all(callable(getattr(type(layer), name, None)) for name in ("get_state", "set_state"))


def outlasts_episodes(state: Any) -> bool:
    """Whether a state is of statistics over all episodes."""
    return isinstance(state, dict) and any(map(_is_statistic, state))


def _changes(layer: Any) -> Callable[[str], bool]:
    """Whether an attribute of this name is part of a layer's state."""
    if _module(layer).startswith("gymnasium.envs.classic_control."):
        return _CLASSIC_STATE.__contains__
    if _is_monitor(layer):
        return _EPISODE_OF_MONITOR.__contains__
    if _module(layer).startswith("gymnasium.wrappers."):
        return lambda name: name != "_saved_kwargs" and not callable(getattr(layer, name))
    return lambda name: False


def _is_aside(layer: Any, name: str) -> bool:
    if _is_monitor(layer):
        return name not in _EPISODE_OF_MONITOR
    return name in _ASIDE or _module(layer).startswith("gymnasium.") and name in _ASIDE_IN_GYMNASIUM


def _is_monitor(layer: Any) -> bool:
    return type(layer).__name__ == "Monitor" and _module(layer) in _MONITORS


def _is_statistic(name: str) -> bool:
    return name.endswith("_rms")


def _module(layer: Any) -> str:
    return type(layer).__module__


def _packed_or_named(value: Any) -> Any:
    """A value as JSON; functions and classes by their names."""
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type, np.ufunc)):
        return getattr(value, "__qualname__", value.__name__)
    if isinstance(value, dict):
        return {str(key): _packed_or_named(part) for key, part in value.items()}
    return pack(value)


__all__ = ["has_own_state", "kind_of", "outlasts_episodes"]
