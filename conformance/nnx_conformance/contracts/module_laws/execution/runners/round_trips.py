"""Runners that send the module through pickle, `jax.tree.map` or `jax.jit`, or lend it an input's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from nnx_conformance.contracts.module_laws.evidence import Side
from nnx_conformance.contracts.module_laws.execution import duplicates
from nnx_conformance.contracts.module_laws.execution.pool import is_state
from nnx_conformance.contracts.module_laws.execution.snapshots import FLAT, state
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.graph import Walk

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution


def pickle(run: Execution) -> Any:
    """Pickle and unpickle the module, then call it."""
    run.module = duplicates.pickled(run.module)
    return run.plainly()


#: By operation, what makes a copy that may be refused.
WAYS = {"pickle": duplicates.pickled, "deepcopy": duplicates.deepcopy}


def refusing(module: Any, operation: str) -> tuple[str, ...]:
    """The paths of what cannot be copied so by itself."""
    return tuple(plain(leaf.path) for leaf in Walk(module, FLAT).leaves if _refuses(leaf.value, WAYS[operation]))


def _refuses(value: Any, copy: Callable[[Any], Any]) -> bool:
    try:
        copy(value)
    except Exception:  # noqa: BLE001 - whatever it raises, it is no copy
        return True
    return False


def tree(run: Execution) -> Any:
    """Rebuild the module with `jax.tree.map`, then call it."""
    run.module = duplicates.mapped(run.module)
    return run.plainly()


def plainjit(run: Execution) -> Any:
    """Call the module in a function under plain `jax.jit` that returns it, and continue with the returned one."""
    arguments = run.harness.pool.arguments(run.word.input)
    outputs, run.module = run.transforms.run("plainjit", run.module, arguments)
    return outputs


def lend(run: Execution) -> Any:
    """Call it on NumPy arrays, then overwrite these as their owner may, and compare the state."""
    arguments = jax.tree.map(duplicates.aligned, run.harness.pool.arguments(run.word.input), is_leaf=is_state)
    outputs = run.harness.invoke(run.module, *arguments)
    # Copy before overwriting: an output may be the input itself. Copying also waits for running computations.
    copied = jax.tree.map(duplicates.own_copy, outputs, is_leaf=is_state)
    before = Side(state=state(run.module))
    duplicates.overwrite([leaf for leaf in jax.tree.leaves(arguments, is_leaf=is_state) if not is_state(leaf)])
    run.compare("state-owned", "its input was written to", Side(state=state(run.module)), before)
    return copied
