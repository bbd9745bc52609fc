"""A model in one file, and back. No pickle: nothing in a file is run.

The file is a zip without compression:
  offpolicy.json        the constructor's arguments, spaces, counts, where the environments are
  state.safetensors     everything that the rest of a run depends on, besides the buffer
  replay.safetensors    the replay buffer
  policy.safetensors    the policy, as the program's `evaluate` reads it
"""

from __future__ import annotations

import io
import json
import os
import pathlib
import warnings
import zipfile
from typing import Any, Dict, Iterable, List, Optional

import numpy as np

from . import _files, _native, _safetensors, prediction, spaces
from .errors import NativeError, OffPolicyError, UnsupportedError
from .noise import noise_for
from .policy_files import fill_from_policy
from .replay import flush, replay_buffer_of
from .restoring import save_lanes
from .settings import from_saved, to_saved
from .temperature import keeping_temperature
from .training_steps import apply, first_rate
from .vectors import make_lanes

FORMAT, VERSION = "offpolicy model", 1


def save(model: Any, path: Any, exclude: Optional[Iterable[str]], include: Optional[Iterable[str]]) -> None:
    """Writes a model's file."""
    left_out = set(exclude or ()) - set(include or ())
    _files.write(_files.with_suffix(path, "zip"), to_bytes(model, left_out))


def to_bytes(model: Any, left_out: Iterable[str] = ()) -> bytes:
    """The content of a model's file."""
    if model._policy_handle is not None:
        raise UnsupportedError("this model was loaded from a policy file; copy that file")
    learner, left_out = model._learner, set(left_out)
    flush(getattr(model, "replay_buffer", None))
    members: Dict[str, Any] = {
        "offpolicy.json": json.dumps(_facts(model, left_out), indent=1).encode(),
        "state.safetensors": learner.result("state"),
        "policy.safetensors": learner.result("policy"),
    }
    if "replay_buffer" not in left_out:
        members["replay.safetensors"] = learner.result("replay")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            # always the same time: the same model makes the same file
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), bytes(content))
    return file.getvalue()


def _facts(model: Any, left_out: Iterable[str]) -> Dict[str, Any]:
    processor = _native.describe()
    return {
        "format": FORMAT,
        "version": VERSION,
        "class": type(model).__name__,
        "arguments": to_saved(model, left_out),
        "observationSpace": spaces.describe(model.observation_space),
        "actionSpace": spaces.describe(model.action_space),
        "policy": model.policy_class,
        "builtIn": model._built_in,
        "stepsNatively": model._steps_natively,
        "environments": model.n_envs,
        "seed": model._seed,
        "timesteps": model.num_timesteps,
        "totalTimesteps": model._total_timesteps,
        "episodes": model._episode_num,
        "progressRemaining": model._current_progress_remaining,
        "round": [model._round.rounds, model._round.steps, model._round.episodes],
        "applied": model._applied,
        "episodeInfos": [_plain(info) for info in model.ep_info_buffer],
        "successes": [bool(success) for success in model.ep_success_buffer],
        **_places(model),
        "libraryVersion": processor["version"],
        "processor": processor["processor"],
        "kernels": processor["kernels"],
    }


def _places(model: Any) -> Dict[str, Any]:
    """The states of the environments; for a loaded model that has not trained yet, those of its file."""
    if model._saved_lanes is not None:
        return {"lanes": model._saved_lanes, "observations": model._saved_rows}
    lanes = model._lanes
    if lanes is None or model._steps_natively or model._must_reset:
        return {"lanes": None, "observations": None}
    rows = np.empty((lanes.num_envs, lanes.flattener.size), dtype=np.float32)
    lanes.write_current(rows)
    return {"lanes": save_lanes(lanes), "observations": rows.tolist()}


def _plain(info: Any) -> Dict[str, float]:
    """The numbers of an info."""
    values = {key: np.asarray(value) for key, value in info.items() if np.ndim(value) == 0}
    return {key: float(value) for key, value in values.items() if value.dtype.kind in "biuf"}


# ---- loading


def load(
    cls: Any, path: Any, env: Any, custom_objects: Optional[Dict[str, Any]], print_system_info: bool, force_reset: bool,
    overrides: Dict[str, Any],
) -> Any:  # fmt: skip
    """A new model from any of the files that `load` of the models names."""
    if not hasattr(path, "read") and os.path.isfile(os.path.join(path, "policy.safetensors")):
        path = pathlib.Path(path) / "policy.safetensors"
    path = _files.existing(path, "zip", "safetensors")
    content = _files.read(path)
    if print_system_info:
        facts = _native.describe()
        print(f"offpolicy {facts['version']}, {facts['processor']}, {facts['kernels']}, NumPy {np.__version__}")
    unknown = [name for name in overrides if name not in cls._argument_names()]
    if unknown:
        raise TypeError(f"{cls.__name__} has no argument {unknown[0]!r}")
    model = cls.__new__(cls)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return fill_from_policy(model, content, env, str(path))
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    if "offpolicy.json" in names:
        fill(model, content, env, dict(custom_objects or {}), overrides, force_reset)
        return model
    from .foreign_files import fill_from_foreign

    return fill_from_foreign(model, path, names, env, dict(custom_objects or {}), overrides)


