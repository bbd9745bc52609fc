"""The exceptions of this package."""

from __future__ import annotations


class OffPolicyError(Exception):
    """What went wrong, where, and what to do next, in one sentence."""


class NativeError(OffPolicyError, ValueError, RuntimeError):
    """The library refused a call. The text is the library's own."""


class UnsupportedError(OffPolicyError, ValueError, AssertionError):
    """Something that this package does not do, or that does not fit.

    It is a ``ValueError`` and an ``AssertionError``, because Stable-Baselines3 raises the one or the other.
    """
