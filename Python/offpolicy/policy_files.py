"""Models made of a policy.safetensors, of this package or of a run of the program: they predict, and do not learn."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from . import _native, _safetensors, prediction, spaces
from .errors import OffPolicyError, UnsupportedError
from .vectors import make_lanes


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
    model._check()
    size = int(facts["observationSize"])
    observations: Any = spaces.Box(-np.inf, np.inf, (size,))
    if "choices" in facts:
        actions: Any = spaces.Discrete(int(facts["choices"]))
    else:
        actions = spaces.Box(tensors["action.low"], tensors["action.high"])
    observations, actions = (spaces.from_description(spaces.describe(space)) for space in (observations, actions))
    model._lanes = model._built_in = model._vec_normalize_env = None
    model._must_reset, model._epoch = True, -1
    model._seed, model._threads, model._steps_natively, model._noise_in_python = 0, 1, False, False
    lanes = None
    if env is not None:
        lanes, _ = make_lanes(env)
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
    model._policy_handle = handle
    model._learner = None
    model._actions = prediction.row_maps(model)
    return model
