"""Policy files: written with a model's spaces, and models made of one, which predict and do not learn.

A policy.safetensors of the program has sizes only. This package adds the metadata "spaces", which the program ignores.
"""

from __future__ import annotations

import inspect
import json
from typing import Any, Dict

import numpy as np

from . import _native, _safetensors, prediction, spaces
from .errors import OffPolicyError, UnsupportedError
from .vectors import make_lanes


class NoLearner:
    """Stands where a model of a policy file has no learner and no replay buffer."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(
            "this model was loaded from a policy file, which has no critics, no optimisers and no replay buffer; load what "
            "save() of the model wrote"
        )


def policy_content(model: Any) -> bytes:
    """The policy file of a model."""
    if model._policy_handle is not None:
        return model._policy_content
    tensors, facts = _safetensors.decode(model._learner.result("policy"))
    described = {
        "observation": spaces.describe(model.observation_space),
        "action": spaces.describe(model.action_space),
        # with hindsight, the parts of an observation have another order
        "hasGoals": model._actions.flattener.goals,
    }
    del facts["digest"]
    facts["spaces"] = json.dumps(described)
    return _safetensors.encode(tensors, {**facts, "digest": _digest(tensors, facts)})


def _digest(tensors: Dict[str, np.ndarray], facts: Dict[str, str]) -> str:
    """The program's hash of a policy file: FNV-1a of words of 32 bits."""
    said = "".join(f"{key}={value}\n" for key, value in sorted(facts.items()))
    value = 0xCBF2_9CE4_8422_2325
    for name, numbers in sorted({**tensors, said: np.zeros(0, np.float32)}.items()):
        for word in (*name.encode(), 0xFFFF_FFFF, *np.ravel(numbers).view(np.uint32).tolist()):
            value = (value ^ word) * 0x100_0000_01B3 & 0xFFFF_FFFF_FFFF_FFFF
    return f"{value:016x}"


def fill_from_policy(model: Any, content: bytes, env: Any, path: str) -> Any:
    """Makes an empty model the policy of a file."""
    try:
        tensors, facts = _safetensors.decode(content)
    except (OffPolicyError, ValueError, KeyError) as error:
        raise OffPolicyError(f"{path} is neither a saved model nor a policy file: {error}") from None
    cls = type(model)
    if facts.get("algorithm") not in (None, cls.algorithm):
        raise UnsupportedError(f"{path} holds a policy of {facts['algorithm']!r}, not of {cls.algorithm!r}")
    handle = _native.Policy(content)
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if name in cls._argument_names():
            setattr(model, name, parameter.default)
    model.policy_kwargs, model.configuration = {}, {}
    size, described = int(facts["observationSize"]), _described_spaces(tensors, facts)
    if described["hasGoals"]:
        model.replay_buffer_class = "HerReplayBuffer"
    model._check()
    observations, actions = (spaces.from_description(described[name]) for name in ("observation", "action"))
    model._lanes = model._built_in = model._vec_normalize_env = None
    model._must_reset, model._epoch, model._saved_lanes, model._saved_rows = True, -1, None, None
    model._seed, model._threads, model._steps_natively, model._noise_in_python = 0, 1, False, False
    lanes = None
    if env is not None:
        lanes, _ = make_lanes(env)
        if "spaces" in facts:
            spaces.check_same("observation", observations, lanes.observation_space)
            spaces.check_same("action", actions, lanes.action_space)
        observations, actions = lanes.observation_space, lanes.action_space
        if lanes.flattener.size != size:
            raise UnsupportedError(
                f"the policy takes observations of {size} numbers, the environment's have {lanes.flattener.size}"
            )
    model._set_spaces(observations, actions, "MultiInputPolicy" if spaces.kind(observations) == "Dict" else "MlpPolicy")
    model._start_counting()
    if lanes is not None:
        model._set_lanes(lanes, None)
    model.num_timesteps = int(facts.get("step", 0))
    model._policy_handle, model._policy_content = handle, bytes(content)
    model._learner = model.replay_buffer = NoLearner()
    model._actions = prediction.row_maps(model)
    return model


def _described_spaces(tensors: Dict[str, np.ndarray], facts: Dict[str, str]) -> Dict[str, Any]:
    """The spaces of a policy; where a file has only sizes, vectors without bounds and choices from 0."""
    if "spaces" in facts:
        return json.loads(facts["spaces"])
    if "choices" in facts:
        actions: Any = spaces.Discrete(int(facts["choices"]))
    else:
        actions = spaces.Box(tensors["action.low"], tensors["action.high"])
    observations = spaces.Box(-np.inf, np.inf, (int(facts["observationSize"]),))
    return {"observation": spaces.describe(observations), "action": spaces.describe(actions), "hasGoals": False}
