"""Runners under JAX's own checkers: for keys that are used twice, and for indices out of bounds."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import inspect
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import jax
from flax import nnx
from jax.experimental import checkify

from nnx_conformance.contracts.module_laws.execution.runners.restoration import grafted
from nnx_conformance.contracts.module_laws.execution.skip_reasons import longest
from nnx_conformance.contracts.module_laws.execution.snapshots import variables
from nnx_conformance.observe.flax_versions import contents, is_key, set_contents
from nnx_conformance.observe.lines.syntax import tree

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

#: A key that the module uses in every call is used twice by the second one.
CALLS = 2
#: Before JAX 0.8, code that was compiled without the checker runs unchecked.
UNCHECKED = jax.__version_info__ < (0, 8)
#: The most calls to fill a cache.
MOST_CALLS = 512


def keys(run: Execution) -> Any:
    """Call a copy of the module while JAX raises if a key is used a second time."""
    module = grafted(run)
    for variable in variables(module).values():
        set_contents(variable, jax.tree.map(_new_key, contents(variable)))
    if UNCHECKED:
        jax.clear_caches()  # type: ignore[no-untyped-call]
    try:
        with jax.debug_key_reuse(True):
            for _ in range(CALLS):
                run.harness.call(module, run.word.input)
    except Exception as error:  # noqa: BLE001 - the module need not support the checker otherwise
        if type(error).__name__ == "KeyReuseError":
            run.notes["reused_key"] = run.harness.source.raised(error)
    return run.plainly()


def _new_key(leaf: Any) -> Any:
    """A copy of a key, which counts as unused."""
    return jax.random.wrap_key_data(jax.random.key_data(leaf), impl=jax.random.key_impl(leaf)) if is_key(leaf) else leaf


def bounds(run: Execution) -> Any:
    """Call a copy, under JAX's check of indices, once more than its longest axis of state has entries."""
    module = grafted(run)
    graph, state = nnx.split(module)
    copying = {"copy": True} if "copy" in inspect.signature(nnx.merge).parameters else {}

    def step(state: Any) -> Any:
        copy = nnx.merge(graph, state, **copying)
        run.harness.call(copy, run.word.input)
        return nnx.split(copy)[1]

    checked = jax.jit(checkify.checkify(step, errors=checkify.index_checks))
    with contextlib.suppress(Exception):  # other laws report an untraceable call; raising on a full cache is right
        for _ in range(min(longest(module), MOST_CALLS) + 1):
            checkify_error, state = checked(state)
            if (error := checkify_error.get_exception()) is not None:
                _note(run, error)
                break
    return run.plainly()


def _note(run: Execution, error: Any) -> None:
    """Note an index out of bounds, unless its line passes `mode=` or belongs to a library."""
    trace = error.traceback_info
    trace = trace.as_python_traceback() if hasattr(trace, "as_python_traceback") else trace
    if not isinstance(trace, TracebackType):
        return
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    callers = [line for line in frames if not _of_jax(line[0])]
    if callers and run.harness.source.owns(callers[-1][0]) and not _passes_mode(*callers[-1]):
        raised = run.harness.source.raised(error)
        line = run.harness.source.line(*callers[-1])
        run.notes["out_of_bounds"] = dataclasses.replace(raised, line=line, message=raised.message.splitlines()[0])


def _of_jax(filename: str) -> bool:
    return {"jax", "jaxlib"} & set(Path(filename).parts) != set()


def _passes_mode(filename: str, number: int) -> bool:
    """Whether the statement of a line passes `mode=`, such as `drop`, `fill` or `clip`: that is on purpose."""
    parsed = tree(filename)
    if parsed is None:
        return False
    simple = [node for node in ast.walk(parsed) if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    statements = [node for node in simple if node.lineno <= number <= (node.end_lineno or node.lineno)]
    return any(isinstance(part, ast.keyword) and part.arg == "mode" for node in statements for part in ast.walk(node))
