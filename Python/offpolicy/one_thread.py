"""Keeps other threads away from a model while one thread trains it: the library gives a learner to one thread at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any, Iterator

from .errors import NativeError


@contextmanager
def training(model: Any) -> Iterator[None]:
    """Marks the model as trained by this thread."""
    check(model)
    before, model._training_thread = model._training_thread, threading.get_ident()
    try:
        yield
    finally:
        model._training_thread = before


def check(model: Any) -> None:
    """Raises if another thread trains the model, before that thread is disturbed."""
    if model._training_thread is not None and model._training_thread != threading.get_ident():
        raise NativeError(
            "the model is in use by another thread, which trains it: wait until its learn() returns, or load() a saved copy "
            "for this thread"
        )
