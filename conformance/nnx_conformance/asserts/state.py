"""Assertions on what a module holds: values, Params, wrappers, tracers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Unpack

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.asserts.form import Failed, MessageForm, assertion, misused, worded
from nnx_conformance.asserts.leaves import (
    Keys,
    StateLeaf,
    difference,
    held,
    listed,
    live,
    parts,
    read,
    state_of,
    walk,
)
from nnx_conformance.asserts.paths import spot_at
from nnx_conformance.asserts.writes import Block, Writes
from nnx_conformance.observe.flax_versions import NODE, contents, is_tracer
from nnx_conformance.observe.graph import type_name

#: A module, an `nnx.State` of it, or what `snapshot` gives.
ModuleOrState = Any
Classes = type | tuple[type, ...]


@assertion
def assert_state_equal(
    first: ModuleOrState, second: ModuleOrState, *, ignore: Classes = (), **form: Unpack[MessageForm]
) -> None:
    """Check that two modules hold the same Variables and arrays, at the same paths, bit for bit but for the sign of 0.

    Args:
        first, second: each a module, an `nnx.State` or a snapshot.
        ignore: classes of Variables that may differ, such as `nnx.RngState`.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if a path, a class of Variable, a shape, a dtype or a value differs.
        ValueError: if an argument is none of these.
    """
    compare(state_of(first, "first", ignore), state_of(second, "second", ignore))


@assertion
def assert_state_close(
    first: ModuleOrState,
    second: ModuleOrState,
    *,
    rtol: float = 1e-6,
    atol: float = 0.0,
    ignore: Classes = (),
    **form: Unpack[MessageForm],
) -> None:
    """As `assert_state_equal`, with values up to `atol + rtol * abs(second)`.

    Args:
        first, second: each a module, an `nnx.State` or a snapshot.
        rtol, atol: tolerances, as for `chex.assert_trees_all_close`; a dtype of fewer bits is given 8 of its own steps.
        ignore: classes of Variables that may differ.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: as `assert_state_equal`.
        ValueError: as `assert_state_equal`.
    """
    compare(state_of(first, "first", ignore), state_of(second, "second", ignore), rtol, atol)


def compare(
    first: Mapping[Keys, StateLeaf], second: Mapping[Keys, StateLeaf], rtol: float | None = None, atol: float = 0
) -> None:
    """Fail, in chex's words, where two states differ; exactly without `rtol`."""
    if problems := _of_structure(first, second):
        raise Failed(f"the states have other structures: {'; '.join(problems)}")
    pairs = {leaf.path: _arrays(leaf, second[keys]) for keys, leaf in first.items()}
    a, b = ({path: pair[side] for path, pair in pairs.items()} for side in (0, 1))
    close(a, b, rtol, atol)


def close(first: Mapping[str, Any], second: Mapping[str, Any], rtol: float | None, atol: float) -> None:
    """Fail, in chex's words, where arrays by path differ in shape, dtype or value; exactly without `rtol`."""
    with worded():
        chex.assert_trees_all_equal_shapes_and_dtypes(first, second)
        if rtol is None:
            chex.assert_trees_all_equal(_wide(first), _wide(second))
            return
        for tolerance, paths in _by_tolerance(first, rtol).items():
            some, others = ({path: tree[path] for path in paths} for tree in (first, second))
            chex.assert_trees_all_close(_wide(some), _wide(others), rtol=tolerance, atol=atol)


def _of_structure(first: Mapping[Keys, StateLeaf], second: Mapping[Keys, StateLeaf]) -> list[str]:
    only = [(leaf, "first") for keys, leaf in first.items() if keys not in second]
    only += [(leaf, "second") for keys, leaf in second.items() if keys not in first]
    messages = [f"{leaf} is only in the {name}" for leaf, name in only[:6]]
    for keys in first.keys() & second.keys():
        a, b = first[keys], second[keys]
        if a.variable != b.variable or (a.variable and a.kind is not b.kind):
            messages.append(f"{a} is {type_name(b.kind)} in the second")
    return messages + ([f"and {len(only) - 6} more"] if len(only) > 6 else [])


def _arrays(first: StateLeaf, second: StateLeaf) -> tuple[Any, Any]:
    """The values of two leaves as arrays; what was a Python number has the dtype of what it is compared with."""
    a, b = (leaf.value if is_tracer(leaf.value) else np.asarray(leaf.value) for leaf in (first, second))
    if "" in (first.dtype, second.dtype) and all(isinstance(value, np.ndarray) for value in (a, b)):
        a, b = (a.astype(b.dtype), b) if second.dtype else (a, b.astype(a.dtype))
    return a, b


