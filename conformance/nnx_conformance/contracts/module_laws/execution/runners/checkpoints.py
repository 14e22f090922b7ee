"""Checkpoints on disk, in the forms that people use: one process writes them, a new one reads them."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx, serialization

from nnx_conformance.contracts.module_laws.execution.operations import is_key

#: The state of a module: each leaf as a NumPy array by its path; a random key as its data.
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class CheckpointForm:
    """A form of checkpoint.

    Attributes:
        name: how reports call it.
        module: the module that it needs.
        remedy: how to get that.
        write: writes arrays to a path where nothing is.
        read: reads arrays from there, given arrays of the same names and types.
    """

    name: str
    module: str
    remedy: str
    write: Callable[[Path, Arrays], object]
    read: Callable[[Path, Arrays], Arrays]

    def missing(self) -> str:
        """Why it cannot be written here; empty if it can."""
        installed = importlib.util.find_spec(self.module.partition(".")[0]) and importlib.util.find_spec(self.module)
        return "" if installed else f"{self.module} is not installed: {self.remedy}"


def arrays(module: Any) -> Arrays:
    """The state of a module."""
    return {jax.tree_util.keystr(path): _numbers(leaf) for path, leaf in _leaves(nnx.state(module))[0]}


def restore(module: Any, saved: Arrays) -> None:
    """Write arrays into a module.

    Raises:
        ValueError: if it has other leaves.
    """
    leaves, structure = _leaves(nnx.state(module))
    old = {jax.tree_util.keystr(path): leaf for path, leaf in leaves}
    if odd := sorted(old.keys() ^ saved.keys()):
        side = "the checkpoint" if odd[0] in saved else "a new module"
        raise ValueError(f"only {side} has a leaf {odd[0]}")
    nnx.update(module, jax.tree.unflatten(structure, [_like(saved[path], was) for path, was in old.items()]))


def _leaves(state: Any) -> tuple[list[tuple[Any, Any]], Any]:
    return jax.tree_util.tree_flatten_with_path(state)


def _numbers(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf)) if is_key(leaf) else np.asarray(leaf)


def _like(saved: np.ndarray, was: Any) -> Any:
    """A leaf of what was saved: a random key again where one was."""
    if is_key(was):
        return jax.random.wrap_key_data(jnp.asarray(saved), impl=jax.random.key_impl(was))
    return jnp.asarray(saved)


def _to_orbax(path: Path, saved: Arrays) -> None:
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(path.absolute(), saved)


def _from_orbax(path: Path, _: Arrays) -> Arrays:
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        return dict(checkpointer.restore(path.absolute()))


#: A program continues from the first form. A module that another form restores must do the same.
FORMS = (
    CheckpointForm(
        "pickle",
        "pickle",
        "",
        lambda path, saved: path.write_bytes(pickle.dumps(saved)),
        lambda path, like: pickle.loads(path.read_bytes()),
    ),
    CheckpointForm(
        "flax.serialization",
        "msgpack",
        "pip install msgpack",
        lambda path, saved: path.write_bytes(serialization.to_bytes(saved)),
        lambda path, like: serialization.from_bytes(like, path.read_bytes()),
    ),
    CheckpointForm("Orbax", "orbax.checkpoint", "pip install 'nnx-conformance[orbax]'", _to_orbax, _from_orbax),
)
