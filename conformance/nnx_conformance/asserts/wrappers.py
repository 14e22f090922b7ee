"""Assertions on what Variables are: still there, no Params, free of tracers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Unpack

from flax import nnx

from nnx_conformance.asserts.form import Failed, MessageForm, assertion, misused
from nnx_conformance.asserts.leaves import WRITE, StateCopy, read, shown, walk
from nnx_conformance.asserts.writes import Block, Writes
from nnx_conformance.observe.flax_versions import NODE, contents, is_tracer
from nnx_conformance.observe.graph import FOREIGN, type_name


@assertion
def assert_wrappers_kept(before: Any, after: Any, **form: Unpack[MessageForm]) -> None:
    """Check that every attribute that held a Variable holds one of the same class.

    `self.count = self.count + 1` replaces the Variable by an array: the number is right, and transforms, optimizers and
    checkpoints no longer know it. An `nnx.Intermediate` may go, as `nnx.pop` takes it.

    Args:
        before: what `snapshot(module)`, `nnx.state(module)` or a copy of the module was before.
        after: the module.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if a Variable is gone, with path, what is there now, and the line if `wrappers_kept` watched it.
        ValueError: if `before` is `after`, or an argument is no state.
    """
    _wrappers_kept(before, after)


def wrappers_kept(module: Any, **form: Unpack[MessageForm]) -> AbstractContextManager[None]:
    """`assert_wrappers_kept` around a block: `with wrappers_kept(model): model(x)`."""
    return Block("assert_wrappers_kept", module, form, _wrappers_kept)


def _wrappers_kept(before: Any, after: Any, writes: Writes | None = None) -> None:
    if before is after and not isinstance(before, StateCopy):
        fix = "It is the same object as after: take before = asserts.snapshot(module) first."
        raise misused("the state from before", "before", before, fix)
    old, new = read(before, "before"), {leaf.home: leaf for leaf in read(after, "after").values()}
    kinds = {leaf.home: leaf for leaf in old.values() if leaf.variable}
    messages = []
    for home, leaf in kinds.items():
        now = new.get(home)
        line = writes.line_of(after, home) if writes else ""
        if now is None and not issubclass(leaf.kind, nnx.Intermediate):
            messages.append(f"{leaf} is gone{line}")
        elif now is not None and not now.variable:
            fix = f"write to its contents, `{leaf.path}{WRITE} = ...`"
            messages.append(f"{leaf} was replaced by {type_name(now.kind)}{line}; {fix}")
        elif now is not None and now.kind is not leaf.kind:
            messages.append(f"{leaf} was replaced by {type_name(now.kind)}{line}")
    if messages:
        raise Failed("; ".join(messages))


@assertion
def assert_not_param(variable: Any, **form: Unpack[MessageForm]) -> None:
    """Check that a Variable is no `nnx.Param`: `nnx.grad` and optimizers take Params for weights.

    Args:
        variable: an `nnx.Variable`.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if it is an `nnx.Param`, or of a class derived from it.
        ValueError: if it is no Variable.
    """
    if type(variable).__name__ == "VariableState":  # what nnx.state makes of a Variable until Flax 0.10
        kind = variable.type
    elif isinstance(variable, nnx.Variable):
        kind = type(variable)
    else:
        raise misused("a Variable", "variable", variable, _pass_a_variable(variable))
    if issubclass(kind, nnx.Param):
        reason = "optimizers and nnx.grad take it for a weight; make it an nnx.Variable, or a class of your own"
        raise Failed(f"the Variable is {type_name(kind)}: {reason}")


def _pass_a_variable(value: Any) -> str:
    inside = [spot.path for spot in walk(value) if spot.is_variable] if isinstance(value, NODE) else []
    if inside:
        return f"Pass one of its Variables, such as module.{inside[0]}."
    return "Pass the Variable itself, not its contents."


@assertion
def assert_no_tracers(module: Any, **form: Unpack[MessageForm]) -> None:
    """Check that no tracer of a transform that has ended was left behind.

    Looks into Variables, plain attributes, lists, dicts and sets, plain objects, and the attributes of the classes.

    Args:
        module: a module, a Variable, or any pytree of these; call it outside of transforms, where all state is traced.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if it holds one, with its path.
    """
    tracers = [
        f"`{path}` holds {shown(value)}" for path, value in (*_below(module), *_on_classes(module)) if is_tracer(value)
    ]
    if tracers:
        advice = "a value that a transform computes outlives it only in a Variable that the transform returns or lifts"
        raise Failed(f"{'; '.join(tracers)}: {advice}")


def _below(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for spot in walk(value, hidden=True):
        where = f"{path}{'.' if path and spot.path and spot.path[0] != '[' else ''}{spot.path}"
        if isinstance(spot.value, nnx.Variable):
            inner = contents(spot.value)
            yield from [(where or type_name(type(spot.value)), inner)] if is_tracer(inner) else _below(inner, where)
        else:
            yield where or type_name(type(spot.value)), spot.value


def _on_classes(module: Any) -> Iterator[tuple[str, Any]]:
    nodes = [spot.value for spot in walk(module, nodes=True) if isinstance(spot.value, NODE)]
    for cls in dict.fromkeys(cls for node in nodes for cls in type(node).__mro__):
        if cls.__module__.partition(".")[0] not in FOREIGN:
            for name, value in list(vars(cls).items()):
                yield from _below(value, f"{cls.__name__}.{name}")
