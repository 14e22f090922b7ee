"""Calls that no spy sees: a reference to a class's `__call__` that was kept before the kit could wrap it.

Only a Python object can have this, `step = nnx.jit(Counter.__call__)` in a module that was imported long before; a file
is imported under the spies.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import jax

from nnx_conformance.case import Case
from nnx_conformance.observe import Candidate, given_as


def bypassed(candidate: Candidate, case: Case) -> bool:
    """Whether the candidate runs the `__call__` of one of its classes, in a run that is watched by a profiler."""
    # By identity: code of the same text and line in another file is equal.
    codes = {id(code) for cls in candidate.classes if (code := _code(cls)) is not None}
    if not codes:
        return False
    entered: list[bool] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and id(frame.f_code) in codes:
            entered.append(True)

    before = sys.getprofile()
    with jax.disable_jit():
        sys.setprofile(profile)
        try:
            candidate.function(*[given_as(argument) for argument in case.arguments])
        except BaseException:  # noqa: BLE001 - how it ends has been observed already
            pass
        finally:
            sys.setprofile(before)
    return bool(entered)


def _code(cls: type) -> Any:
    function = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    return getattr(function, "__code__", None)
