"""Assertions on what transforms make of a module: how often it is compiled, and whether it does the same."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Unpack

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.asserts.form import PREFIX, Failed, MessageForm, assertion, misused, name_of
from nnx_conformance.asserts.leaves import Keys, StateLeaf, difference, held, read, shown, state_of, walk
from nnx_conformance.asserts.state import close, compare
from nnx_conformance.asserts.updates import copied, is_compiled, unbound
from nnx_conformance.observe.flax_versions import NODE, contents, is_tracer
from nnx_conformance.observe.spies.patches import profiling

#: How many steps `nnx.scan` takes, and how many lanes `nnx.vmap` has.
STEPS, LANES = 3, 2
_numbers = itertools.count()


@assertion
def assert_compiles_once(
    function: Callable[..., Any],
    *inputs: Any,
    kwargs: Mapping[str, Any] | None = None,
    calls: int = 3,
    **form: Unpack[MessageForm],
) -> None:
    """Call a function several times on the same inputs, and check that it is traced once, by `chex.assert_max_traces`.

    State in Python numbers, Variables that change shape or dtype, and collections that grow compile anew at each call.

    Args:
        function: takes the inputs; may be a module or a method bound to one. A plain function is compiled by `nnx.jit`;
            of one that `jax.jit` or `nnx.jit` has made, the runs of the function inside are counted.
        inputs, kwargs: its arguments. It is called on copies, so a module among them stays as it is.
        calls: how often; a module goes on from call to call.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if it is traced again, with the call and what had changed by then.
    """
    function, arguments = unbound(function, inputs, kwargs)
    arguments = copied(arguments)
    with _limited(function) as limited:
        before = _compiled_for(arguments)
        for call in range(1, calls + 1):
            now = _compiled_for(arguments)
            if not limited(*(part if isinstance(part, NODE) else copied((part,))[0] for part in arguments)):
                changes = [
                    f"`{path}` was {before.get(path, 'not there')} and is {now.get(path, 'gone')}"
                    for path in sorted(before.keys() | now.keys())
                    if before.get(path) != now.get(path)
                ]
                why = "; ".join(changes[:6]) or "its arguments have not changed"
                raise Failed(f"{name_of(function)} is compiled again at call {call} of {calls}: {why}")
            before = now


@contextmanager
def _limited(function: Callable[..., Any]) -> Iterator[Callable[..., bool]]:
    """Calls the function compiled, and says whether it was not traced for a second time."""
    inner = inspect.unwrap(function)
    if not is_compiled(getattr(function, "__wrapped__", function)) and not is_compiled(function):
        yield _limited_by_chex(function)
        return
    code, runs = getattr(inner, "__code__", None), 0

    def count(frame: Any, event: str, _: Any) -> None:
        nonlocal runs
        runs += event == "call" and frame.f_code is code

    def call(*arguments: Any) -> bool:
        with profiling(count):
            function(*arguments)
        return runs < 2

    yield call


def _limited_by_chex(function: Callable[..., Any]) -> Callable[..., bool]:
    # chex counts calls that are given tracers, and looks for them in pytrees; until Flax 0.11 a module is none.
    def traced(tracers: Any, arguments: Any) -> Any:
        return function(*arguments)

    # chex counts by name, for the whole process.
    traced.__name__ = f"{name_of(function)} of assertion {next(_numbers)}"
    limited = chex.assert_max_traces(traced, n=1)

    @nnx.jit
    def compiled(*arguments: Any) -> Any:
        values = (_content(spot.value) for spot in walk(arguments))
        return limited([part for value in values for part in jax.tree.leaves(value) if is_tracer(part)], arguments)

    def call(*arguments: Any) -> bool:
        try:
            compiled(*arguments)
        except AssertionError as error:
            if str(error).startswith(f"{PREFIX}Function '{traced.__name__}' is traced"):
                return False
            raise
        return True

    return call


def _content(value: Any) -> Any:
    return contents(value) if isinstance(value, nnx.Variable) else value


def _compiled_for(arguments: Any) -> dict[str, str]:
    """All that compiled code depends on: shapes, dtypes, and values that are no arrays."""
    signature = {}
    for spot in walk(arguments):
        for way, part in jax.tree_util.tree_flatten_with_path(_content(spot.value))[0]:
            weak = " of weak type" if getattr(part, "weak_type", False) else ""
            array = isinstance(part, (jax.Array, np.ndarray))
            text = f"{part.dtype}[{','.join(map(str, part.shape))}]{weak}" if array else shown(part)
            signature[spot.path.partition("]")[2].removeprefix(".") + jax.tree_util.keystr(way)] = text
    return signature


@assertion
def assert_same_under(
    transform: Any,
    module: Any,
    *inputs: Any,
    kwargs: Mapping[str, Any] | None = None,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    **form: Unpack[MessageForm],
) -> None:
    """Check that a module called under a transform returns, and holds afterwards, what it does without.

    Args:
        transform: `nnx.jit`, `nnx.remat` or any other that takes a function of a module and of arrays; `nnx.vmap`, of
            two lanes that each have a state of their own; `nnx.scan`, of three steps that carry the module; `nnx.grad`,
            of the sum of all that is returned.
        module: an `nnx.Module` that can be called. It is called on copies, and stays as it is.
        inputs, kwargs: its arguments; what is no array is handed over as it is.
        rtol, atol: tolerances, as for `assert_state_close`.
        **form: the keywords of chex's assertions.

    Raises:
        AssertionError: if it returns something else, holds something else, or raises, under the transform alone.
        ValueError: if `module` is none, or this Flax cannot transform it so.
    """
    if not isinstance(module, NODE) or not callable(module):
        raise misused("a module that can be called", "module", module, "Pass the module itself.")
    name = f"nnx.{name_of(transform)}" if getattr(nnx, name_of(transform), None) is transform else name_of(transform)
    run = {nnx.vmap: _vmap, nnx.scan: _scan, nnx.grad: _grad}.get(transform, functools.partial(_plain, transform))
    given = copied((module, inputs, dict(kwargs or {})))
    parts, structure = jax.tree.flatten(given[1:])
    arrays = [part for part in parts if isinstance(part, (jax.Array, np.ndarray))]

    def step(module: Any, arrays: Any) -> Any:
        remaining = iter(arrays)
        filled = [next(remaining) if isinstance(part, (jax.Array, np.ndarray)) else part for part in parts]
        args, keywords = jax.tree.unflatten(structure, filled)
        return module(*args, **keywords)

    steps = STEPS if transform is nnx.scan else 1
    wanted = [_tree(step(given[0], arrays)) for _ in range(steps)]
    other = copied((module,))[0]
    if reason := _refused(transform, other):
        raise misused("a transform that this Flax has for such modules", "transform", name, reason)
    try:
        results, states = run(step, other, arrays)
    except Exception as error:
        raise Failed(
            f"under {name} it raises {type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
        ) from error
    try:
        for number, result in enumerate(results):
            close(wanted[number % steps], _tree(result), rtol, atol)
        for state in states:
            compare(state_of(given[0], "module"), state, rtol, atol)
        _compare_values(given[0], other)
    except Failed as failed:
        raise Failed(f"under {name}: {failed}") from None


#: What a module returned, once for each step or lane, and its state after the last step, once for each lane.
_Ran = tuple[list[Any], list[dict[Keys, StateLeaf]]]
_Step = Callable[[Any, Any], Any]


def _plain(transform: Any, step: _Step, module: Any, arrays: Any) -> _Ran:
    return [transform(step)(module, arrays)], [state_of(module, "module")]


def _grad(step: _Step, module: Any, arrays: Any) -> _Ran:
    def loss(module: Any, arrays: Any) -> Any:
        outputs = step(module, arrays)
        real = [part for part in jax.tree.leaves(outputs) if jnp.issubdtype(jnp.result_type(part), jnp.floating)]
        return sum((jnp.sum(part).astype(jnp.float32) for part in real), jnp.float32(0)), outputs

    return [nnx.grad(loss, has_aux=True)(module, arrays)[1]], [state_of(module, "module")]


def _scan(step: _Step, module: Any, arrays: Any) -> _Ran:
    def body(module: Any, given: Any) -> Any:
        return module, step(module, given)

    scan: Any = nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    outputs = scan(module, [jnp.stack([jnp.asarray(array)] * STEPS) for array in arrays])[1]
    return [_lane(outputs, number) for number in range(STEPS)], [state_of(module, "module")]


def _vmap(step: _Step, module: Any, arrays: Any) -> _Ran:
    graphdef, state = nnx.split(module)
    lanes = nnx.merge(graphdef, jax.tree.map(lambda leaf: jnp.stack([leaf] * LANES), state))
    outputs = nnx.vmap(step, in_axes=(0, 0))(lanes, [jnp.stack([jnp.asarray(array)] * LANES) for array in arrays])
    after = state_of(lanes, "module")
    states = [
        {keys: replace(leaf, value=_lane(leaf.value, number)) for keys, leaf in after.items()}
        for number in range(LANES)
    ]
    return [_lane(outputs, number) for number in range(LANES)], states


def _lane(tree: Any, number: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[number], tree)


def _refused(transform: Any, module: Any) -> str:
    """Why this Flax cannot transform the module so; empty if it can."""
    if transform is nnx.scan and not hasattr(nnx, "Carry"):
        return "Its nnx.scan carries no module: update Flax to 0.10 or later."
    random = any(isinstance(spot.value, nnx.RngState) for spot in walk(module))
    if transform is nnx.vmap and random and not hasattr(nnx, "Carry"):
        return "Its nnx.vmap does not keep the random keys of lanes: update Flax to 0.10 or later."
    return ""


def _tree(value: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_flatten_with_path(value)[0]
    return {f"output{jax.tree_util.keystr(way)}": np.asarray(held(part)[0]) for way, part in leaves}


def _compare_values(plain: Any, other: Any) -> None:
    """Fail if attributes that are no arrays differ, or a tracer was left behind."""
    wanted, now = ({keys: leaf for keys, leaf in read(m, "module").items() if not leaf.state} for m in (plain, other))
    for keys, leaf in now.items():
        if is_tracer(leaf.value):
            raise Failed(f"{leaf} is left behind as {shown(leaf.value)}")
        if isinstance(leaf.value, _PLAIN) and keys in wanted and (change := difference(wanted[keys], leaf)):
            raise Failed(f"{leaf} {change}")


_PLAIN = (bool, int, float, complex, str)
