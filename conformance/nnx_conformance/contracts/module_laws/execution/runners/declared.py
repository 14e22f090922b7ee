"""Runners for what a subject declares, or should declare: a reference, dtypes, an eval mode, independent rows."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import Product, Refusal, Side
from nnx_conformance.contracts.module_laws.execution.pool import is_state
from nnx_conformance.contracts.module_laws.execution.reference import ReferenceTwin, like
from nnx_conformance.contracts.module_laws.execution.runners.gradients import equations
from nnx_conformance.contracts.module_laws.execution.runners.restoration import grafted
from nnx_conformance.contracts.module_laws.execution.snapshots import nodes, state, tree
from nnx_conformance.contracts.module_laws.program.language import IN_EVAL_MODE, ONCE_MORE
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import plain, short

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

PRODUCTS = ("dot_general", "conv_general_dilated", "ragged_dot")
ARRAYS = (jax.Array, np.ndarray)


def refer(run: Execution) -> Any:
    """Replay the twin's history on the reference, and compare the last outputs and the mapped state."""
    outputs = run.plainly()
    reference = ReferenceTwin(run.harness, run.twin.seed)
    returned: Any = None
    for kind, value in run.twin.history:
        if kind == "call":
            returned = reference.call(value)
        elif kind == "mode":
            reference.set_mode(value)
    mapped = [leaf for leaf in state(run.twin.module) if leaf.path.split("/")[0] in reference.paths]
    wanted = [dataclasses.replace(leaf, array=reference.value(leaf.path, leaf.array)) for leaf in mapped]
    got = Side(tree(run.wanted), tuple(mapped))
    run.compare("reference-agrees", "beside the reference", got, Side(tree(like(returned, run.wanted)), tuple(wanted)))
    return outputs


def types(run: Execution) -> Any:
    """Trace a call, and note the dtypes of its matrix products."""
    outputs = run.plainly()
    graph, leaves = nnx.split(grafted(run))

    def traced(leaves: Any) -> list[Any]:
        returned = run.harness.call(nnx.merge(graph, leaves), run.word.input)
        return [leaf for leaf in jax.tree.leaves(returned) if isinstance(leaf, jax.Array)]

    try:
        program = jax.make_jaxpr(traced)(leaves)
    except Exception as error:  # noqa: BLE001 - other laws report what a trace forbids
        run.notes["undecided"] = f"its call cannot be traced: {short(plain(str(error)))}"
        return outputs
    matrix_products = [equation for equation in equations(program.jaxpr) if equation.primitive.name in PRODUCTS]
    products = {_dtypes(equation): _line(run, equation) for equation in reversed(matrix_products)}
    run.notes["products"] = tuple(Product(dtypes, line) for dtypes, line in reversed(products.items()) if dtypes)
    return outputs


def _dtypes(equation: Any) -> tuple[str, ...]:
    operands = [variable.aval.dtype for variable in equation.invars[:2]]
    return tuple(dict.fromkeys(str(dtype) for dtype in operands if jnp.issubdtype(dtype, jnp.inexact)))


def _line(run: Execution, equation: Any) -> Line | None:
    frames = getattr(equation.source_info.traceback, "frames", ())
    lines = ((frame.file_name, frame.line_num) for frame in frames)
    return next((run.harness.source.line(*place) for place in lines if run.harness.source.owns(place[0])), None)


def modes(run: Execution) -> Any:
    """Call copies of the module: twice as it is, and once in eval mode."""
    outputs = run.plainly()
    copies = [grafted(run) for _ in range(3)]
    try:
        copies[2].eval()
        first, again, evaluated = (Side(tree(run.harness.call(copy, run.word.input))) for copy in copies)
    except Exception as error:  # noqa: BLE001 - a mode that the subject does not declare need not work
        run.notes["undecided"] = f"in eval mode, it raises {type(error).__name__}"
    else:
        run.compare("eval-declared", ONCE_MORE, again, first, unlike=True)
        run.compare("eval-declared", IN_EVAL_MODE, evaluated, first, unlike=True)
    return outputs