def class_name(content: bytes) -> Optional[str]:
    """The class of the model, or of the policy, that a file's content describes; None: it is of neither kind."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            return json.loads(archive.read("offpolicy.json"))["class"] if "offpolicy.json" in names else None
    try:
        _, facts = _safetensors.decode(content)
    except (OffPolicyError, ValueError, KeyError):
        return None
    import offpolicy

    names = {getattr(getattr(offpolicy, name), "algorithm", None): name for name in offpolicy.__all__}
    return names.get(facts["algorithm"]) if "algorithm" in facts else None


def fill(
    model: Any, content: bytes, env: Any = None, custom_objects: Optional[Dict[str, Any]] = None,
    overrides: Optional[Dict[str, Any]] = None, force_reset: bool = True,
) -> None:  # fmt: skip
    """Makes an empty model the one that the content of its file describes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    facts = json.loads(members["offpolicy.json"])
    if facts.get("format") != FORMAT or facts.get("version") != VERSION:
        raise OffPolicyError(
            f"the file is a {facts.get('format')!r} of version {facts.get('version')}, expected {FORMAT!r} of {VERSION}"
        )
    if facts["class"] != type(model).__name__:
        raise UnsupportedError(f"the file holds a model of {facts['class']}: use {facts['class']}.load")
    # nobody misses a function that was not saved where another one is given
    replaced = {"learning_rate", "action_noise"} & {*(custom_objects or {}), *(overrides or {})}
    given = from_saved(type(model), {name: value for name, value in facts["arguments"].items() if name not in replaced})
    saved_temperature = given.get("ent_coef")
    given.update({name: value for name, value in (custom_objects or {}).items() if name in given})
    overrides = dict(overrides or {})
    saved_networks = given["policy_kwargs"] or {}
    if "policy_kwargs" in overrides and (overrides["policy_kwargs"] or {}) != saved_networks:
        raise ValueError(f"policy_kwargs are {saved_networks} in the file, {overrides['policy_kwargs']} were given")
    given.update(overrides)
    if env is None and facts["builtIn"] is not None:
        env = facts["builtIn"]
    assemble(
        model, given, env, facts["policy"], spaces.from_description(facts["observationSpace"]),
        spaces.from_description(facts["actionSpace"]), facts["environments"], facts["seed"],
    )  # fmt: skip
    with keeping_temperature(model, given.get("ent_coef") != saved_temperature):
        _restore(model, facts, members, force_reset)


def assemble(
    model: Any, given: Dict[str, Any], env: Any, policy: str, observations: Any, actions: Any, count: int, seed: Any
) -> None:
    """Makes environments and learner of an empty model."""
    for name, value in given.items():
        setattr(model, name, value)
    model.policy_kwargs, model.configuration = dict(model.policy_kwargs or {}), dict(model.configuration or {})
    model._check()
    if seed is not None and (model.seed is None or model.seed == seed):
        model._seed = seed
    model.n_envs = count
    lanes, built_in = (None, None) if env is None else make_lanes(
        env, count if isinstance(env, str) else 1, model.environment_options if isinstance(env, str) else None
    )  # fmt: skip
    if lanes is not None:
        spaces.check_same("observation", observations, lanes.observation_space)
        spaces.check_same("action", actions, lanes.action_space)
        model.n_envs = lanes.num_envs
    model._set_spaces(observations, actions, policy)
    model._start_counting()
    if lanes is not None:
        model._set_lanes(lanes, built_in)
    else:
        model._set_nowhere()
    model._saved_lanes = model._saved_rows = None
    model.action_noise = noise_for(model.action_noise, model.n_envs)
    model._make_learner()


def _restore(model: Any, facts: Dict[str, Any], members: Dict[str, bytes], force_reset: bool) -> None:
    model.num_timesteps, model._episode_num = facts["timesteps"], facts["episodes"]
    model._total_timesteps = facts["totalTimesteps"]
    model._current_progress_remaining = facts["progressRemaining"]
    model.ep_info_buffer.extend(facts["episodeInfos"])
    model.ep_success_buffer.extend(facts["successes"])
    if model.n_envs != facts["environments"] or not _restored(model, members):
        _restore_parameters(model, members)
        return
    collected, frequency = model._round, model.train_freq
    collected.rounds, collected.steps, collected.episodes = facts["round"]
    count = collected.episodes if frequency.unit == "episode" else collected.rounds
    collected.is_restored = count >= frequency.frequency and not model._steps_natively
    for name, value in facts["applied"].items():
        # where a schedule has got to is of no account for a rate that is a number now
        is_rate = name == "learningRate" and model._has_constant_rate
        apply(model, name, first_rate(model) if is_rate else value)
    lanes = model._lanes
    if model._steps_natively or facts["observations"] is None:
        return
    if force_reset or lanes is None:
        model._saved_lanes, model._saved_rows = facts["lanes"], facts["observations"]
        return
    # the environments are where they were: the library goes on with them
    if lanes.observations is None:
        lanes.resume(np.array(facts["observations"], dtype=np.float32))
    model._must_reset, model._epoch = False, lanes.epoch


