"""Runners on a mesh of two devices that split the batch, and why a subject cannot run there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import Entry, Placement, Side
from nnx_conformance.contracts.module_laws.execution import meshes
from nnx_conformance.contracts.module_laws.execution.snapshots import state, variables
from nnx_conformance.contracts.module_laws.program.language import CALLS, MADE, Word
from nnx_conformance.core.candidate.subject import DEVICES
from nnx_conformance.core.plain_text import plain, short
from nnx_conformance.observe.flax_versions import contents

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

#: The axis of the batch, if the subject names none.
BATCH = "data"


def shard(run: Execution) -> Any:
    """Call it through `nnx.jit` with the batch split over two devices and the state whole on each."""
    return _calls(run, _mesh(run, "shard"), by_metadata=False)


def place(run: Execution) -> Any:
    """Call it through `nnx.jit` with the state placed as its Variables declare, and the batch split if possible."""
    mesh = _mesh(run, "place")
    if run.harness.subject.mesh:
        with meshes.on_mesh(mesh):
            got = run.harness.make(run.program.seed)
        with meshes.one_device():
            wanted = run.harness.make(run.program.seed)
        run.compare("sharded-agrees", MADE, Side(state=state(got)), Side(state=state(wanted)))
    return _calls(run, mesh, by_metadata=True)


def _calls(run: Execution, mesh: Any, *, by_metadata: bool) -> Any:
    outputs = []
    with meshes.on_mesh(mesh):
        run.module = meshes.placed(run.module, mesh, by_metadata)
        before = _placed(run.module) if by_metadata else {}
        placements: dict[str, Placement] = {}
        for arguments in _arguments(run, mesh):
            outputs.append(run.transforms.run("jit", run.module, arguments))
            _note_placements(placements, before, _placed(run.module))
    run.notes["placements"] = tuple(placements.values())
    run.module = meshes.at_home(run.module, tuple(run.harness.subject.mesh))
    return outputs


def shardmap(run: Execution) -> Any:
    """Call it through `nnx.shard_map`, once for each half of the batch, and compare the state of each shard."""
    mesh, outputs = _mesh(run, "shardmap"), []
    run.module = meshes.placed(run.module, mesh, by_metadata=False)
    with meshes.on_mesh(mesh):
        for arguments, wanted in zip(_arguments(run, mesh), run.wanted, strict=True):
            outputs.append(run.transforms.run("shardmap", run.module, arguments, mesh, _axis(run), wanted))
    twin = Side(state=state(run.twin.module))
    for device in range(1, DEVICES):
        own = Side(state=state(meshes.of_shard(run.module, device)))
        run.compare("shard-map-agrees", f"the state of shard {device}", own, twin)
    run.module = meshes.at_home(run.module, tuple(run.harness.subject.mesh))
    return outputs


def _arguments(run: Execution, mesh: Any) -> Iterator[Any]:
    """The arguments of each call, split over the mesh if it divides their rows."""
    pool = run.harness.pool
    run.notes["axes"] = tuple(Entry(axis, str(size)) for axis, size in mesh.shape.items())
    run.notes["divided"] = _axis(run) if _rows_divide(run, run.word.input, mesh) else ""
    run.notes["inputs"] = tuple(pool.several(run.word.input, CALLS))
    for number in run.notes["inputs"]:
        arguments = pool.arguments(number)
        yield meshes.divided(arguments, mesh, _axis(run)) if _rows_divide(run, number, mesh) else arguments


def _rows_divide(run: Execution, number: int, mesh: Any) -> bool:
    rows = run.harness.pool.rows(number)
    return rows > 0 and rows % mesh.shape[_axis(run)] == 0


def _axis(run: Execution) -> str:
    """The axis over which the batch is split."""
    return next(iter(run.harness.subject.mesh), BATCH)


def _mesh(run: Execution, operation: str) -> Any:
    """The mesh that the subject declares; otherwise one with both devices on an axis of its Variables or the batch."""
    if declared := run.harness.subject.mesh:
        return meshes.mesh_of(dict(declared))
    named = _named(run.module) if operation == "place" else {}
    both = next((axis for axis, divides in named.items() if divides), BATCH)
    axes = dict.fromkeys((BATCH, *named), 1) | {both: DEVICES}
    return meshes.mesh_of(axes)


def _named(module: Any) -> dict[str, bool]:
    """The axes that the Variables of a module name, and whether two devices evenly split all arrays over each."""
    named: dict[str, bool] = {}
    for spec, value in _specs(module).values():
        for length, names in zip(np.shape(value), spec, strict=False):
            for axis in names if isinstance(names, tuple) else (names,):
                if axis is not None:
                    named[axis] = named.get(axis, True) and length % DEVICES == 0
    return named


def _specs(module: Any) -> dict[str, tuple[Any, Any]]:
    """By path, the declared placement and the array of each Variable that names mesh axes."""
    specs = {}
    for path, variable in variables(module).items():
        value = contents(variable)
        spec = _spec(variable)
        if spec is not None and any(names is not None for names in spec) and isinstance(value, jax.Array):
            specs[path] = spec, value
    return specs


def _spec(variable: Any) -> Any:
    """The placement that a Variable's metadata declares."""
    holder = nnx.Module()
    setattr(holder, "variable", variable)  # noqa: B010 - no class declares it
    specs = jax.tree.leaves(nnx.get_partition_spec(nnx.split(holder)[1]), is_leaf=meshes.is_spec)
    return specs[0] if specs else None