def rows(run: Execution) -> Any:
    """Call copies of the module in eval mode, on the input and with another last row, and compare the other rows."""
    outputs = run.plainly()
    input_arguments = run.harness.pool.arguments(run.word.input)
    count = _rows(input_arguments)
    if not count:
        run.notes["undecided"] = "its input has no rows: arrays of two axes at least, the first of them the same"
        return outputs
    other = jax.tree.map(_with_another_last_row, input_arguments, is_leaf=is_state)
    sides = []
    for arguments in (input_arguments, other):
        copy = grafted(run)
        copy.eval()
        returned = jax.tree.leaves(run.harness.invoke(copy, *arguments))
        kept = [leaf[:-1] for leaf in returned if isinstance(leaf, ARRAYS) and leaf.ndim and len(leaf) == count]
        sides.append(Side(tree(kept)))
    if not sides[0].outputs:
        run.notes["undecided"] = "no output has a row for each row of the input"
    run.compare("rows-independent", "with another last row", sides[1], sides[0])
    return outputs


def _rows(arguments: Any) -> int:
    """The number of rows that all arrays of an input share, if it is more than one; otherwise 0."""
    leaves = [leaf for leaf in jax.tree.leaves(arguments, is_leaf=is_state) if is_state(leaf) or np.ndim(leaf)]
    counts = {0 if is_state(leaf) or np.ndim(leaf) < 2 else len(leaf) for leaf in leaves}
    floats = any(not is_state(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in leaves)
    return counts.pop() if floats and len(counts) == 1 and max(counts) > 1 else 0


def _with_another_last_row(leaf: Any) -> Any:
    if is_state(leaf) or not np.ndim(leaf) or not jnp.issubdtype(leaf.dtype, jnp.floating):
        return leaf
    moved = np.array(leaf)
    moved[-1] = 3 - 4 * moved[-1]
    return moved if isinstance(leaf, np.ndarray) else jnp.asarray(moved)


def represent(run: Execution) -> Any:
    """Show the module in each way that Flax has, before and after a call."""
    show = _Show(run)
    show.as_text()
    outputs = run.plainly()
    before = Side(state=state(run.module))
    show.as_text()
    arguments = run.harness.pool.arguments(run.word.input)
    if hasattr(nnx, "display"):
        show.by("nnx.display", nnx.display)
    if run.harness.subject.plain and hasattr(nnx, "tabulate"):
        show.by("nnx.tabulate", lambda module: nnx.tabulate(module, *arguments))
    run.notes["refusals"] = tuple(show.refusals.values())
    run.compare("represents", "shown", Side(state=state(run.module)), before)
    return outputs


class _Show:
    """Shows a module, and keeps the first error of each function that fails."""

    def __init__(self, run: Execution) -> None:
        self.run = run
        self.refusals: dict[str, Refusal] = {}

    def as_text(self) -> None:
        self.by("repr", repr)
        self.by("str", str)

    def by(self, name: str, show: Callable[[Any], Any]) -> None:
        source = self.run.harness.source
        try:
            with contextlib.redirect_stdout(io.StringIO()), _classes_kept(self.run.module):
                show(self.run.module)
        except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
            # An error that Flax itself raises is not the module's fault, even if the module called Flax.
            frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
            relevant = (frame for frame in reversed(frames) if source.owns(frame.f_code.co_filename) or _of_flax(frame))
            if (innermost := next(relevant, None)) and not _of_flax(innermost):
                self.refusals.setdefault(name, Refusal(name, source.raised(error)))


def _of_flax(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("flax.")


@contextlib.contextmanager
def _classes_kept(module: Any) -> Iterator[None]:
    """Restore the methods of a module's classes: `nnx.tabulate` leaves its own there if it raises."""
    classes = {type(node) for _, node in nodes(module)}
    before = {cls: dict(vars(cls)) for cls in classes}
    try:
        yield
    finally:
        for cls, attributes in before.items():
            for name in vars(cls).keys() | attributes.keys():
                if name not in attributes:
                    delattr(cls, name)
                elif vars(cls).get(name) is not attributes[name] and callable(attributes[name]):
                    setattr(cls, name, attributes[name])
