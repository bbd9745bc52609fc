"""A model's policy as an object: predictions, parameters, scaling of actions."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import numpy as np

from . import _files


class Device(str):
    """The processor, as scripts ask for it: `device.type` is "cpu"."""

    type = "cpu"
    index: Optional[int] = None


class Policy:
    """What SB3 calls a model's `policy`. It has no networks of its own: those are in the library."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def observation_space(self) -> Any:
        """The model's."""
        return self._model.observation_space

    @property
    def action_space(self) -> Any:
        """The model's."""
        return self._model.action_space

    @property
    def device(self) -> Device:
        """Where it is computed: "cpu"."""
        return self._model.device

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> Tuple[np.ndarray, Any]:
        """As the model's `predict`."""
        return self._model.predict(observation, state, episode_start, deterministic)

    def state_dict(self) -> Dict[str, np.ndarray]:
        """Networks and targets by name."""
        return self._model.get_parameters()["policy"]

    def load_state_dict(self, parameters: Dict[str, np.ndarray], strict: bool = True) -> None:
        """Sets networks and targets."""
        if strict:
            self._model._check_parameters({"policy": parameters}, ["policy"])
        self._model.set_parameters({"policy": parameters}, exact_match=False)

    def scale_action(self, action: Any) -> np.ndarray:
        """Actions in [−1, 1] of actions in the environment's units."""
        space = self.action_space
        return 2.0 * (np.asarray(action) - space.low) / (space.high - space.low) - 1.0

    def unscale_action(self, scaled_action: Any) -> np.ndarray:
        """Actions in the environment's units of actions in [−1, 1]."""
        space = self.action_space
        return space.low + 0.5 * (np.asarray(scaled_action) + 1.0) * (space.high - space.low)

    def set_training_mode(self, mode: bool) -> None:
        """Networks are the same in training and out of it."""

    def save(self, path: Any) -> None:
        """Writes policy.safetensors, which `load` and the program's `evaluate` read."""
        _files.write(path, self._model._learner.result("policy"))
