"""What the loops of training share: how far a round is, rates that change, what a callback is told."""

from __future__ import annotations

from typing import Any, Dict, Optional


class Round:
    """How far the round is that is being collected."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begins the next one."""
        self.rounds = self.steps = self.episodes = 0
        #: whether it was complete when it was saved
        self.is_restored = False


def set_rate(model: Any, progress: float) -> None:
    """Sets the learning rate where it is a schedule and has changed."""
    if not model._has_constant_rate:
        apply(model, "learningRate", max(model.lr_schedule(progress), 1e-30))


def first_rate(model: Any) -> float:
    """The learning rate of a run's first update, as the library takes it: above 0, and at most 1; `learn` refuses one above that."""
    return min(max(model.lr_schedule(1.0), 1e-30), 1.0)


def apply(model: Any, name: str, value: float) -> None:
    """Sets a number of the library where it has changed."""
    if model._applied.get(name) != value:
        model._learner.set(name, value)
        model._applied[name] = value


def goes_on(answer: Any) -> bool:
    """Whether a callback's answer lets training go on."""
    # a function that returns nothing does not end training
    return answer is None or bool(answer)


def fixed_locals(model: Any, watcher: Any, log_interval: Optional[int]) -> Dict[str, Any]:
    """What a callback finds in its locals that stays the same over a run."""
    return {
        "self": model, "env": model.get_env(), "callback": watcher, "log_interval": log_interval,
        "train_freq": model.train_freq, "learning_starts": model.learning_starts, "action_noise": model.action_noise,
        "replay_buffer": getattr(model, "replay_buffer", None), "continue_training": True,
    }  # fmt: skip
