"""Built-in environments, one at a time, with Gymnasium's interface and without needing Gymnasium."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from . import _native, spaces
from .errors import UnsupportedError


def built_in_ids() -> List[str]:
    """The ids of the built-in environments."""
    return [entry["id"] for entry in _native.describe()["environments"]]


class BuiltInEnvironment:
    """A built-in environment.

    Observations are float32 of the shape (S). Actions are float32 of the shape (A), or a whole number from 0.
    """

    metadata: Dict[str, Any] = {"render_modes": []}
    render_mode: Optional[str] = None
    spec: Any = None

    def __init__(self, id: str, options: Optional[Dict[str, Any]] = None) -> None:
        self.id = id
        self.options = dict(options or {})
        self._handle = _native.Environment(id, self.options)
        facts = self._handle.facts
        low, high = ([float(x) for x in facts[name]] for name in ("observationLow", "observationHigh"))
        self.observation_space = spaces.Box(low, high, (facts["observationSize"],))
        actions = facts["actions"]
        if "choices" in actions:
            self.action_space: Any = spaces.Discrete(actions["choices"])
        else:
            self.action_space = spaces.Box(actions["low"], actions["high"])
        #: {"observationSize", "goalSize"} where the environment has goals, else None
        self.goals: Optional[Dict[str, int]] = facts.get("goals")
        self.maximum_steps: Optional[int] = facts.get("maximumSteps")
        self._action = np.zeros(1 if "choices" in actions else len(actions["low"]), dtype=np.float32)
        self._observation = np.zeros(facts["observationSize"], dtype=np.float32)
        self._reward = np.zeros(1, dtype=np.float64)
        self._flags = np.zeros(1, dtype=np.uint8)
        arrays = (self._action, self._observation, self._reward, self._flags)
        self._addresses = [array.ctypes.data for array in arrays]

    @property
    def unwrapped(self) -> "BuiltInEnvironment":
        """Itself: nothing is around it."""
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        # the last attribute of __init__
        if hasattr(self, "_addresses") and name not in ("spec", "render_mode", "metadata"):
            raise UnsupportedError(
                f"{name!r} of the built-in {self.id} cannot be set, because the library computes its steps; give options to the "
                "model as environment_options, or pass an environment of Gymnasium"
            )
        super().__setattr__(name, value)

    def reset(
        self, *, seed: Optional[int] = None, options: Optional[Dict[str, Any]] = None
    ) -> Tuple[np.ndarray, Dict[str, Any]]:
        """Starts an episode; without a seed the generator goes on."""
        seed = -1 if seed is None else seed
        _native.check(
            _native.library().environment_reset(
                self._handle.handle, seed, self._addresses[1], len(self._observation)
            )
        )
        return self._observation.copy(), {}

    def step(self, action: Any) -> Tuple[np.ndarray, float, bool, bool, Dict[str, Any]]:
        """Takes one step; returns observation (S), reward, terminated, truncated, info."""
        if np.size(action) != len(self._action):
            raise UnsupportedError(f"an action of {self.id} has {len(self._action)} numbers, {np.size(action)} came")
        self._action[...] = np.reshape(action, -1)
        action_address, observation_address, reward_address, flags_address = self._addresses
        result = _native.library().environment_step(
            self._handle.handle, action_address, len(self._action), observation_address, len(self._observation),
            reward_address, flags_address,
        )  # fmt: skip
        _native.check(result)
        flags = int(self._flags[0])
        return self._observation.copy(), float(self._reward[0]), bool(flags & 1), bool(flags & 2), {}

    def save(self) -> bytes:
        """The environment in mid-episode."""
        return bytes(self._handle.result("environment_state"))

    def restore(self, state: bytes) -> None:
        """Puts it back to where `save` was called; it goes on to the bit."""
        self._handle.give("environment_restore", state)

    def render(self) -> None:
        """Built-in environments have no pictures."""
        return None

    def close(self) -> None:
        """Frees it. A second call does nothing."""
        self._handle.close()

    def __repr__(self) -> str:
        return f"<BuiltInEnvironment {self.id}>"
