"""Model files of Stable-Baselines3 (SAC, TD3, DDPG, DQN), read without running a pickle.

A Stable-Baselines3 file is a zip: `data`, JSON with the arguments of the constructor and the spaces; `policy.pth`, the
weights; one .pth per optimiser; `pytorch_variables.pth`, the temperature of SAC. `data` holds pickles as well. They are
not run: spaces are read from the text beside them, and `train_freq` is read as data.
"""

from __future__ import annotations

import base64
import json
import re
import zipfile
from typing import Any, Dict, List, Mapping

import numpy as np

from . import _files
from ._sb3model import DEFAULTS, SB3Model
from ._sb3names import names, read_adam, read_weights, step_of
from ._sb3pickle import ForeignFileError, read
from ._sb3spaces import read_space
from ._sb3tensors import open_archive, read_entry, read_pth
from .arguments import ACTIVATIONS


def read_sb3(path: Any) -> SB3Model:
    """Reads a model that Stable-Baselines3 saved. What this package does not know is refused by name."""
    path = _files.existing(path, "zip")
    where = str(path) if not hasattr(path, "read") else "the file"
    archive = open_archive(_files.read(path), where)
    data = _read_data(archive, where)
    weights = read_pth(read_entry(archive, "policy.pth", where), "policy.pth")
    if data.get("use_sde") is True:
        raise ForeignFileError(f"{where} was trained with gSDE (use_sde=True), which is not supported")
    tensors = read_weights(weights, "policy.pth")
    model = SB3Model(_algorithm(tensors, data, where), tensors)
    _check_networks(model, where)
    _read_settings(model, data)
    model.observation_space = read_space(data.get("observation_space"), "observation_space")
    model.action_space = read_space(data.get("action_space"), "action_space")
    present = archive.namelist()
    networks = {"critic": "critic.optimizer.pth", "policy": "actor.optimizer.pth"}
    if model.algorithm == "dqn":
        networks = {"critic": "policy.optimizer.pth"}
    for network, entry in networks.items():
        if entry not in present:
            model.notes.append(f"{entry} is missing: the optimiser starts anew")
            continue
        state = read_pth(read_entry(archive, entry, where), entry)
        group = read_adam(state, names(tensors, network), tensors, f"{network}_optimizer", entry)
        _read_rate(model, group)
    if model.algorithm == "sac":
        _read_temperature(model, archive, where)
    tensors["count.updates"] = np.array([model.updates], dtype=np.uint64)
    return model


def _read_data(archive: zipfile.ZipFile, where: str) -> Dict[str, Any]:
    content = read_entry(archive, "data", where)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise ForeignFileError(f"the entry data of {where} is not JSON") from None
    if not isinstance(data, dict):
        raise ForeignFileError(f"the entry data of {where} is not a JSON dictionary")
    return data


def _algorithm(tensors: Mapping[str, Any], data: Mapping[str, Any], where: str) -> str:
    if "policy.mean.weight" in tensors:
        return "sac"
    if "policy.layer.0.weight" not in tensors:
        return "dqn"
    critics = sum(re.fullmatch(r"critic\.\d+\.layer\.0\.weight", name) is not None for name in tensors)
    like_ddpg = critics == 1 and data.get("policy_delay") == 1 and data.get("target_noise_clip") == 0
    return "ddpg" if like_ddpg else "td3"


def _check_networks(model: SB3Model, where: str) -> None:
    tensors = model.tensors
    needed = ["critic.0.layer.0.weight", "target_critic.0.layer.0.weight"]
    if model.algorithm == "sac":
        needed += ["policy.log_std.weight"]
    elif model.algorithm in ("td3", "ddpg"):
        needed += ["target_policy.layer.0.weight"]
    for name in needed:
        if name not in tensors:
            raise ForeignFileError(f"{where} has no {name.rsplit('.', 3 if 'layer' in name else 2)[0]} network")
    if model.algorithm != "dqn":
        for name in names(tensors, "critic"):
            last = ".".join(name.split(".")[:3] + [str(int(name.split(".")[3]) + 1), "weight"])
            if name.endswith("weight") and last not in tensors and len(tensors[name]) != 1:
                raise ForeignFileError(
                    f"{where} has critics of {len(tensors[name])} values each, as TQC has; SAC has one"
                )


def _read_settings(model: SB3Model, data: Mapping[str, Any]) -> None:
    for name, default in DEFAULTS[model.algorithm].items():
        value = data.get("_stats_window_size" if name == "stats_window_size" else name, default)
        if isinstance(value, dict):
            value = _read_object(name, value, default, model)
        model.settings[name] = value
    model.num_timesteps = _count(data, "num_timesteps")
    model.episodes = _count(data, "_episode_num")
    model.updates = _count(data, "_n_updates")
    arguments = data.get("policy_kwargs")
    arguments = arguments if isinstance(arguments, dict) else {}
    activation = str(arguments.get("activation_fn", "ReLU"))
    # a class's text: <class 'torch.nn.modules.activation.Tanh'>
    kind = activation.strip("<>'").rpartition(".")[2]
    if kind not in ACTIVATIONS:
        raise ForeignFileError(
            f"the file's networks have the activation {activation}; there are {', '.join(ACTIVATIONS)}"
        )
    if not re.search(r"Adam'?>?$", str(arguments.get("optimizer_class", "Adam"))):
        raise ForeignFileError(f"the file's optimiser is {arguments['optimizer_class']}; only Adam is supported")
    sizes = hidden_sizes(model.tensors)
    model.settings["policy_kwargs"] = {"net_arch": sizes["qf"] if model.algorithm == "dqn" else sizes}
    if kind != "ReLU":
        model.settings["policy_kwargs"]["activation_fn"] = kind
    if model.algorithm != "dqn":
        critics = {name.split(".")[1] for name in names(model.tensors, "critic")}
        model.settings["policy_kwargs"]["n_critics"] = len(critics)
    buffer = data.get("replay_buffer_class")
    if isinstance(buffer, dict) and str(buffer.get("__module__", "")).startswith("stable_baselines3.her"):
        model.settings["replay_buffer_class"] = "HerReplayBuffer"
        kwargs = data.get("replay_buffer_kwargs")
        model.settings["replay_buffer_kwargs"] = kwargs if isinstance(kwargs, dict) else {}