def _restored(model: Any, members: Dict[str, bytes]) -> bool:
    try:
        if "replay.safetensors" in members:
            model._learner.give("restore_replay", members["replay.safetensors"])
        model._learner.give("restore", members["state.safetensors"])
        return True
    except NativeError as error:
        warnings.warn(
            f"the saved state does not fit this model ({error}); networks, optimisers and, where it fits, the replay buffer "
            "are taken, random streams and schedules begin anew",
            UserWarning,
            stacklevel=6,
        )
        return False


def _restore_parameters(model: Any, members: Dict[str, bytes]) -> None:
    """Networks, optimisers and the replay buffer of another learner: all that does not depend on its environments."""
    model._make_learner()
    if "replay.safetensors" in members:
        try:
            model._learner.give("restore_replay", members["replay.safetensors"])
        except NativeError:
            # of another number of environments
            model._make_learner()
    tensors, _ = _safetensors.decode(members["state.safetensors"])
    expected, _ = _safetensors.decode(model._learner.result("parameters"))
    # the state's names of them begin so; noise of another number of environments stays behind
    named = {name[len("algorithm.") :]: values for name, values in tensors.items() if name.startswith("algorithm.")}
    found = {name: named[name] for name in expected if name in named and named[name].shape == expected[name].shape}
    if not any(name.startswith(("policy.", "critic.")) for name in found):
        raise OffPolicyError("the saved state has no networks that this model knows")
    model._learner.give("set_parameters", _safetensors.encode(found))


def restore_learner(model: Any, members: Dict[str, bytes]) -> bool:
    """Gives a new learner what another one had, as far as it fits; whether all of it did."""
    try:
        model._learner.give("restore_replay", members["replay.safetensors"])
        model._learner.give("restore", members["state.safetensors"])
        return True
    except NativeError:
        _restore_parameters(model, members)
        return False


def parameters_of(model: Any, path: Any) -> Dict[str, Dict[str, np.ndarray]]:
    """The parameters of a saved model of the same class."""
    return type(model).load(path).get_parameters()


def move_to(model: Any, lanes: Any, built_in: Optional[str]) -> None:
    """Gives a model other environments, where its learner depends on them; it keeps everything else."""
    flush(getattr(model, "replay_buffer", None))
    members = {name + ".safetensors": bytes(model._learner.result(name)) for name in ("state", "replay")}
    applied = dict(model._applied)
    model._set_lanes(lanes, built_in)
    model._make_learner()
    restore_learner(model, members)
    for name, value in applied.items():
        model._learner.set(name, value)
    model._applied = applied
    model._actions = prediction.row_maps(model)


# ---- the replay buffer alone


def save_replay_buffer(model: Any, path: Any) -> None:
    """Writes the replay buffer."""
    flush(getattr(model, "replay_buffer", None))
    _files.write(_files.with_suffix(path, "safetensors"), model._learner.result("replay"))


def load_replay_buffer(model: Any, path: Any, tells_of_ends: bool) -> None:
    """Reads a replay buffer that `save_replay_buffer` wrote.

    :param tells_of_ends: whether it warns where an episode was running that now ends
    """
    content = _files.read(_files.existing(path, "safetensors", "pkl"))
    if content[:1] == b"\x80":
        raise UnsupportedError(
            "the file is a pickle, as Stable-Baselines3 writes replay buffers; reading it would run what is in it"
        )
    if not model._steps_natively:
        for lane in range(model.n_envs):
            _native.check(_native.library().abandon(model._learner.handle, lane))
    model._epoch, model._saved_lanes = -1, None
    try:
        model._learner.give("restore_replay", content)
    except NativeError as error:
        kind = f"n_envs={model.n_envs} and observations {spaces.summary(model.observation_space)}"
        raise UnsupportedError(f"the file's replay buffer does not fit this model with {kind}: {error}") from None
    model.replay_buffer = replay_buffer_of(model)
    if tells_of_ends:
        arrays = model.replay_buffer.transitions()
        lasts = [int(end) - 1 for end in arrays["lane_ends"] if end > 0]
        if not all(arrays["terminated"][i] or arrays["truncated"][i] for i in lasts):
            warnings.warn(
                "The last trajectory in the replay buffer will be truncated: an episode was running when it was written",
                UserWarning,
                stacklevel=3,
            )
