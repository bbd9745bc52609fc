"""Callbacks with the interface of Stable-Baselines3's. Those of SB3 itself run on the models, too."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional

from .training_steps import goes_on


class BaseCallback:
    """Base of callbacks. `_on_step` is called after every step of the environments; False ends training.

    `model`, `logger`, `training_env`, `num_timesteps` and `n_calls` are there to be used; `locals` holds infos, dones,
    rewards, actions and new_obs of the last step, and the arguments of `learn`.
    """

    model: Any

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose
        self.n_calls = 0
        self.num_timesteps = 0
        self.locals: Dict[str, Any] = {}
        self.globals: Dict[str, Any] = {}
        #: the callback that calls this one
        self.parent: Optional["BaseCallback"] = None

    @property
    def training_env(self) -> Any:
        """The model's environments."""
        environment = self.model.get_env()
        if environment is None:
            raise AssertionError("the model has no environment; give it one with set_env()")
        return environment

    @property
    def logger(self) -> Any:
        """The model's logger."""
        return self.model.logger

    def init_callback(self, model: Any) -> None:
        """Called before training, with the model."""
        self.model = model
        self._init_callback()

    def on_training_start(self, locals_: Dict[str, Any], globals_: Dict[str, Any]) -> None:
        """Called before the first step."""
        self.locals, self.globals = locals_, globals_
        self.num_timesteps = self.model.num_timesteps
        self._on_training_start()

    def on_rollout_start(self) -> None:
        """Called before the steps between two rounds of updates."""
        self._on_rollout_start()

    def on_step(self) -> bool:
        """Called after every step of the environments."""
        self.n_calls += 1
        self.num_timesteps = self.model.num_timesteps
        return self._on_step()

    def on_rollout_end(self) -> None:
        """Called after the steps between two rounds of updates."""
        self._on_rollout_end()

    def on_training_end(self) -> None:
        """Called after the last step."""
        self._on_training_end()

    def update_locals(self, locals_: Dict[str, Any]) -> None:
        """Takes what the last step gave."""
        self.locals.update(locals_)
        self.update_child_locals(locals_)

    # ---- what subclasses fill in

    def _init_callback(self) -> None: ...

    def _on_training_start(self) -> None: ...

    def _on_rollout_start(self) -> None: ...

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None: ...

    def _on_training_end(self) -> None: ...

    def update_child_locals(self, locals_: Dict[str, Any]) -> None:
        """Hands the last step on to callbacks inside this one."""


class ConvertCallback(BaseCallback):
    """A function of locals and globals as a callback."""

    def __init__(self, callback: Optional[Callable[[Dict[str, Any], Dict[str, Any]], Any]], verbose: int = 0) -> None:
        super().__init__(verbose)
        self.callback = callback

    def _on_step(self) -> bool:
        return True if self.callback is None else self.callback(self.locals, self.globals)


