"""The runner of each operation, and what the twin does for it in plain Python.

A runner calls the subject, returns its outputs, and leaves in `run.module` the module with which the program continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.interpreters.partial_eval import dce_jaxpr

from nnx_conformance.contracts.module_laws.evidence import Side
from nnx_conformance.contracts.module_laws.execution import duplicates, operations, snapshots
from nnx_conformance.contracts.module_laws.execution.devices import place, shard, shardmap
from nnx_conformance.contracts.module_laws.execution.harness import History, Twin
from nnx_conformance.contracts.module_laws.execution.runners.construction import abstract, remake, second
from nnx_conformance.contracts.module_laws.execution.runners.copies import WriteWatch
from nnx_conformance.contracts.module_laws.execution.runners.declared import modes, refer, represent, rows, types
from nnx_conformance.contracts.module_laws.execution.runners.drift import drifts
from nnx_conformance.contracts.module_laws.execution.runners.gradients import slopes_of, without_gradient
from nnx_conformance.contracts.module_laws.execution.runners.instances import pair
from nnx_conformance.contracts.module_laws.execution.runners.jax_checkers import bounds, keys
from nnx_conformance.contracts.module_laws.execution.runners.lanes import SEVERAL, looped, scan, vmap
from nnx_conformance.contracts.module_laws.execution.runners.repeated_calls import TIMES, afresh, again, far
from nnx_conformance.contracts.module_laws.execution.runners.restoration import graft, grafted, reload, restart, save
from nnx_conformance.contracts.module_laws.execution.runners.round_trips import lend, pickle, plainjit, tree
from nnx_conformance.contracts.module_laws.execution.snapshots import (
    contents_of,
    holds_keys,
    is_param,
    side,
    state,
    transplant,
    variables,
)
from nnx_conformance.contracts.module_laws.execution.tracing.trace_evidence import trace
from nnx_conformance.contracts.module_laws.program.language import CALLS, OTHER
from nnx_conformance.core.plain_text import plain, short
from nnx_conformance.observe.flax_versions import contents

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution


@dataclass
class Counterpart:
    """The module that a copy replaced; calls of the copy must not change it.

    Attributes:
        law: the check that says so.
        name: its name in findings.
        module, twin: the module and its twin.
        state: its state when we last compared it.
    """

    law: str
    name: str
    module: Any
    twin: Twin
    state: Side


def run_twin(run: Execution) -> Any:
    """What the twin's calls for the operation return."""
    name = run.word.operation.name
    if name in ("eval", "train"):
        return run.twin.apply("mode", name)
    if name in ("endure", "reseed"):
        return None
    if name in SEVERAL:
        return [run.twin.call(number) for number in run.harness.pool.several(run.word.input, CALLS)]
    if name == "again":
        return [run.twin.call(run.word.input) for _ in range(TIMES)]
    if name == "original":  # swap the module with the one that the last copy replaced
        last = run.counterparts.pop()
        copy = Counterpart(last.law, "its copy", run.module, run.twin, Side(state=state(run.module)))
        run.counterparts.append(copy)
        run.module, run.twin = last.module, last.twin
    return run.twin.call(run.word.input)


def _past(run: Execution) -> History:
    """The twin's history before this operation's call."""
    return run.twin.history[:-1]


def call(run: Execution) -> Any:
    before = _graph(run.module)
    outputs = run.plainly()
    after = _graph(run.module)
    try:
        run.notes["graph_changed"] = before is not None and after is not None and bool(before != after)
    except Exception:  # noqa: BLE001 - values in it may not be comparable
        run.notes["graph_changed"] = False
    return outputs


def _graph(module: Any) -> Any:
    """The graphdef of a module; None if Flax cannot split it."""
    try:
        return nnx.split(module)[0]
    except Exception:  # noqa: BLE001 - other laws report a module that Flax cannot split
        return None


def _through(name: str) -> Callable[[Execution], Any]:
    return lambda run: run.on_input(lambda *arguments: run.transforms.run(name, run.module, arguments))


def cond(run: Execution) -> Any:
    otherwise = jax.tree.map(jnp.zeros_like, run.wanted)
    return run.transforms.run("cond", run.module, run.harness.pool.arguments(run.word.input), otherwise)


def donate(run: Execution) -> Any:
    duplicates.untie(run.module, run.harness.make(run.program.seed))
    paths: dict[int, list[str]] = {}
    for path, value in contents_of(run.module).items():
        paths.setdefault(duplicates.address(value), []).append(path)
    own = (several for address, several in paths.items() if address and len(set(several)) > 1)
    run.notes["shared"] = tuple(plain(path) for path in next(own, ()))
    return run.on_input(lambda *arguments: run.transforms.run("donate", run.module, arguments))


def grad(run: Execution) -> Any:
    grads, outputs = _through("grad")(run)
    run.notes["grads"] = tuple(leaf.path for leaf in snapshots.tree(grads))
    return outputs


def optimize(run: Execution) -> Any:
    outputs = _through("optimize")(run)
    params = {path: variable for path, variable in variables(run.module).items() if is_param(variable)}
    run.twin.apply("params", {path: contents(param) for path, param in params.items()})
    return outputs


def split(run: Execution) -> Any:
    run.module = operations.split(run.module)
    return run.plainly()


def _copied(law: str, name: str, move: Callable[[Any], Any]) -> Callable[[Execution], Any]:
    def runner(run: Execution) -> Any:
        twin = Twin(run.harness, run.twin.seed, _past(run))
        run.counterparts.append(Counterpart(law, name, run.module, twin, Side(state=state(run.module))))
        run.module = move(run.module)
        return run.plainly()

    return runner


