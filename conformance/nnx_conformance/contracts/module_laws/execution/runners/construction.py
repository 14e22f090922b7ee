"""Runners that make another module: on unwritten memory, under `nnx.eval_shape`, as a second instance for one jit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, Side
from nnx_conformance.contracts.module_laws.execution.harness import Twin
from nnx_conformance.contracts.module_laws.execution.runners.empty_arrays import with_garbage, with_zeros
from nnx_conformance.contracts.module_laws.execution.snapshots import DEEP, nodes, side, state
from nnx_conformance.contracts.module_laws.program.language import OTHER
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.flax_versions import NODE, children, contents
from nnx_conformance.observe.graph import Walk, type_name

ARRAYS = (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct)

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution


def remake(run: Execution) -> Any:
    """Make and call a module while `empty` returns garbage, and while it returns zeros, and compare."""

    def start_and_call() -> tuple[Side, Side]:
        module = run.harness.make(run.program.seed)
        start = Side(state=state(module))
        return start, side(module, run.harness.call(module, run.word.input))

    def garbage() -> tuple[Side, Side]:
        return _without_caches(lambda: with_garbage(start_and_call))

    def zeros() -> tuple[Side, Side]:
        return _without_caches(lambda: with_zeros(start_and_call))

    got, wanted = garbage(), zeros()
    # If two modules on zeros differ as well, chance decides, and `empty` need not be the cause.
    if not _alike(got, wanted) and not _alike(zeros(), wanted):
        run.notes["undecided"] = "modules from one seed differ by themselves"
        return run.plainly()
    for name, on_garbage, other in zip(("made", "called"), got, wanted, strict=True):
        run.compare("start-defined", f"{name} on memory that nothing has written", on_garbage, other)
    return run.plainly()


def _without_caches(run: Callable[[], tuple[Side, Side]]) -> tuple[Side, Side]:
    """The result of `run` with JAX's caches cleared before and after: compiled code would not call `empty` again."""
    jax.clear_caches()  # type: ignore[no-untyped-call]
    try:
        return run()
    finally:
        jax.clear_caches()  # type: ignore[no-untyped-call]


def _alike(some: tuple[Side, Side], others: tuple[Side, Side]) -> bool:
    """Whether all arrays of these sides are equal to the last bit."""
    arrays = ([leaf.array for each in sides for leaf in (*each.outputs, *each.state)] for sides in (some, others))
    first, second = ([None if array is None else array.tobytes() for array in each] for each in arrays)
    return first == second


def abstract(run: Execution) -> Any:
    """Make and call the module under `nnx.eval_shape`, which computes nothing."""
    law, make = "abstract-agrees", run.harness.make
    abstract_module = nnx.eval_shape(lambda: make(run.program.seed))
    run.compare(
        law,
        "made under nnx.eval_shape",
        Side(state=_types(abstract_module)),
        Side(state=_types(make(run.program.seed))),
    )
    before = Side(state=state(run.module))
    outputs = run.transforms.run("eval_shape", run.module, run.harness.pool.arguments(run.word.input))
    run.compare(law, "called under nnx.eval_shape", Side(_outputs(outputs)), Side(_outputs(run.wanted)))
    run.compare(law, "left by nnx.eval_shape", Side(state=state(run.module)), before)
    return run.plainly()


def _types(module: Any) -> tuple[LeafFacts, ...]:
    """The leaves of a module's state with dtype and shape as their text."""
    return tuple(_typed_state(module))


def _typed_state(module: Any) -> Iterator[LeafFacts]:
    for path, value, rng, attribute in Walk(module, DEEP).leaves:
        variable = isinstance(value, nnx.Variable)
        if variable or attribute:
            kind = type_name(type(value)) if variable else "array"
            for below, text in _described(contents(value) if variable else value, numbers=variable):
                whole = plain(path + (f"/{below}" if below else ""))
                param = isinstance(value, nnx.Param)
                yield LeafFacts(whole, kind, variable, param, rng, True, False, "", False, None, text)


def _outputs(value: Any) -> tuple[LeafFacts, ...]:
    described = _described(value, numbers=True)
    return tuple(LeafFacts(plain(path), "array", *(False,) * 5, "", False, None, text) for path, text in described)


def _described(value: Any, *, numbers: bool) -> Iterator[tuple[str, str]]:
    """The path and type of each array in a pytree; with `numbers`, of Python numbers too, which a trace converts."""
    for path, leaf in jax.tree_util.tree_flatten_with_path(value)[0]:
        leaf = contents(leaf) if isinstance(leaf, nnx.Variable) else leaf
        if isinstance(leaf, ARRAYS) or (numbers and isinstance(leaf, (bool, int, float, complex))):
            # JAX turns NumPy's float64 into float32, unless x64 is enabled.
            shape = jax.eval_shape(lambda array: array, leaf)
            weak = " (weak type)" if getattr(shape, "weak_type", False) else ""
            yield jax.tree_util.keystr(path), f"{shape.dtype}{list(shape.shape)}{weak}"


def second(run: Execution) -> Any:
    """Call the module through `nnx.jit`, and another instance through the same compiled function."""
    outputs = run.on_input(lambda *arguments: run.transforms.run("jit", run.module, arguments))
    other = Twin(run.harness, run.twin.seed + OTHER, run.twin.history[:-1]).module
    before = run.transforms.traces
    run.transforms.run("jit", other, run.harness.pool.arguments(run.word.input))
    run.notes["recompiled"] = run.transforms.traces - before
    if run.notes["recompiled"]:
        run.notes["differing"] = tuple(_differing(run.module, other))
    return outputs


def _differing(module: Any, other: Any) -> Iterator[str]:
    """The paths of attributes without state whose values differ between two modules."""
    others = dict(nodes(other))
    for path, node in nodes(module):
        values = dict(children(others[path])) if path in others else {}
        for name, value in children(node):
            if not isinstance(value, (NODE, nnx.Variable, *ARRAYS)) and not _equal(value, values.get(name, value)):
                yield plain(f"{path}.{name}".removeprefix("."))


def _equal(value: Any, other: Any) -> bool:
    try:
        return bool(value == other)
    except Exception:  # noqa: BLE001 - values may not be comparable
        return True
