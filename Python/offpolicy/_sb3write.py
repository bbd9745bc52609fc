"""Writes a model file that Stable-Baselines3 opens: SAC, TD3, DDPG or DQN, with targets and optimisers."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any, Dict

import numpy as np

from . import _files
from ._sb3model import DEFAULTS, SB3Model
from ._sb3names import adam_group, check_chains, names, theirs, write_adam
from ._sb3pickle import Call, ForeignFileError, Name, write
from ._sb3read import hidden_sizes
from ._sb3spaces import pickle_space, write_space
from ._sb3tensors import write_entry, write_pth
from .arguments import activation_name

# the version whose files these are like
_VERSION = "2.9.2"
_POLICIES = {"sac": "SACPolicy", "td3": "TD3Policy", "ddpg": "TD3Policy", "dqn": "DQNPolicy"}


def write_sb3(model: SB3Model, path: Any) -> None:
    """Writes a model. A path without an ending gets `.zip`. The file is complete or not there."""
    if model.algorithm not in _POLICIES:
        raise ForeignFileError(f"Stable-Baselines3 has no {model.algorithm}; sac, td3, ddpg and dqn can be written")
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        write_entry(archive, "data", json.dumps(_data(model), indent=4, allow_nan=False).encode())
        for name, value in _tensor_files(model).items():
            write_entry(archive, name, write_pth(value))
        write_entry(archive, "_stable_baselines3_version", _VERSION.encode())
    _files.write(_files.with_suffix(path, "zip"), output.getvalue())


def _setting(model: SB3Model, name: str) -> Any:
    return model.settings.get(name, DEFAULTS[model.algorithm][name])


def _rate(model: SB3Model) -> float:
    rate = _setting(model, "learning_rate")
    if callable(rate):
        return float(rate(0.0))
    return float(rate)


def _data(model: SB3Model) -> Dict[str, Any]:
    algorithm = model.algorithm
    module = "td3" if algorithm == "ddpg" else algorithm
    policy = _POLICIES[algorithm]
    if model.observation_space["kind"] == "Dict":
        policy = "MultiInputPolicy"
    data: Dict[str, Any] = {
        "policy_class": {
            ":type:": "<class 'abc.ABCMeta'>",
            ":serialized:": _base64(Name(f"stable_baselines3.{module}.policies", policy)),
            "__module__": f"stable_baselines3.{module}.policies",
        },
        "policy_kwargs": _policy_arguments(model),
        "n_envs": 1,
        "use_sde": False,
    }
    for name in ("observation_space", "action_space"):
        space = getattr(model, name)
        data[name] = {**write_space(space), ":serialized:": _base64(pickle_space(space))}
    for name in DEFAULTS[algorithm]:
        value = _setting(model, name)
        if name == "learning_rate":
            value = _rate(model)
        elif name == "train_freq":
            value = _train_frequency(value)
        elif name == "target_entropy":
            value = _target_entropy(model, value)
        elif name == "action_noise":
            value = _noise(value)
        data["_stats_window_size" if name == "stats_window_size" else name] = value
    data.update(
        num_timesteps=model.num_timesteps, _total_timesteps=model.num_timesteps, _num_timesteps_at_start=0,
        _episode_num=model.episodes, _n_updates=model.updates, _current_progress_remaining=0.0,
        use_sde_at_warmup=False, sde_sample_freq=-1,
    )  # fmt: skip
    if algorithm == "dqn":
        data.update(exploration_rate=data["exploration_final_eps"], _n_calls=model.num_timesteps)
    return data


def _base64(value: Any) -> str:
    return base64.b64encode(write(value)).decode()


def _policy_arguments(model: SB3Model) -> Dict[str, Any]:
    sizes = hidden_sizes(model.tensors)
    arguments: Dict[str, Any] = {"net_arch": sizes["qf"]} if model.algorithm == "dqn" else {"net_arch": sizes}
    if model.algorithm != "dqn":
        arguments["n_critics"] = len({name.split(".")[1] for name in names(model.tensors, "critic")})
    if model.algorithm == "sac":
        arguments["use_sde"] = False
    name = activation_name((model.settings.get("policy_kwargs") or {}).get("activation_fn", "ReLU"))
    if name == "ReLU":
        return arguments
    # a class is no JSON: Stable-Baselines3 keeps the whole dict as a pickle, and its text beside it
    module = "torch.nn.modules.activation"
    return {
        ":type:": "<class 'dict'>",
        ":serialized:": _base64({**arguments, "activation_fn": Name(module, name)}),
        **arguments, "activation_fn": f"<class '{module}.{name}'>",
    }  # fmt: skip


def _train_frequency(value: Any) -> Any:
    """A number where the unit is a step. Stable-Baselines3 takes no list, which is what JSON makes of a pair."""
    if isinstance(value, (list, tuple)):
        frequency, unit = value
        if unit != "step":
            types = "stable_baselines3.common.type_aliases"
            pair = Call(Name(types, "TrainFreq"), (int(frequency), Call(Name(types, "TrainFrequencyUnit"), (unit,))))
            return {":type:": f"<class '{types}.TrainFreq'>", ":serialized:": _base64(pair)}
        value = frequency
    return int(value)


def _noise(value: Any) -> Any:
    """A pickle of Stable-Baselines3's own noise, of what `settings` makes of ours."""
    if not isinstance(value, dict) or value.get("class") not in ("NormalActionNoise", "OrnsteinUhlenbeckActionNoise"):
        return None
    module, array = "stable_baselines3.common.noise", Name("numpy", "array")
    mean, sigma = (np.atleast_1d(np.asarray(value[key], dtype=float)) for key in ("mean", "sigma"))
    arguments: Any = (Call(array, (mean.tolist(),)), Call(array, (sigma.tolist(),)))
    entry = {":type:": f"<class '{module}.{value['class']}'>", "_mu": str(mean), "_sigma": str(sigma)}
    if value["class"].startswith("Orn"):
        arguments += (float(value["theta"]), float(value["dt"]))
        entry.update(_theta=value["theta"], _dt=value["dt"])
    return {**entry, ":serialized:": _base64(Call(Name(module, value["class"]), arguments))}