def _wide(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Dtypes that NumPy does not know, such as bfloat16, float8 and int4, as others that hold the same numbers."""

    def wide(value: Any) -> Any:
        if is_tracer(value) or value.dtype.isbuiltin == 1:
            return value
        return value.astype(np.float32 if jnp.issubdtype(value.dtype, jnp.floating) else np.int32)

    return {path: wide(value) for path, value in tree.items()}


def _by_tolerance(tree: Mapping[str, Any], rtol: float) -> dict[float, list[str]]:
    by_tolerance: dict[float, list[str]] = {}
    for path, value in tree.items():
        few = jnp.issubdtype(value.dtype, jnp.inexact) and value.dtype.itemsize < 4
        least = 8 * float(jnp.finfo(value.dtype).eps) if few else 0.0  # type: ignore[no-untyped-call]
        by_tolerance.setdefault(max(rtol, least), []).append(path)
    return by_tolerance


@assertion
def assert_variable(module: Any, path: str | Keys, value: Any = None, **form: Unpack[MessageForm]) -> None:
    """Check that a Variable hangs at a path of a module, and what it holds.

    Args:
        module: where to look.
        path: as in Python, `"layers[0].count"`, or as Flax has it, `("layers", 0, "count")`; it may lead through shared
            modules.
        value: what the Variable holds: an array, a number or a pytree, compared by `chex.assert_trees_all_equal`; None
            for anything.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if nothing hangs there (with the path that was probably meant), if it is no Variable, or if it
            holds something else.
        ValueError: if `path` is no path, or `module` no module.
    """
    if not isinstance(module, (NODE, nnx.State, list, tuple, Mapping)):
        raise misused("a module", "module", module, "Pass the module that the path leads through.")
    spot = spot_at(module, path)
    if not spot.is_variable:
        if parts(spot.value) is None:
            raise Failed(f"`{spot.path}` is no Variable but {type_name(type(spot.value))}")
        inside = [below.path for below in walk(spot.value) if below.is_variable]
        raise Failed(f"`{spot.path}` is {type_name(type(spot.value))}, no Variable; it holds {listed(inside)}")
    if value is None:
        return
    content = contents(spot.value) if isinstance(spot.value, nnx.Variable) else spot.value.value
    first, second = ({spot.path: jax.tree.map(_array, tree)} for tree in (content, value))
    with worded():
        chex.assert_trees_all_equal_structs(first, second)
        chex.assert_trees_all_equal_shapes(first, second)
        chex.assert_trees_all_equal(first, second)


def _array(value: Any) -> Any:
    copied = value if is_tracer(value) else np.asarray(held(value)[0])
    return _wide({"": copied})[""]


@assertion
def assert_state_untouched(
    before: ModuleOrState, after: ModuleOrState, *, ignore: Classes = (), **form: Unpack[MessageForm]
) -> None:
    """Check that nothing was written: every Variable and array holds what it held, and none came or went.

    Args:
        before: what `snapshot(module)` gave; a module or an `nnx.State` shows later writes, which is refused.
        after: the module.
        ignore: classes of Variables that may be written to, such as `nnx.RngState`.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if something was written; the message names paths, values, and the line if `state_untouched`
            watched it.
        ValueError: if `before` shows later writes, or an argument is no state.
    """
    _untouched(ignore, before, after)


def state_untouched(module: Any, *, ignore: Classes = (), **form: Unpack[MessageForm]) -> AbstractContextManager[None]:
    """`assert_state_untouched` around a block: `with state_untouched(model): model(x)`."""
    check = functools.partial(_untouched, ignore)
    return Block("assert_state_untouched", module, form, check)


def _untouched(ignore: Classes, before: ModuleOrState, after: ModuleOrState, writes: Writes | None = None) -> None:
    old, new = state_of(before, "before", ignore), state_of(after, "after", ignore)
    _same(before, after, old, new, writes)


@assertion
def assert_params_untouched(before: ModuleOrState, after: ModuleOrState, **form: Unpack[MessageForm]) -> None:
    """Check that no `nnx.Param` was written to, replaced or removed: what a call writes is no weight.

    Args:
        before: what `snapshot(module)` gave.
        after: the module.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if one was, with path, values, and the line if `params_untouched` watched it.
        ValueError: if `before` shows later writes, or an argument is no state.
    """
    _params_untouched(before, after)


def params_untouched(module: Any, **form: Unpack[MessageForm]) -> AbstractContextManager[None]:
    """`assert_params_untouched` around a block: `with params_untouched(model): model(x)`."""
    return Block("assert_params_untouched", module, form, _params_untouched)


def _params_untouched(before: ModuleOrState, after: ModuleOrState, writes: Writes | None = None) -> None:
    old = {
        keys: leaf
        for keys, leaf in read(before, "before").items()
        if leaf.variable and issubclass(leaf.kind, nnx.Param)
    }
    _same(before, after, old, {keys: leaf for keys, leaf in read(after, "after").items() if keys in old}, writes)


def _same(
    before: ModuleOrState,
    after: ModuleOrState,
    old: Mapping[Keys, StateLeaf],
    new: Mapping[Keys, StateLeaf],
    writes: Writes | None,
) -> None:
    if error := live(before, after, old, new):
        raise error
    messages = []
    for keys, leaf in old.items():
        line = writes.line_of(after, leaf.home) if writes else ""
        if keys not in new:
            messages.append(f"{leaf} is gone{line}")
        elif leaf.variable and not new[keys].variable:
            messages.append(f"{leaf} was replaced by {type_name(new[keys].kind)}{line}")
        elif change := difference(leaf, new[keys]):
            messages.append(f"{leaf} {change}{line}")
    messages += [f"{leaf} is new" for keys, leaf in new.items() if keys not in old]
    if messages:
        raise Failed("; ".join(messages))
