"""Runners under the checkers that JAX has: of keys that are used twice, and of indices that are out of bounds."""

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

#: Calls one after the other: a key that is not put away shows at the second.
CALLS = 2
#: Until JAX 0.8, what was compiled before runs unchecked.
UNCHECKED = jax.__version_info__ < (0, 8)
#: So many calls at most fill a cache.
MOST_CALLS = 512


def keys(run: Execution) -> Any:
    """Call a copy of the module while JAX raises where a key is used a second time."""
    module = grafted(run)
    for variable in variables(module).values():
        set_contents(variable, jax.tree.map(_new_key, contents(variable)))
    if UNCHECKED:
        jax.clear_caches()  # type: ignore[no-untyped-call]
    try:
        with jax.debug_key_reuse(True):
            for _ in range(CALLS):
                run.harness.call(module, run.word.input)
    except Exception as error:  # noqa: BLE001 - what else goes wrong under the checker is no fault of the module
        if type(error).__name__ == "KeyReuseError":
            run.notes["reused"] = run.harness.source.raised(error)
    return run.plainly()


def _new_key(leaf: Any) -> Any:
    """The same key, of which JAX does not know whether it was used."""
    return jax.random.wrap_key_data(jax.random.key_data(leaf), impl=jax.random.key_impl(leaf)) if is_key(leaf) else leaf


def bounds(run: Execution) -> Any:
    """Call a copy more often than its longest state has places, under JAX's check of indices."""
    module = grafted(run)
    graph, state = nnx.split(module)
    own = {"copy": True} if "copy" in inspect.signature(nnx.merge).parameters else {}

    def step(state: Any) -> Any:
        copy = nnx.merge(graph, state, **own)
        run.harness.call(copy, run.word.input)
        return nnx.split(copy)[1]

    checked = jax.jit(checkify.checkify(step, errors=checkify.index_checks))
    with contextlib.suppress(Exception):  # a call that cannot be traced shows that elsewhere; one that raises is right
        for _ in range(min(longest(module), MOST_CALLS) + 1):
            error, state = checked(state)
            if (found := error.get_exception()) is not None:
                _note(run, found)
                break
    return run.plainly()


def _note(run: Execution, found: Any) -> None:
    """Note an index that was out of bounds, unless its line says what is to become of it, or is a library's."""
    way = found.traceback_info
    way = way.as_python_traceback() if hasattr(way, "as_python_traceback") else way
    if not isinstance(way, TracebackType):
        return
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(way)]
    outside = [place for place in frames if not _of_jax(place[0])]
    if outside and run.harness.source.owns(outside[-1][0]) and not _says_mode(*outside[-1]):
        raised = run.harness.source.raised(found)
        line = run.harness.source.line(*outside[-1])
        run.notes["outside"] = dataclasses.replace(raised, line=line, message=raised.message.splitlines()[0])


def _of_jax(filename: str) -> bool:
    return {"jax", "jaxlib"} & set(Path(filename).parts) != set()


def _says_mode(filename: str, number: int) -> bool:
    """Whether the statement of a line passes `mode=`: `drop`, `fill` and `clip` are said on purpose."""
    parsed = tree(filename)
    if parsed is None:
        return False
    around = [node for node in ast.walk(parsed) if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    statements = [node for node in around if node.lineno <= number <= (node.end_lineno or node.lineno)]
    return any(isinstance(part, ast.keyword) and part.arg == "mode" for node in statements for part in ast.walk(node))
