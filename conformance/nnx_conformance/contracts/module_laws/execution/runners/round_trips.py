"""Runners that go on with the module in another way: a deep copy, a pickle, a pytree of JAX's, inputs that are lent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from nnx_conformance.contracts.module_laws.evidence import Side
from nnx_conformance.contracts.module_laws.execution import duplicates
from nnx_conformance.contracts.module_laws.execution.pool import is_state
from nnx_conformance.contracts.module_laws.execution.snapshots import state

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution


def pickle(run: Execution) -> Any:
    """Go on with a module that went through bytes."""
    run.module = duplicates.pickled(run.module)
    return run.plainly()


def tree(run: Execution) -> Any:
    """Go on with a module that JAX took apart and put together again."""
    run.module = duplicates.mapped(run.module)
    return run.plainly()


def plainjit(run: Execution) -> Any:
    """Go on with the module that a function gives back which JAX itself compiled."""
    arguments = run.harness.pool.arguments(run.word.input)
    outputs, run.module = run.transforms.run("plainjit", run.module, arguments)
    return outputs


def lend(run: Execution) -> Any:
    """Call it on NumPy arrays that belong to the caller, who writes other numbers into them afterwards."""
    given = jax.tree.map(duplicates.aligned, run.harness.pool.arguments(run.word.input), is_leaf=is_state)
    outputs = run.harness.invoke(run.module, *given)
    # An output may be the input itself; reading all waits for what still computes with it.
    kept = jax.tree.map(duplicates.own_copy, outputs, is_leaf=is_state)
    before = Side(state=state(run.module))
    duplicates.overwrite([leaf for leaf in jax.tree.leaves(given, is_leaf=is_state) if not is_state(leaf)])
    run.compare("state-owned", "its input was written to", Side(state=state(run.module)), before)
    return kept
