"""The exceptions of this package."""

from __future__ import annotations

import difflib
from typing import Any, Iterable


class OffPolicyError(Exception):
    """What went wrong, where, and what to do next, in one sentence."""


class NativeError(OffPolicyError, ValueError, RuntimeError):
    """The library refused a call. The text is the library's own."""


class UnsupportedError(OffPolicyError, ValueError, AssertionError):
    """Something that this package does not do, or that does not fit.

    It is a ``ValueError`` and an ``AssertionError``, because Stable-Baselines3 raises the one or the other.
    """


def nearest(name: Any, names: Iterable[str]) -> str:
    """A question that names the most similar of some names; nothing where none is similar."""
    found = difflib.get_close_matches(str(name), list(names), 1)
    return f" (did you mean {found[0]!r}?)" if found else ""
