"""A model's policy as an object: predictions, parameters, scaling of actions."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Dict, Optional, Tuple

import numpy as np

from . import _files, saving
from .errors import UnsupportedError
from .policy_files import policy_content


class Device(str):
    """The processor, as scripts ask for it: `device.type` is "cpu"."""

    type = "cpu"
    index: Optional[int] = None


class Policy:
    """What SB3 calls a model's `policy`. It has no networks of its own: those are in the library."""

    #: how the names of its parameters begin
    prefix: ClassVar[str] = ""

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
    def actor(self) -> "Actor":
        """The network that chooses actions."""
        if self._model.is_single_network:
            raise AttributeError(f"the policy of {type(self._model).__name__} has no actor: it has a q_net")
        return Actor(self._model)

    @property
    def q_net(self) -> "QNetwork":
        """The network of the values of all actions, by which the policy chooses."""
        if not self._model.is_single_network:
            raise AttributeError(f"the policy of {type(self._model).__name__} has no q_net: it has an actor")
        return QNetwork(self._model)

    @property
    def device(self) -> Device:
        """Where it is computed: "cpu"."""
        return self._model.device

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> Tuple[np.ndarray, Any]:
        """As the model's `predict`."""
        return self._model.predict(observation, state, episode_start, deterministic)

    def __call__(self, observation: Any, deterministic: bool = False) -> np.ndarray:
        """Actions, as `predict` without the state."""
        return self.predict(observation, deterministic=deterministic)[0]

    def state_dict(self) -> Dict[str, Any]:
        """Networks and targets by name: tensors where the program has imported PyTorch, else arrays."""
        found = self._model.get_parameters()["policy"]
        return {name: value for name, value in found.items() if name.startswith(self.prefix)}

    def load_state_dict(self, parameters: Dict[str, Any], strict: bool = True) -> None:
        """Sets networks and targets."""
        if strict:
            missing = [name for name in self.state_dict() if name not in parameters]
            if missing:
                raise RuntimeError(f"{len(missing)} parameters are missing, such as {missing[0]}")
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
        """Writes policy.safetensors, which `load` and the program's `evaluate` read, where that is the path's suffix or there
        is none; else all networks, as the model's `save` does, without the replay buffer."""
        suffix = os.path.splitext(os.fspath(path))[1] if not hasattr(path, "write") else ".safetensors"
        if suffix in ("", ".safetensors") or self._model._policy_handle is not None:
            _files.write(path, policy_content(self._model))
        else:
            _files.write(path, saving.to_bytes(self._model, {"replay_buffer"}))

    @classmethod
    def load(cls, path: Any, device: Any = "auto") -> Any:
        """The policy of a file that `save` wrote, by itself."""
        import offpolicy

        name = saving.class_name(_files.read(_files.existing(path)))
        if name is None or not hasattr(offpolicy, name):
            raise UnsupportedError(f"{path} holds no policy that this package wrote")
        return cls(getattr(offpolicy, name).load(path))


class Actor(Policy):
    """The part of a policy that chooses actions."""

    prefix = "policy."


class QNetwork(Policy):
    """The values of all actions that a policy chooses by."""

    prefix = "critic."
