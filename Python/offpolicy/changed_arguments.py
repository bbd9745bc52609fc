"""Applies arguments that change after a model was made, such as `model.batch_size = 512`, from the next round on.

A new learning rate is set in the learner. For other arguments, and for another seed, the learner is made anew, and its state
is restored.
"""

from __future__ import annotations

from typing import Any, Tuple

from . import _native
from .replay import flush
from .saving import restore_learner
from .schedules import FloatSchedule
from .temperature import keeping_temperature
from .training_steps import apply, first_rate

_RATES = ("learning_rate", "lr_schedule")
_OTHERS = (
    "buffer_size", "learning_starts", "batch_size", "tau", "gamma", "train_freq", "gradient_steps", "n_steps", "action_noise",
    "ent_coef", "target_entropy", "target_update_interval", "policy_delay", "target_policy_noise", "target_noise_clip",
    "max_grad_norm",
)  # fmt: skip
_TEMPERATURE = (_RATES + _OTHERS).index("ent_coef")


def argument_values(model: Any) -> Tuple[Any, ...]:
    """The arguments that may change, as they are now."""
    known = model.__dict__
    return tuple(known.get(name) for name in _RATES + _OTHERS)


def have_changed(model: Any) -> bool:
    """Whether an argument differs from the one that the learner was made with, or the seed was set since."""
    return model._must_restart_streams or argument_values(model) != model._learner_arguments


def take_changed_arguments(model: Any) -> None:
    """Applies the current arguments to the learner."""
    before, now = model._learner_arguments, argument_values(model)
    has_other_rate = now[: len(_RATES)] != before[: len(_RATES)]
    if has_other_rate:
        _take_rate(model, before[1])
    if model._must_restart_streams or now[len(_RATES) :] != before[len(_RATES) :]:
        _make_anew(model)
    # a rate above 1 is refused when training begins
    if has_other_rate and model._has_constant_rate and model.lr_schedule(1.0) <= 1:
        apply(model, "learningRate", first_rate(model))
    model._learner_arguments = argument_values(model)


def _take_rate(model: Any, schedule: Any) -> None:
    if model.lr_schedule is schedule:
        model.lr_schedule = FloatSchedule(model.learning_rate)
    else:
        model.lr_schedule = FloatSchedule(model.lr_schedule)
        inner: Any = model.lr_schedule.value_schedule
        model.learning_rate = inner.val if model.lr_schedule.is_constant else inner
    model._has_constant_rate = model.lr_schedule.is_constant


def _make_anew(model: Any) -> None:
    flush(getattr(model, "replay_buffer", None))
    members = {name + ".safetensors": bytes(model._learner.result(name)) for name in ("state", "replay")}
    temperature = model._learner_arguments[_TEMPERATURE]
    applied, was_native = dict(model._applied), model._steps_natively
    model._check()
    model._make_learner()
    with keeping_temperature(model, temperature != model._learner_arguments[_TEMPERATURE]):
        is_whole = restore_learner(model, members)
    if model._must_restart_streams:
        _native.check(_native.library().restart_streams(model._learner.handle))
        model._must_restart_streams = False
    for name, value in applied.items():
        apply(model, name, value)
    collected, frequency = model._round, model.train_freq
    count = collected.episodes if frequency.unit == "episode" else collected.rounds
    collected.is_restored = count >= frequency.frequency and not model._steps_natively
    if was_native != model._steps_natively:
        model._must_reset = True
    elif not is_whole:
        # the environments are where they were; the library has to be told
        model._epoch = -1


__all__ = ["have_changed", "take_changed_arguments"]