def _target_entropy(model: SB3Model, value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    return -float(np.prod(model.action_space["shape"]))


def _tensor_files(model: SB3Model) -> Dict[str, Any]:
    tensors, rate = model.tensors, _rate(model)
    weights: Dict[str, np.ndarray] = {}
    for network in ("policy", "target_policy", "critic", "target_critic"):
        for name in names(tensors, network):
            mapped = theirs(model.algorithm, name)
            if mapped is None or not np.all(np.isfinite(tensors[name])):
                problem = "is not finite" if mapped else "has no counterpart in Stable-Baselines3"
                raise ForeignFileError(f"the weights {name} cannot be written: {problem}")
            weights[mapped] = tensors[name]
    check_chains(
        {name: tensors[name] for network in ("policy", "critic") for name in names(tensors, network)}, "the model"
    )
    variables: Dict[str, Any] = {}
    files: Dict[str, Any] = {"pytorch_variables.pth": variables, "policy.pth": weights}
    critics = write_adam(names(tensors, "critic"), tensors, "critic_optimizer", rate)
    if model.algorithm == "dqn":
        files["policy.optimizer.pth"] = critics
        return files
    files["actor.optimizer.pth"] = write_adam(names(tensors, "policy"), tensors, "policy_optimizer", rate)
    files["critic.optimizer.pth"] = critics
    if model.algorithm == "sac":
        temperature = float(np.ravel(tensors.get("number.log_temperature", tensors.get("log_temperature", [0.0])))[0])
        if isinstance(_setting(model, "ent_coef"), str):
            variables["log_ent_coef"] = np.array([temperature], dtype=np.float32)
            files["ent_coef_optimizer.pth"] = _temperature_optimizer(model, rate)
        else:
            variables["ent_coef_tensor"] = np.array(np.exp(temperature), dtype=np.float32)
    return files


def _temperature_optimizer(model: SB3Model, rate: float) -> Dict[str, Any]:
    first, second = (model.tensors.get(f"number.temperature_optimizer.{name}") for name in ("first", "second"))
    steps = np.array(model.tensors.get("count.temperature_optimizer.steps", [0]), dtype=np.float32).reshape(())
    slots: Dict[int, Any] = {}
    if first is not None and second is not None and steps > 0:
        slots[0] = {"step": steps, "exp_avg": np.asarray(first), "exp_avg_sq": np.asarray(second)}
    return {"state": slots, "param_groups": [adam_group(1, rate)]}
