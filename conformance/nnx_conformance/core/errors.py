"""Errors that are not the candidate's fault."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class Misuse(Exception):
    """The kit was used wrongly: an unknown target, contract, check or option. Exit status 2."""


class KitError(Exception):
    """The kit itself failed. Exit status 3."""


class CannotObserve(KitError):
    """The kit failed in the candidate's process, by a fault of its own or because the candidate broke it."""


class AdviceWarning(UserWarning):
    """A SHOULD check is violated and does not decide the verdict; the text is its finding."""


def expected(what: str, name: str, value: Any, fix: str) -> Misuse:
    """A misuse in the kit's one form: what was expected, the value given, its type, and the exact fix."""
    return Misuse(f"Expected {what} but got {name}={value!r} (type={type(value).__name__}). {fix}")


def suggestion(value: str, known: Iterable[str]) -> str:
    """A fix for an unknown name: the nearest known name, or all of them."""
    names = sorted(set(known))
    near = difflib.get_close_matches(value, names, n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names) or '(none)'}."