def hidden_sizes(tensors: Mapping[str, np.ndarray]) -> Dict[str, List[int]]:
    """The sizes of the hidden layers of policy ("pi") and critics ("qf")."""
    result = {}
    for key, prefix in (("pi", "policy.layer."), ("qf", "critic.0.layer.")):
        sizes = [len(tensors[name]) for name in names(tensors, prefix[:-1]) if name.endswith("weight")]
        heads = key == "pi" and "policy.mean.weight" in tensors
        result[key] = sizes if heads else sizes[:-1]
    return result


def _count(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name, 0)
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


def _read_object(name: str, entry: Mapping[str, Any], default: Any, model: SB3Model) -> Any:
    """An argument that the file has as a pickle only."""
    if name == "train_freq":
        try:
            call = read(base64.b64decode(entry[":serialized:"]), where="train_freq")
            frequency, unit = call.arguments
            (unit,) = unit.arguments
            if isinstance(frequency, int) and unit in ("step", "episode"):
                return frequency if unit == "step" else (frequency, unit)
        except (ForeignFileError, KeyError, TypeError, ValueError, AttributeError):
            pass
    elif name == "action_noise":
        found = re.search(r"(NormalActionNoise|OrnsteinUhlenbeckActionNoise)'", str(entry.get(":type:")))
        if found:
            noise: Dict[str, Any] = {"class": found[1]}
            for key, field in (("mean", "_mu"), ("sigma", "_sigma")):
                noise[key] = [float(number) for number in re.findall(r"[-+\d.e]+", str(entry.get(field)))]
            if found[1].startswith("Orn"):
                noise.update(theta=entry.get("_theta", 0.15), dt=entry.get("_dt", 1e-2), initial_noise=None)
            return noise
    elif name == "learning_rate":
        return None  # the optimiser's, see _read_rate
    kind = str(entry.get(":type:"))[:80]
    model.notes.append(f"{name} is {kind}, which cannot be read without running it; {default!r} is used")
    return default


def _read_rate(model: SB3Model, group: Mapping[str, Any]) -> None:
    if model.settings["learning_rate"] is None and isinstance(group.get("lr"), float):
        model.settings["learning_rate"] = group["lr"]
        model.notes.append(f"learning_rate is a function; the last rate, {group['lr']}, is used")
    beyond = {key: group[key] for key, value in (("betas", (0.9, 0.999)), ("eps", 1e-8), ("weight_decay", 0))
              if key in group and group[key] != value}  # fmt: skip
    if beyond:
        model.settings["policy_kwargs"]["optimizer_kwargs"] = beyond


def _read_temperature(model: SB3Model, archive: zipfile.ZipFile, where: str) -> None:
    """log α, from the variables of SAC, and its optimiser."""
    entry = "pytorch_variables.pth"
    variables = read_pth(read_entry(archive, entry, where), entry)
    variables = variables if isinstance(variables, dict) else {}
    learned, fixed = variables.get("log_ent_coef"), variables.get("ent_coef_tensor")
    if isinstance(learned, np.ndarray) and learned.size == 1:
        value = float(np.ravel(learned)[0])
    elif isinstance(fixed, np.ndarray) and fixed.size == 1 and float(np.ravel(fixed)[0]) > 0:
        value = float(np.log(np.ravel(fixed)[0]))
    else:
        raise ForeignFileError(f"{entry} of {where} has neither log_ent_coef nor ent_coef_tensor")
    model.tensors["log_temperature"] = np.array([value], dtype=np.float32)
    model.tensors["number.log_temperature"] = np.array([value], dtype=np.float64)
    if "ent_coef_optimizer.pth" in archive.namelist():
        state = read_pth(read_entry(archive, "ent_coef_optimizer.pth", where), "ent_coef_optimizer.pth")
        slots = state.get("state") if isinstance(state, dict) else None
        slot = slots.get(0) if isinstance(slots, dict) else None
        slot = slot if isinstance(slot, dict) else {}
        for name, key in (("first", "exp_avg"), ("second", "exp_avg_sq")):
            moment = np.ravel(slot.get(key, 0.0)).astype(np.float64)[:1]
            model.tensors[f"number.temperature_optimizer.{name}"] = moment
        model.tensors["count.temperature_optimizer.steps"] = np.array([step_of(slot)], dtype=np.uint64)
