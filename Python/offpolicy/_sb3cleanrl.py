"""Model files of CleanRL's TD3 and DDPG: a tuple of the weights of the policy and of one or two critics.

They hold no target networks, no optimiser, and no bounds of observations. Targets begin as copies.
"""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from . import _files
from ._sb3model import SB3Model
from ._sb3names import Tensors, check_chains
from ._sb3pickle import ForeignFileError
from ._sb3read import hidden_sizes
from ._sb3tensors import read_pth

_LAYERS = {"fc1": 0, "fc2": 1, "fc3": 2, "fc_mu": 2}


def read_cleanrl(path: Any) -> SB3Model:
    """Reads a `.cleanrl_model` file of td3_continuous_action.py or ddpg_continuous_action.py."""
    where = "the file" if hasattr(path, "read") else str(path)
    parts = read_pth(_files.read(path), where)
    if not isinstance(parts, tuple) or len(parts) not in (2, 3) or not all(isinstance(part, dict) for part in parts):
        raise ForeignFileError(f"{where} does not hold the policy and one or two critics, as CleanRL's TD3 and DDPG do")
    policy = dict(parts[0])
    scale, middle = (_row(policy, name, where) for name in ("action_scale", "action_bias"))
    tensors = _network(policy, "policy", where)
    for number, critic in enumerate(parts[1:]):
        tensors.update(_network(critic, f"critic.{number}", where))
    check_chains(tensors, where)
    actions = len(tensors["policy.layer.2.bias"])
    if len(scale) != actions or len(middle) != actions or not np.all(np.isfinite(scale) & (scale > 0)):
        raise ForeignFileError(f"{where} has no usable action_scale and action_bias of {actions} numbers")
    for number in range(len(parts) - 1):
        _rescale(tensors, f"critic.{number}.layer.0", scale, middle, where)
    for name in list(tensors):
        tensors["target_" + name] = tensors[name].copy()
    algorithm = "td3" if len(parts) == 3 else "ddpg"
    model = SB3Model(algorithm, tensors, _settings(algorithm, tensors))
    low, high = (middle - scale).tolist(), (middle + scale).tolist()
    model.action_space = {"kind": "Box", "low": low, "high": high, "shape": [actions], "dtype": "float32"}
    size = tensors["policy.layer.0.weight"].shape[1]
    model.observation_space = {
        "kind": "Box", "low": ["-inf"] * size, "high": ["inf"] * size, "shape": [size], "dtype": "float32",
    }  # fmt: skip
    model.notes.append("CleanRL's file holds neither target networks nor optimisers: targets begin as copies")
    return model


def _row(state: Dict[Any, Any], name: str, where: str) -> np.ndarray:
    value = state.pop(name, None)
    if not isinstance(value, np.ndarray):
        raise ForeignFileError(f"{where} has no {name}: it is not CleanRL's TD3 or DDPG")
    # some versions keep a leading axis of environments
    return np.ravel(value).astype(np.float64)


def _network(state: Dict[Any, Any], prefix: str, where: str) -> Tensors:
    result: Tensors = {}
    for name, array in state.items():
        layer, _, kind = str(name).partition(".")
        axes = {"weight": 2, "bias": 1}.get(kind)
        if layer not in _LAYERS or not isinstance(array, np.ndarray) or array.ndim != axes:
            raise ForeignFileError(f"{where} has {name!r:.80}, which CleanRL's TD3 and DDPG do not have")
        result[f"{prefix}.layer.{_LAYERS[layer]}.{kind}"] = np.ascontiguousarray(array, dtype=np.float32)
    if len(result) != 6:
        raise ForeignFileError(f"{where} has {len(result)} weights and biases in a network instead of 6")
    return result


def _rescale(tensors: Tensors, layer: str, scale: np.ndarray, middle: np.ndarray, where: str) -> None:
    """Makes a critic of actions in their own units one of actions in [-1, 1].

    W a + b with a = scale ⊙ u + middle is (W diag(scale)) u + (b + W middle).
    """
    weight = tensors[layer + ".weight"].astype(np.float64)
    observations = tensors["policy.layer.0.weight"].shape[1]
    if weight.shape[1] != observations + len(scale):
        raise ForeignFileError(
            f"{where} has a critic of {weight.shape[1]} inputs for {observations} + {len(scale)} values"
        )
    of_actions = weight[:, observations:].copy()
    weight[:, observations:] = of_actions * scale
    tensors[layer + ".bias"] = (tensors[layer + ".bias"] + of_actions @ middle).astype(np.float32)
    tensors[layer + ".weight"] = weight.astype(np.float32)


def _settings(algorithm: str, tensors: Tensors) -> Dict[str, Any]:
    """The arguments that CleanRL's script has by default; the file says none."""
    sizes: Dict[str, Any] = {"net_arch": hidden_sizes(tensors), "n_critics": 2 if algorithm == "td3" else 1}
    settings = {
        "learning_rate": 3e-4, "buffer_size": 1_000_000, "learning_starts": 25_000, "batch_size": 256, "tau": 0.005,
        "gamma": 0.99, "policy_delay": 2, "policy_kwargs": sizes,
    }  # fmt: skip
    if algorithm == "td3":
        settings.update(target_policy_noise=0.2, target_noise_clip=0.5)
    return settings
