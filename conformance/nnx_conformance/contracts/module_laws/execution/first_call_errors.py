"""Explains the errors of NNX state that `make` or a first call raises, with the fix as code.

Such an error does not depend on the input, so it is a finding. Any other error may come from inputs that do not fit.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

import jax
from flax import nnx

from nnx_conformance.core.candidate.loaded import NotLoaded
from nnx_conformance.core.plain_text import short
from nnx_conformance.observe.flax_versions import NODE, NOT_AN_ARRAY, OTHER_LEVEL, TRACE_ERRORS
from nnx_conformance.observe.source import Source
from nnx_conformance.observe.spies.transforms import lifted_name, plain_name

#: More functions that trace their argument, and the package of each by the start of their module's name.
TRACING = {"flax.nnx": "nnx", "jax._src.api": "jax"}
TRACED = ("eval_shape", "make_jaxpr", "vjp", "jvp", "linearize", "custom_vjp", "shard_map", "pmap")
CONCRETE = (
    jax.errors.TracerBoolConversionError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
)
#: Errors of unfinished code, or of code that fails on any input.
UNFINISHED = (NameError, NotImplementedError, ImportError, RecursionError, SyntaxError)

LOOP = (
    "`_, y = nnx.scan(lambda module, row: (module, module(row)), in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))"
    "(module, x)`"
    if hasattr(nnx, "Carry")
    else "`y = jnp.stack([module(row) for row in x])`"
)
#: For the last part of a transform's name, how to pass the module to it.
ARGUMENT = {
    "jit": "`nnx.jit(lambda module, x: module(x))(module, x)`",
    "grad": "`nnx.grad(lambda module, x: module(x).sum())(module, x)`",
    "value_and_grad": "`nnx.value_and_grad(lambda module, x: module(x).sum())(module, x)`",
    "remat": "`nnx.remat(lambda module, x: module(x))(module, x)`",
    "checkpoint": "`nnx.remat(lambda module, x: module(x))(module, x)`",
    "cond": "`nnx.cond(where, lambda module, x: module(x), lambda module, x: x, module, x)`",
    "switch": "`nnx.switch(index, [lambda module, x: module(x), lambda module, x: x], module, x)`",
    "eval_shape": "`nnx.eval_shape(lambda module, x: module(x), module, x)`",
    "make_jaxpr": "`nnx.eval_shape(lambda module, x: module(x), module, x)`",
}
LINK = re.compile(r" ?\(https?://\S+\)| at 0x[0-9a-f]+(?=>)")
LOOPS = ("vmap", "scan", "map", "fori_loop", "while_loop")


@dataclasses.dataclass(frozen=True)
class _Why:
    """Why code raises, how to fix it, and the frame whose line to report; None for the innermost one."""

    cause: str
    remedy: str
    frame: traceback.FrameSummary | None = None


@contextlib.contextmanager
def whole_tracebacks() -> Iterator[None]:
    """Within the block, tracebacks keep the frames of JAX, which show the transform that was running."""
    before = jax.config.jax_traceback_filtering  # type: ignore[attr-defined]
    jax.config.update("jax_traceback_filtering", "off")  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        jax.config.update("jax_traceback_filtering", before)  # type: ignore[no-untyped-call]


def explained(source: Source, error: BaseException, action: str, module: Any = None) -> NotLoaded | None:
    """The finding for an exception; None if we have no explanation.

    Args:
        source: the candidate's files.
        error: the exception.
        action: what raised it, such as `its first call`.
        module: the module that was called, if there is one.
    """
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    why = _why(source, error, frames, module)
    if why is None:
        return None
    raised = source.raised(error)
    if why.frame is not None:
        raised = dataclasses.replace(raised, line=source.line(why.frame.filename, why.frame.lineno or 1))
    reason = f"{action} raised {raised.type}: {short(LINK.sub('', raised.message))}"
    return NotLoaded(False, reason, why.cause, raised, remedy=why.remedy)


def _why(source: Source, error: BaseException, frames: list[tuple[FrameType, int]], module: Any) -> _Why | None:
    message, kind = str(error), type(error).__name__
    transform, frame = _transform(source, frames)
    if kind in TRACE_ERRORS - {"UnexpectedTracerError"} or OTHER_LEVEL in message:
        name = f"`{transform}`" if transform else "a transform"
        cause = (
            f"{name} traces a function that closes over the module, and what comes from outside cannot be written there"
        )
        return _Why(cause, _as_argument(transform), frame)
    not_an_array = isinstance(error, TypeError) and any(words in message for words in NOT_AN_ARRAY)
    if not_an_array and any(f"{cls.__module__}.{cls.__qualname__}" in message for cls in _classes(module)):
        name = f"`{transform}`" if transform else "a transform of JAX"
        cause = f"{name} takes arrays, and on this Flax a module is no pytree of arrays"
        return _Why(cause, _as_argument(transform), frame)
    if "does not support bound methods" in message:
        cause = "a bound method holds the module, which the transform then does not see among its arguments"
        return _Why(
            cause, "Give the method unbound, and the module first: `nnx.jit(type(module).__call__)(module, x)`."
        )
    if "Inconsistent aliasing" in message:
        cause = "one Variable reaches the transform at two places, which treat it in different ways"
        return _Why(cause, "Give each Variable to the transform once, or under the same axes at both places.")
    if kind == "ValueError" and "static attribute" in message:
        return _static(message)
    if kind == "AttributeError" and "To set Variable metadata" in message:
        cause = "a Variable takes no attributes of Python"
        return _Why(cause, "Write `variable.set_metadata(name=value)`, or keep it as an attribute of the module.")
    if "In-place operations are no longer supported" in message:
        return _Why("an in-place operator would replace the Variable", "Write `self.count[...] += 1`.")
    if kind == "AttributeError" and re.search(r"no attribute '__i\w+__'", message):
        cause = "an in-place operator asks the array for a method that arrays do not have"
        return _Why(cause, "Write `self.count.value = self.count.value + 1`.")
    if kind == "UnexpectedTracerError":
        cause = "a value of a trace was kept outside of it, in an attribute, a list or a global"
        return _Why(
            cause, "Return it from the traced function, or write it to a Variable of a module that is an argument."
        )
    if isinstance(error, CONCRETE) and transform:
        cause = f"Python asks for a value that is not known while `{transform}` traces the function"
        return _Why(
            cause, "Write `jnp.where(condition, a, b)`, or `jax.lax.cond`, in place of Python's `if`, `int` or `float`."
        )
    of_nnx = isinstance(error, AttributeError) and isinstance(error.obj, (NODE, nnx.Variable))
    if isinstance(error, UNFINISHED) or of_nnx:
        return _Why("the module's own code is wrong, whatever it is given", "Fix the line that is named.")
    return None


def _static(message: str) -> _Why:
    name = (re.search(r"static attribute '(\w+)'", message) or ["", "name"])[1]
    if "<class 'list'>" in message or "<class 'tuple'>" in message or "<class 'dict'>" in message:
        shape = "nnx.Dict({...})" if "<class 'dict'>" in message else "nnx.List([...])"
        cause = f"`{name}` is a plain container of Python, in which Flax looks for no modules, Variables or arrays"
        return _Why(cause, f"Write `self.{name} = {shape}`.")
    cause = f"`{name}` was a value of Python when the module was made, and is to become an array"
    return _Why(
        cause,
        f"Make it a Variable in `__init__`, `self.{name} = nnx.Variable(jnp.asarray(...))`, and write "
        f"`self.{name}[...] = ...`.",
    )


def _as_argument(transform: str) -> str:
    name = transform.rpartition(".")[2]
    if name in LOOPS:
        return f"Give the module as an argument; rows that write one state come one after the other: {LOOP}."
    code = ARGUMENT.get(name, "`transform(lambda module, x: module(x))(module, x)`")
    return f"Give the module to the transform of NNX as an argument: {code}."


def _classes(module: Any) -> list[type]:
    from nnx_conformance.contracts.module_laws.execution.snapshots import nodes

    return [type(node) for _, node in nodes(module)] if module is not None else []


def _transform(source: Source, frames: list[tuple[FrameType, int]]) -> tuple[str, traceback.FrameSummary | None]:
    """The innermost transform that ran when an exception was raised, and the candidate's frame that calls it."""
    innermost: tuple[str, traceback.FrameSummary | None] = "", None
    owned: traceback.FrameSummary | None = None
    named = False
    for frame, line in frames:
        code = frame.f_code
        if source.owns(code.co_filename):
            owned, named = traceback.FrameSummary(code.co_filename, line, code.co_name, lookup_line=False), False
        elif owned and not named and (name := _name(frame)):
            # A transform may call others inside. The outermost of them is the one that the candidate's line names.
            innermost, named = (name, owned), True
    return innermost


def _name(frame: FrameType) -> str:
    module = str(frame.f_globals.get("__name__", ""))
    if name := lifted_name(module, frame) or plain_name(module, frame):
        return name
    package = next((package for start, package in TRACING.items() if module.startswith(start)), "")
    name = frame.f_code.co_name
    return f"{package}.{name}" if package and name in TRACED else ""
