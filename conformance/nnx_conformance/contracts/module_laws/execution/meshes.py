"""Modules on a mesh of devices, in plain Flax. Scripts of findings contain these functions."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from flax import nnx


def mesh_of(axes: dict[str, int]) -> Any:
    """A mesh of the first devices with axes of these sizes, which XLA divides by itself: JAX calls them Auto."""
    devices = np.array(jax.devices()[: int(np.prod(list(axes.values())))])
    return jax.sharding.Mesh(devices.reshape(tuple(axes.values())), tuple(axes))


def on_mesh(mesh: Any) -> Any:
    """A context manager in which Flax and JAX find a mesh."""
    return jax.set_mesh(mesh) if hasattr(jax, "set_mesh") else mesh  # before JAX 0.7, it is one itself


@contextlib.contextmanager
def one_device() -> Iterator[None]:
    """Until the block ends, JAX tells code that asks of one device alone: the first."""
    first = jax.devices()[:1]
    told = {
        **dict.fromkeys(("devices", "local_devices"), lambda *_, **__: list(first)),
        **dict.fromkeys(("device_count", "local_device_count"), lambda *_, **__: 1),
    }
    before = {name: getattr(jax, name) for name in told}
    try:
        for name, function in told.items():
            setattr(jax, name, function)
        yield
    finally:
        for name, function in before.items():
            setattr(jax, name, function)


def placed(module: Any, mesh: Any, by_metadata: bool) -> Any:
    """A module of the same state on a mesh: each array whole on every device, or placed as its Variable says."""
    graphdef, state = nnx.split(module)

    def put(spec: Any, part: Any) -> Any:
        sharding = jax.sharding.NamedSharding(mesh, spec if by_metadata and spec is not None else spec_of())
        return jax.tree.map(lambda leaf: jax.device_put(leaf, sharding) if isinstance(leaf, jax.Array) else leaf, part)

    return nnx.merge(graphdef, jax.tree.map(put, nnx.get_partition_spec(state), state, is_leaf=is_spec))


def spec_of(*axes: str) -> Any:
    """Where an array lies whose axes are split over these of a mesh."""
    return jax.sharding.PartitionSpec(*axes)  # type: ignore[no-untyped-call]


def is_spec(value: Any) -> bool:
    return value is None or isinstance(value, jax.sharding.PartitionSpec)


def at_home(module: Any, axes: Any = ()) -> Any:
    """A module of the same state on the first device alone; as in a mesh of it, if axes are given."""
    graphdef, state = nnx.split(module)
    own = mesh_of(dict.fromkeys(axes, 1)) if axes else None
    home = jax.sharding.NamedSharding(own, spec_of()) if own else jax.devices()[0]
    moved = jax.tree.map(lambda leaf: jax.device_put(leaf, home) if isinstance(leaf, jax.Array) else leaf, state)
    return nnx.merge(graphdef, moved)


def of_shard(module: Any, device: int) -> Any:
    """A module of the state that one device has of it."""
    graphdef, state = nnx.split(module)

    def own(leaf: Any) -> Any:
        shards = leaf.addressable_shards if isinstance(leaf, jax.Array) else ()
        return shards[device].data if len(shards) > device else leaf

    return nnx.merge(graphdef, jax.tree.map(own, state))


def astray(module: Any, mesh: Any) -> str:
    """Which array of a module lies elsewhere than its Variable says; empty if none does."""
    state = nnx.split(module)[1]
    specs, structure = jax.tree_util.tree_flatten_with_path(nnx.get_partition_spec(state), is_leaf=is_spec)
    parts = structure.flatten_up_to(state)  # type: ignore[attr-defined]
    for (path, spec), part in zip(specs, parts, strict=True):
        for leaf in jax.tree.leaves(part) if spec is not None and any(spec) else ():
            said = jax.sharding.NamedSharding(mesh, spec)
            if isinstance(leaf, jax.Array) and not leaf.sharding.is_equivalent_to(said, leaf.ndim):
                return f"{jax.tree_util.keystr(path)} is to lie at {spec}, and lies at {leaf.sharding}"
    return ""


def divided(arguments: Any, mesh: Any, axis: str) -> Any:
    """Arguments whose arrays are split over an axis of a mesh, row by row."""
    whole, rows = (
        jax.sharding.NamedSharding(mesh, spec_of()),
        jax.sharding.NamedSharding(mesh, spec_of(axis)),
    )
    return jax.tree.map(
        lambda leaf: jax.device_put(leaf, rows if np.ndim(leaf) else whole) if is_number(leaf) else leaf, arguments
    )


def is_number(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, np.generic))


def shardmap(step: Any) -> Any:
    """Compiled, with a call for each shard of the batch; the state goes in whole, and comes out as each shard has it.

    JAX does not check that the state is the same on all shards: what is not, shows in its numbers.
    """
    compiled: dict[str, Any] = {}

    def run(module: Any, arguments: Any, mesh: Any, axis: str, outputs: Any) -> Any:
        rows = {len(leaf) for leaf in jax.tree.leaves(arguments) if np.ndim(leaf)}
        given = jax.tree.map(lambda leaf: spec_of(axis) if np.ndim(leaf) else spec_of(), arguments)
        returned = jax.tree.map(
            lambda leaf: spec_of(axis) if np.ndim(leaf) and len(leaf) in rows else spec_of(),
            outputs,
        )
        key = str((given, returned, mesh))
        if key not in compiled:
            options: dict[str, Any] = unchecked(nnx.shard_map)
            mapped = nnx.shard_map(step, mesh=mesh, in_specs=(spec_of(), given), out_specs=returned, **options)
            compiled[key] = nnx.jit(mapped)
        return compiled[key](module, arguments)

    return run


def unchecked(function: Any) -> dict[str, bool]:
    """The option by which JAX does not check what is the same on all shards; it was renamed."""
    names = inspect.signature(function).parameters
    return {name: False for name in ("check_vma", "check_rep") if name in names}