def _placed(module: Any) -> dict[str, tuple[Any, Any]]:
    """By path, the declared and the actual placement of each Variable that names mesh axes."""
    return {path: (spec, value.sharding) for path, (spec, value) in _specs(module).items()}


def _note_placements(
    placements: dict[str, Placement], before: dict[str, tuple[Any, Any]], after: dict[str, tuple[Any, Any]]
) -> None:
    """Note the placement of each leaf after a call; the first one that differs from its declaration stays."""
    for path, (spec, sharding) in before.items():
        if path in after and not (path in placements and placements[path].declared != placements[path].after):
            now = after[path][1]
            same = now.is_equivalent_to(sharding, len(spec))
            declared = _text(spec)
            placements[path] = Placement(plain(path), declared, declared if same else _text(getattr(now, "spec", now)))


def _text(spec: Any) -> str:
    names = ", ".join(map(repr, spec)) if isinstance(spec, tuple) or hasattr(spec, "__iter__") else str(spec)
    return f"P({names})"


def skipped(run: Execution, word: Word) -> str:
    """Why an operation on two devices cannot run with this subject or on this machine; empty if it can."""
    name, subject, pool, number = word.operation.name, run.harness.subject, run.harness.pool, word.input
    if len(jax.devices()) < DEVICES:
        return (
            f"this process has one device, and no mesh of {DEVICES}: give the subject as a target, or JAX more devices"
        )
    if name == "place" and not _named(run.module):
        return "no Variable of it names an axis of a mesh"
    if name == "place" and not subject.mesh and not any(_named(run.module).values()):
        return "the axes that its Variables name have odd sizes, which two devices cannot split"
    if name == "shardmap" and (reason := _unmapped(run)):
        return reason
    if name != "place" and pool.holds_state(number):
        return "what is state among its arguments has no batch to split"
    if name != "place" and not pool.rows(number):
        return "its inputs share no first axis to split"
    if name != "place" and not _rows_divide(run, number, _mesh(run, name)):
        return f"its batch of {pool.rows(number)} rows cannot be split over two devices"
    return "its call has ordered effects, which JAX runs on one device only" if _in_order(run, number) else ""


def _in_order(run: Execution, number: int) -> bool:
    """Whether a call prints, or calls the host, in an order that JAX must keep."""
    # Imported here: `trace` imports the harness, which imports the pool, which imports the reasons for skipping.
    from nnx_conformance.contracts.module_laws.execution.tracing.trace import traced

    try:
        effects = traced(run.harness, run.module, run.harness.pool.arguments(number)).closed_jaxpr.effects
    except Exception:  # noqa: BLE001 - the program itself shows a call that cannot be traced
        return False
    return any(type(effect).__name__.startswith("Ordered") for effect in effects)


def _unmapped(run: Execution) -> str:
    declares = run.harness.subject.declares
    if not hasattr(nnx, "shard_map"):
        return f"Flax {flax.__version__} has no nnx.shard_map"
    if declares("per_shard_state"):
        return "each shard has a state of its own on purpose"
    if not run.harness.subject.mesh and "per_shard_state" not in run.harness.subject.traits:
        return "it declares no mesh over which to map shards"
    if declares("draws_randomness"):
        return "all shards draw from the same keys"
    return _refuses()


@functools.cache
def _refuses() -> str:
    """Why `nnx.shard_map` of the installed Flax fails with the installed JAX; empty if it works."""
    step: Callable[..., Any] = lambda module, arguments: module(*arguments)  # noqa: E731
    mesh, batch = meshes.mesh_of({BATCH: DEVICES}), [jnp.ones((DEVICES, 2))]
    try:
        with meshes.on_mesh(mesh):
            module = meshes.placed(nnx.Linear(2, 2, rngs=nnx.Rngs(0)), mesh, by_metadata=False)
            meshes.shardmap(step)(module, meshes.divided(batch, mesh, BATCH), mesh, BATCH, batch[0])
    except Exception as error:  # noqa: BLE001 - Flax 0.12.0 passes an option that JAX 0.8 lacks: google/flax#5058
        reason = short(plain(str(error)))
        return f"nnx.shard_map of Flax {flax.__version__} does not run on JAX {jax.__version__}: {reason}"
    return ""