class CallbackList(BaseCallback):
    """Several callbacks, called in their order; each may end training."""

    def __init__(self, callbacks: List[Any]) -> None:
        super().__init__()
        self.callbacks = list(callbacks)

    def _init_callback(self) -> None:
        for callback in self.callbacks:
            callback.init_callback(self.model)
            callback.parent = self.parent

    def _on_training_start(self) -> None:
        for callback in self.callbacks:
            callback.on_training_start(self.locals, self.globals)

    def _on_rollout_start(self) -> None:
        for callback in self.callbacks:
            callback.on_rollout_start()

    def _on_step(self) -> bool:
        answers = [callback.on_step() for callback in self.callbacks]
        return all(goes_on(answer) for answer in answers)

    def _on_rollout_end(self) -> None:
        for callback in self.callbacks:
            callback.on_rollout_end()

    def _on_training_end(self) -> None:
        for callback in self.callbacks:
            callback.on_training_end()

    def update_child_locals(self, locals_: Dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback.update_locals(locals_)


class EventCallback(BaseCallback):
    """Base of callbacks that call another one when something happens."""

    def __init__(self, callback: Optional[Any] = None, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.callback = callback
        if callback is not None:
            callback.parent = self

    def init_callback(self, model: Any) -> None:
        super().init_callback(model)
        if self.callback is not None:
            self.callback.init_callback(model)

    def _on_training_start(self) -> None:
        if self.callback is not None:
            self.callback.on_training_start(self.locals, self.globals)

    def _on_event(self) -> bool:
        return True if self.callback is None else goes_on(self.callback.on_step())

    def update_child_locals(self, locals_: Dict[str, Any]) -> None:
        if self.callback is not None:
            self.callback.update_locals(locals_)


class EveryNTimesteps(EventCallback):
    """Calls a callback when at least `n_steps` steps of single environments were taken since the last time."""

    def __init__(self, n_steps: int, callback: Any) -> None:
        super().__init__(callback)
        self.n_steps = n_steps
        self.last_time_trigger = 0

    def _on_training_start(self) -> None:
        # a run that counts from 0 again is behind the last time
        self.last_time_trigger = min(self.last_time_trigger, self.num_timesteps)
        super()._on_training_start()

    def _on_step(self) -> bool:
        if self.num_timesteps - self.last_time_trigger < self.n_steps:
            return True
        self.last_time_trigger = self.num_timesteps
        return self._on_event()


class LogEveryNTimesteps(EveryNTimesteps):
    """Writes the log every `n_steps` steps."""

    def __init__(self, n_steps: int) -> None:
        super().__init__(n_steps, ConvertCallback(self._log_data))

    def _log_data(self, _locals: Dict[str, Any], _globals: Dict[str, Any]) -> bool:
        self.model.dump_logs()
        return True


class CheckpointCallback(BaseCallback):
    """Saves the model at every `save_freq`-th call (0: never), as `<name_prefix>_<steps>_steps.zip`.

    The model's file is written whole or not at all, and holds everything: going on from it gives the bits of never having
    stopped. `save_replay_buffer` writes the buffer again, as a file of its own.
    """

    def __init__(
        self, save_freq: int, save_path: Any, name_prefix: str = "rl_model", save_replay_buffer: bool = False,
        save_vecnormalize: bool = False, verbose: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(verbose)
        self.save_freq, self.save_path, self.name_prefix = save_freq, save_path, name_prefix
        self.save_replay_buffer, self.save_vecnormalize = save_replay_buffer, save_vecnormalize

    def _init_callback(self) -> None:
        os.makedirs(self.save_path, exist_ok=True)

    def _checkpoint_path(self, checkpoint_type: str = "", extension: str = "") -> str:
        name = f"{self.name_prefix}_{checkpoint_type}{self.num_timesteps}_steps.{extension}"
        return os.path.join(self.save_path, name)

    def _on_step(self) -> bool:
        if self.save_freq <= 0 or self.n_calls % self.save_freq != 0:
            return True
        self._save("the model", self.model.save, self._checkpoint_path(extension="zip"))
        if self.save_replay_buffer:
            path = self._checkpoint_path("replay_buffer_", extension="pkl")
            self._save("the replay buffer", self.model.save_replay_buffer, path)
        normalizer = self.model.get_vec_normalize_env()
        if self.save_vecnormalize and normalizer is not None:
            self._save("VecNormalize", normalizer.save, self._checkpoint_path("vecnormalize_", extension="pkl"))
        return True

    def _save(self, what: str, save: Callable[[str], Any], path: str) -> None:
        save(path)
        if self.verbose >= 2:
            print(f"Saved {what} as {path}")


class ProgressBarCallback(BaseCallback):
    """A bar of the steps so far: tqdm's where it is installed, else a line of text."""

    bar: Any = None

    def _on_training_start(self) -> None:
        total = self.locals["total_timesteps"] - self.model.num_timesteps
        self._shown = self.model.num_timesteps
        try:
            from tqdm.auto import tqdm
        except ImportError:
            tqdm = _LineOfText
        self.bar = tqdm(total=total)

    def show(self) -> None:
        """Moves the bar to the model's steps."""
        self.bar.update(self.model.num_timesteps - self._shown)
        self._shown = self.model.num_timesteps

    def _on_step(self) -> bool:
        self.show()
        return True

    def _on_training_end(self) -> None:
        self.bar.refresh()
        self.bar.close()


class _LineOfText:
    def __init__(self, total: int) -> None:
        self.total, self.steps, self.shown = max(1, total), 0, -1

    def update(self, steps: int) -> None:
        self.steps += steps
        percent = min(100, 100 * self.steps // self.total)
        if percent != self.shown:
            self.shown = percent
            # the next line, this one's successor or a table, is written over it
            print(f"{percent:3d} % of {self.total:,} steps", end="\r", flush=True)

    def refresh(self) -> None:
        print(flush=True)

    def close(self) -> None: ...


def make_callback(callback: Any, progress_bar: bool = False) -> Optional[Any]:
    """One callback of what `learn` was given: a callback of ours or SB3's, a function, a list of them, or nothing."""
    if isinstance(callback, (list, tuple)):
        callback = CallbackList([make_callback(item) for item in callback])
    elif callback is not None and not hasattr(callback, "on_step"):
        if not callable(callback):
            raise TypeError(f"a callback is an object with on_step, a function or a list of them, not {callback!r}")
        callback = ConvertCallback(callback)
    if not progress_bar:
        return callback
    return ProgressBarCallback() if callback is None else CallbackList([callback, ProgressBarCallback()])


from .eval_callback import EvalCallback  # noqa: E402  these are made of what is above
from .stop_callbacks import (  # noqa: E402
    StopTrainingOnMaxEpisodes,
    StopTrainingOnNoModelImprovement,
    StopTrainingOnRewardThreshold,
)

__all__ = [
    "BaseCallback", "CallbackList", "CheckpointCallback", "ConvertCallback", "EvalCallback", "EventCallback",
    "EveryNTimesteps", "LogEveryNTimesteps", "ProgressBarCallback", "StopTrainingOnMaxEpisodes",
    "StopTrainingOnNoModelImprovement", "StopTrainingOnRewardThreshold",
]  # fmt: skip
