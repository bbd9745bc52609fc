"""What the library is told to make a model's learner of."""

from __future__ import annotations

import os
from typing import Any, Dict

import numpy as np

from . import prediction
from .argument_numbers import plain, without_infinity


def learner_settings(model: Any, noise: Any) -> Dict[str, Any]:
    """What `offpolicy_learner_make` is told. `noise` is the library's noise of actions; None: it has none."""
    configuration = {
        "discount": float(model.gamma),
        "batchSize": model.batch_size,
        # transitions of all environments, as many of each: the buffer has whole rows
        "bufferCapacity": max(1, model.buffer_size // model.n_envs) * model.n_envs,
        "randomSteps": max(0, model.learning_starts),
        "updateEvery": model._cadence.update_every,
        "updatesPerStep": model._cadence.updates_per_step,
        "nSteps": model.n_steps,
    }
    if model._hindsight.goals > 0:
        configuration["sampler"] = model._hindsight.sampler()
    if model._explores_with_noise:
        configuration["explorationNoise"] = noise or {"gaussian": {"standardDeviation": 0.0}}
    configuration.update(model._configuration())
    configuration.update(model.configuration)
    if not hasattr(model, "_seed"):
        # without a seed, NumPy's generator gives one: a script that seeds it repeats itself, as with Stable-Baselines3
        model._seed = int(model.seed) if model.seed is not None else int(np.random.randint(2**32, dtype=np.uint64))
    if model.threads is None:
        model._threads = _threads(configuration)
    else:
        model._threads = int(model.threads)
    settings: Dict[str, Any] = {
        "algorithm": model.algorithm, "configuration": without_infinity(configuration), "seed": model._seed,
        "threads": model._threads, "environments": model.n_envs, "updatesBeforeFirstBatch": True,
    }  # fmt: skip
    if model._steps_natively:
        settings.update(environment=model._built_in, builtIn=True)
        if model.environment_options:
            settings["environmentOptions"] = plain(model.environment_options)
    else:
        maps = prediction.row_maps(model)
        size = model._lanes.flattener.size if model._lanes is not None else maps.flattener.size
        settings.update(
            environment=_environment_name(model), observationSize=size, actions=maps.actions.settings()
        )
    return settings


def _environment_name(model: Any) -> str:
    environments = getattr(model._lanes, "envs", None) or [getattr(model._lanes, "env", None)]
    spec = getattr(environments[0], "spec", None)
    return model._built_in or getattr(spec, "id", None) or "environment"


def _threads(configuration: Dict[str, Any]) -> int:
    """Threads of an update where nobody said: one for small networks, else a core each, at most 4."""
    weights = max([size for size in configuration.get("hiddenSizes", [256])] + [1]) * configuration["batchSize"]
    if weights <= 64 * 256:
        return 1
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return max(1, min(4, cores))
