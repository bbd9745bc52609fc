"""The names of weights and of Adam's moments: Stable-Baselines3's and CleanRL's against ours.

    Stable-Baselines3                        ours
    actor.latent_pi.K, actor.mu (SAC)        policy.layer.K, policy.mean
    actor.log_std (SAC)                      policy.log_std
    actor.mu.K, actor_target.mu.K            policy.layer.K, target_policy.layer.K
    critic.qfJ.K, critic_target.qfJ.K        critic.J.layer.K, target_critic.J.layer.K
    q_net.q_net.K, q_net_target.q_net.K      critic.0.layer.K, target_critic.0.layer.K

Theirs count activations as layers: their K is twice ours.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ._sb3pickle import ForeignFileError

Tensors = Dict[str, np.ndarray]

_RULES: List[Tuple[str, str]] = [
    (r"actor\.latent_pi\.(\d+)", "policy.layer.{0}"),
    (r"actor\.mu\.(\d+)", "policy.layer.{0}"),
    (r"actor\.mu", "policy.mean"),
    (r"actor\.log_std", "policy.log_std"),
    (r"actor_target\.mu\.(\d+)", "target_policy.layer.{0}"),
    (r"critic\.qf(\d+)\.(\d+)", "critic.{1}.layer.{0}"),
    (r"critic_target\.qf(\d+)\.(\d+)", "target_critic.{1}.layer.{0}"),
    (r"q_net\.q_net\.(\d+)", "critic.0.layer.{0}"),
    (r"q_net_target\.q_net\.(\d+)", "target_critic.0.layer.{0}"),
]


def ours(name: str) -> Optional[str]:
    """Our name of one of Stable-Baselines3's weights, or None."""
    module, _, kind = name.rpartition(".")
    if kind not in ("weight", "bias"):
        return None
    for pattern, form in _RULES:
        match = re.fullmatch(pattern, module)
        if match:
            *others, index = (int(group) for group in match.groups()) if match.groups() else [0]
            if index % 2:
                return None
            return form.format(index // 2, *others) + "." + kind
    return None


def theirs(algorithm: str, name: str) -> Optional[str]:
    """Stable-Baselines3's name of one of our weights, or None where it has none."""
    match = re.fullmatch(r"(target_)?(policy|critic)\.(?:(\d+)\.)?(?:layer\.(\d+)|(mean|log_std))\.(weight|bias)", name)
    if match is None:
        return None
    target, network, number, layer, head, kind = match.groups()
    if network == "policy":
        if head:
            return f"actor.{'mu' if head == 'mean' else 'log_std'}.{kind}"
        inner = "latent_pi" if algorithm == "sac" else "mu"
        return f"actor{'_target' if target else ''}.{inner}.{2 * int(layer)}.{kind}"
    if algorithm == "dqn":
        return f"q_net{'_target' if target else ''}.q_net.{2 * int(layer)}.{kind}"
    return f"critic{'_target' if target else ''}.qf{number}.{2 * int(layer)}.{kind}"


def order(name: str) -> Tuple[Any, ...]:
    """Sorts our names as PyTorch lists parameters: network by network, layer by layer, the weight before the bias."""
    parts = name.split(".")
    network = ["policy", "target_policy", "critic", "target_critic"].index(parts[0])
    number = int(parts[1]) if parts[1].isdigit() else 0
    layer = int(parts[-2]) if parts[-2].isdigit() else {"mean": 10**6, "log_std": 10**6 + 1}[parts[-2]]
    return network, number, layer, parts[-1] == "bias"


def names(tensors: Mapping[str, Any], network: str) -> List[str]:
    """The weights of "policy" or "critic", in PyTorch's order."""
    return sorted((name for name in tensors if name.startswith(network + ".")), key=order)


def read_weights(state: Mapping[Any, Any], where: str) -> Tensors:
    """All weights under our names. A weight without a counterpart is refused by name."""
    if not isinstance(state, dict) or not state:
        raise ForeignFileError(f"{where} holds no weights")
    result: Tensors = {}
    for name, array in state.items():
        mapped = ours(name) if isinstance(name, str) else None
        if mapped is None or not isinstance(array, np.ndarray) or array.ndim != (2 if mapped.endswith("weight") else 1):
            raise ForeignFileError(f"{where} has {name!r:.80}, {_reason(str(name))}")
        result[mapped] = np.ascontiguousarray(array, dtype=np.float32)
    check_chains(result, where)
    return result


def _reason(name: str) -> str:
    if name == "actor.log_std" or "sde" in name:
        return "which belongs to gSDE; that is not supported"
    if "features_extractor" in name:
        return "which belongs to a feature extractor; only policies without one can be read"
    if name.startswith(("mlp_extractor", "action_net", "value_net")):
        return "so it is a model of an on-policy algorithm; SAC, TD3, DDPG and DQN can be read"
    return "which networks of dense layers with ReLU do not have"


def check_chains(tensors: Mapping[str, np.ndarray], where: str) -> None:
    """Each layer takes what the one before gives."""
    networks = sorted({re.split(r"\.layer\.|\.mean|\.log_std", name)[0] for name in tensors})
    for network in networks:
        layer, width = 0, None
        while f"{network}.layer.{layer}.weight" in tensors:
            width = _check_layer(tensors, f"{network}.layer.{layer}", width, where)
            layer += 1
        heads = [head for head in ("mean", "log_std") if f"{network}.{head}.weight" in tensors]
        for head in heads:
            _check_layer(tensors, f"{network}.{head}", width, where)
        count = sum(name.startswith(network + ".") for name in tensors)
        if count != 2 * (layer + len(heads)):
            raise ForeignFileError(
                f"{where} has {count} weights and biases of {network}, some of its layers are missing"
            )


def _check_layer(tensors: Mapping[str, np.ndarray], layer: str, width: Optional[int], where: str) -> int:
    weight, bias = tensors[layer + ".weight"], tensors.get(layer + ".bias")
    if bias is None or len(bias) != len(weight) or (width is not None and weight.shape[1] != width):
        expected = f"{width} columns and " if width is not None else ""
        raise ForeignFileError(
            f"{where}: {layer} has the shape {weight.shape} instead of {expected}as many rows as biases"
        )
    return len(weight)


# ---- Adam


def read_adam(state: Any, parameters: Sequence[str], tensors: Tensors, optimizer: str, where: str) -> Dict[str, Any]:
    """Adds the moments of an optimiser to `tensors`; returns its settings: lr, betas, eps, weight_decay."""
    try:
        slots, (group,) = state["state"], state["param_groups"]
        count = len(group["params"])
    except (TypeError, KeyError, ValueError, IndexError):
        raise ForeignFileError(f"{where} is not the state of one optimiser") from None
    # before Stable-Baselines3 2.4, DQN listed the target's weights too, which have no moments
    if count not in (len(parameters), 2 * len(parameters)):
        raise ForeignFileError(f"{where} has {count} parameters instead of {len(parameters)}")
    steps = 0
    for index, name in enumerate(parameters):
        slot = slots.get(index) if isinstance(slots, dict) else None
        slot = slot if isinstance(slot, dict) else {}
        network, _, rest = name.partition(".")
        number, rest = rest.split(".", 1) if rest[0].isdigit() else ("0", rest)
        for moment, key in (("first", "exp_avg"), ("second", "exp_avg_sq")):
            array = slot.get(key, np.zeros_like(tensors[name]))
            if not isinstance(array, np.ndarray) or array.shape != tensors[name].shape:
                raise ForeignFileError(f"{where} has {key} of another shape than {name}, or none: it is not Adam's")
            tensors[f"{optimizer}.{number}.{moment}.{rest}"] = np.ascontiguousarray(array, dtype=np.float32)
        steps = max(steps, step_of(slot))
    tensors[f"count.{optimizer}.steps"] = np.array([steps], dtype=np.uint64)
    return {key: group[key] for key in ("lr", "betas", "eps", "weight_decay") if key in group}


def step_of(slot: Mapping[str, Any]) -> int:
    """The number of Adam's steps: a tensor, or a number in old files."""
    value = slot.get("step", 0)
    if not isinstance(value, (int, float, np.ndarray)) or np.size(value) != 1:
        return 0
    steps = float(np.ravel(value)[0])
    return int(steps) if 0 <= steps < 2**53 else 0


def write_adam(parameters: Sequence[str], tensors: Mapping[str, np.ndarray], optimizer: str, rate: float) -> Any:
    """The state of a PyTorch optimiser, with the moments in `tensors`, or without where there are none."""
    slots: Dict[int, Any] = {}
    steps = float(np.ravel(tensors.get(f"count.{optimizer}.steps", [0]))[0])
    for index, name in enumerate(parameters if steps > 0 else ()):
        _, _, rest = name.partition(".")
        number, rest = rest.split(".", 1) if rest[0].isdigit() else ("0", rest)
        slots[index] = {
            "step": np.array(steps, dtype=np.float32),
            "exp_avg": tensors[f"{optimizer}.{number}.first.{rest}"],
            "exp_avg_sq": tensors[f"{optimizer}.{number}.second.{rest}"],
        }
    return {"state": slots, "param_groups": [adam_group(len(parameters), rate)]}


def adam_group(count: int, rate: float) -> Dict[str, Any]:
    """PyTorch's settings of Adam."""
    return {
        "lr": float(rate), "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False, "maximize": False,
        "foreach": None, "capturable": False, "differentiable": False, "fused": None, "decoupled_weight_decay": False,
        "params": list(range(count)),
    }  # fmt: skip
