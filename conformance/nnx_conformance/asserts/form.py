"""The form that every assertion has: chex's keywords, chex's prefix, chex's switch."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypedDict

import chex

P = ParamSpec("P")
PREFIX = "[Chex] "


class MessageForm(TypedDict, total=False):
    """The keywords of every assertion, as chex's own have them.

    Attributes:
        custom_message: stands in brackets behind the message.
        custom_message_format_vars: what `custom_message.format` is called with.
        include_default_message: whether the message names the assertion.
        exception_type: what is raised instead of `AssertionError`.
    """

    custom_message: str | None
    custom_message_format_vars: Sequence[Any]
    include_default_message: bool
    exception_type: type[Exception]


class Failed(Exception):
    """An assertion fails, for this reason; users get the exception of its form instead."""


def assertion(check: Callable[P, None]) -> Callable[P, None]:
    """Give a check the form of a chex assertion; it raises `Failed`, and takes `**form` for its signature alone."""

    known = inspect.signature(check).parameters

    # Not chex's own `chex_assertion`: it is private, and would claim the AssertionErrors of a function under test.
    @functools.wraps(check)
    def asserted(*args: P.args, **kwargs: P.kwargs) -> None:
        __tracebackhide__ = True  # pytest shows the line of the test
        form = {name: kwargs.pop(name) for name in MessageForm.__annotations__ if name in kwargs}
        refuse_unknown(check.__name__, kwargs, known)
        if enabled():
            try:
                check(*args, **kwargs)
            except Failed as failed:
                raise error_of(check.__name__, str(failed), **form) from None  # type: ignore[arg-type]

    return asserted


def refuse_unknown(name: str, kwargs: Iterable[str], known: Iterable[str] = ()) -> None:
    """Raise `TypeError`, as Python does, for a keyword that an assertion does not have: `**form` would swallow it."""
    known = {*known, *MessageForm.__annotations__} - {"form"}
    for keyword in kwargs:
        if keyword not in known:
            near = difflib.get_close_matches(keyword, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else ""
            if not near and "kwargs" in known:
                hint = f"Hand over what is for the call itself as kwargs={{{keyword!r}: ...}}."
            raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}. {hint}".rstrip())


def error_of(
    name: str,
    reason: str,
    custom_message: str | None = None,
    custom_message_format_vars: Sequence[Any] = (),
    include_default_message: bool = True,
    exception_type: type[Exception] = AssertionError,
) -> Exception:
    """What a failed assertion raises."""
    text = f"{PREFIX}Assertion {name} failed: {reason}" if include_default_message else PREFIX + reason
    if custom_message:
        custom = custom_message.format(*custom_message_format_vars) if custom_message_format_vars else custom_message
        text += f" [{custom}]"
    return exception_type(text)


def enabled() -> bool:
    """Whether chex's assertions are switched on; chex has no public way to ask but to let one fail."""
    try:
        chex.assert_scalar_positive(0)
    except AssertionError:
        return True
    return False


@contextmanager
def worded() -> Iterator[None]:
    """What chex asserts in the block fails the assertion around it, in chex's words without chex's name for it."""
    try:
        yield
    except AssertionError as error:
        text = str(error).removeprefix(PREFIX)
        reason = text.partition(" failed: ")[2] if text.startswith("Assertion ") else text
        raise Failed(reason.lstrip()) from None


def misused(expected: str, name: str, value: object, fix: str) -> ValueError:
    """The error for a bad argument; chex raises ValueError for one, too."""
    kind = type(value)
    own = getattr(kind, "__repr__", object.__repr__) is not object.__repr__ and isinstance(value, (str, int, float))
    text = repr(value) if own else f"<{kind.__name__}>"
    return ValueError(f"Expected {expected} but got {name}={text} (type={kind.__name__}). {fix}")


def name_of(function: Any) -> str:
    """What messages call a function."""
    inner = inspect.unwrap(function) if callable(function) else function
    return str(getattr(inner, "__name__", type(inner).__name__))