def rerun(run: Execution) -> Any:
    law = "rng-reproducible" if run.harness.subject.declares("draws_randomness") else "no-hidden-state"
    outputs = run.plainly()
    other = Twin(run.harness, run.twin.seed, _past(run))
    got = side(other.module, other.call(run.word.input))
    run.compare(law, "the same program once more", got, side(run.twin.module, run.wanted))
    return outputs


def reseed(run: Execution) -> None:
    other = run.twin.replayed(run.program.seed + OTHER).module  # its streams have advanced as far
    transplant(run.module, other, keys=False)
    run.notes["depends"] = _depends(other, lambda module: run.harness.call(module, run.word.input))
    # Each module with its state before the call.
    befores = [(module, state(module)) for module in (other, grafted(run))]
    got, wanted = (Side(snapshots.tree(run.harness.call(module, run.word.input)), before) for module, before in befores)
    run.compare("rng-reproducible", "another seed", got, wanted, unlike=True)


def _depends(module: Any, call: Callable[[Any], Any]) -> tuple[str, ...]:
    """The paths of state that decide a call's outputs, and of streams that decide its writes.

    Read from a trace of the call on a copy: equal outputs could be equal by chance. If the call cannot be traced, all
    paths of the state.
    """
    try:
        return tuple(_traced_dependence(module, call))
    except Exception:  # noqa: BLE001 - a call may need concrete values, or do anything else that a trace forbids
        return tuple(contents_of(module))


def _traced_dependence(module: Any, call: Callable[[Any], Any]) -> Iterator[str]:
    graph, state = nnx.split(module)
    paths: list[str] = []

    def traced(state: Any) -> tuple[list[Any], list[Any]]:
        copy = nnx.merge(graph, state)
        named = {id(value): path for path, value in contents_of(copy).items()}
        paths[:] = [named.get(id(leaf), "") for leaf in jax.tree.leaves(state)]
        outputs = jax.tree.leaves(call(copy))
        # Without random streams: the next state of a stream always depends on its state.
        kept = [contents(variable) for variable in variables(copy).values() if not holds_keys(variable)]
        return [leaf for leaf in outputs if isinstance(leaf, jax.Array)], jax.tree.leaves(kept)

    closed, (outputs, _) = jax.make_jaxpr(traced, return_shape=True)(state)
    is_output = [index < len(outputs) for index in range(len(closed.jaxpr.outvars))]
    _, returned = dce_jaxpr(closed.jaxpr, is_output)
    _, written = dce_jaxpr(closed.jaxpr, [not output for output in is_output])
    streams = {path for path, variable in variables(module).items() if holds_keys(variable)}
    for path, output, write in zip(paths, returned, written, strict=True):
        if path and (output or (write and path.split("/")[0] in streams)):
            yield path


def endure(run: Execution) -> None:
    run.notes["drifts"] = drifts(run.harness, grafted(run), run.word.input)


def watch(run: Execution) -> Any:
    outputs = run.plainly()
    for in_traces in (True, False):
        module = Twin(run.harness, run.twin.seed, _past(run)).module
        watch = WriteWatch(run.harness.source, module, in_traces)
        try:
            with watch.watching():
                returned = run.harness.call(module, run.word.input)
        except Exception as error:  # noqa: BLE001 - some transforms forbid callbacks: try again without
            run.notes["unwatched"] = f"a call that is watched raises {type(error).__name__}"
        else:
            run.notes |= {"lost": watch.lost(returned), "unwatched": ""}
            break
    return outputs


def derive(run: Execution) -> Any:
    outputs = run.plainly()
    module = Twin(run.harness, run.twin.seed, _past(run)).module
    try:
        untrained = without_gradient(module, lambda copy: run.harness.call(copy, run.word.input))
    except Exception as error:  # noqa: BLE001 - other laws report what a trace forbids
        run.notes["untraced"] = f"there is no derivative: {short(plain(str(error)))}"
    else:
        run.notes["untrained"] = untrained
    return outputs


def slopes(run: Execution) -> Any:
    outputs = run.plainly()
    try:
        run.notes["slopes"] = slopes_of(grafted(run), lambda copy: run.harness.call(copy, run.word.input))
    except Exception as error:  # noqa: BLE001 - other laws report what a trace forbids
        run.notes["undecided"] = short(plain(str(error)))
    return outputs


def _mode(name: str) -> Callable[[Execution], None]:
    def runner(run: Execution) -> None:
        getattr(run.module, name)()

    return runner


RUNNERS: dict[str, Callable[[Execution], Any]] = {
    **{
        runner.__name__: runner
        for runner in (call, cond, scan, vmap, grad, optimize, split, pair, rerun, reseed, endure, watch, derive)
    },
    **{runner.__name__: runner for runner in (save, reload, restart, graft, donate, slopes)},
    **{
        runner.__name__: runner
        for runner in (remake, abstract, second, lend, tree, plainjit, pickle, keys, bounds, again, afresh, far)
    },
    **{runner.__name__: runner for runner in (refer, types, modes, rows, represent, trace, shard, place, shardmap)},
    **{name: _through(name) for name in ("jit", "remat", "switch", "custom_vjp", "vjp", "jvp")},
    **{name: looped(name) for name in ("fori_loop", "while_loop")},
    **{name: _mode(name) for name in ("eval", "train")},
    "copy": _copied("split-merge-agrees", "the module that was copied", operations.copy),
    "clone": _copied("clone-independent", "the original", operations.clone),
    "deepcopy": _copied("deepcopy-agrees", "the original", duplicates.deepcopy),
    "original": lambda run: run.plainly(),
}
