"""Modules and outputs as plain data: every leaf with its path, copied to NumPy."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, Side
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.wire import DTYPES
from nnx_conformance.observe.flax_versions import children, contents, is_key, is_tracer, set_contents
from nnx_conformance.observe.graph import FOREIGN, Walk, WalkOptions, type_name

#: Walks containers and plain objects: a module may have stored tracers in them.
DEEP = WalkOptions(ordered=True, sets=True, empty=False, depth=6)
#: Walks containers only.
FLAT = dataclasses.replace(DEEP, depth=0)
TEXT = 80
ARRAYS = (jax.Array, np.ndarray)
#: The types of Variables that an optimiser trains, see `trainable`.
_TRAINABLE: ContextVar[tuple[type, ...]] = ContextVar("trainable", default=(nnx.Param,))


def side(module: Any, outputs: Any) -> Side:
    """What a call of a module returned, and the module's state afterwards."""
    return Side(tree(outputs), state(module))


def tree(value: Any) -> tuple[LeafFacts, ...]:
    """The leaves of a pytree, such as what a call returned."""
    return tuple(_leaf(path, part, part, False, False) for path, part in _parts(value))


def state(module: Any) -> tuple[LeafFacts, ...]:
    """All leaves of a module: the contents of its Variables, arrays, and plain values."""
    first_paths: dict[int, str] = {}
    leaves: list[LeafFacts] = []
    walk = Walk(module, DEEP)  # keeps the Variables alive, so that their ids stay unique
    for path, value, rng, attribute in walk.leaves:
        first = first_paths.setdefault(id(value), path) if isinstance(value, nnx.Variable) else path
        new = _leaves(path, value, rng, attribute)
        leaves += [dataclasses.replace(leaf, shared=plain(first)) if first != path else leaf for leaf in new]
    return (*leaves, *_tracers_on_classes(module))


def _tracers_on_classes(module: Any) -> Iterator[LeafFacts]:
    """Tracers in attributes of the nodes' classes; other class attributes are no state of the module."""
    for cls in classes(module):
        if cls.__module__.partition(".")[0] not in FOREIGN:
            for name, value in list(vars(cls).items()):
                for path, part, rng, _ in Walk(value, DEEP, f"{cls.__name__}.{name}").leaves:
                    yield from (leaf for leaf in _leaves(path, part, rng, False) if leaf.traced)


def variables(module: Any) -> dict[str, nnx.Variable[Any]]:
    """The Variables of a module by path; a Variable in two attributes has both paths."""
    return {leaf.path: leaf.value for leaf in Walk(module, DEEP).leaves if isinstance(leaf.value, nnx.Variable)}


def contents_of(module: Any) -> dict[str, Any]:
    """The contents of Variables, leaf by leaf, and arrays that are attributes of nodes, by the paths of `state`."""
    content: dict[str, Any] = {}
    for path, variable in variables(module).items():
        content |= {path + (f"/{below}" if below else ""): part for below, part in _parts(contents(variable))}
    return content | {path: getattr(node, name) for path, (node, name) in arrays(module).items()}


def arrays(module: Any) -> dict[str, tuple[Any, str]]:
    """For each array that is an attribute of a node, by path: the node and the attribute's name."""
    attributes = [(path, node, *child) for path, node in nodes(module) for child in children(node)]
    return {
        f"{path}.{name}".removeprefix("."): (node, name)
        for path, node, name, value in attributes
        if isinstance(value, ARRAYS)
    }


def nodes(module: Any) -> list[tuple[str, Any]]:
    """The nodes of a module's graph with their paths; the module itself is one."""
    return Walk(module, FLAT).nodes


def classes(module: Any) -> list[type]:
    """The classes of a module's nodes, and those that they derive from."""
    return list(dict.fromkeys(cls for _, node in nodes(module) for cls in type(node).__mro__))


@contextlib.contextmanager
def trainable(types: tuple[type, ...]) -> Iterator[None]:
    """Within the block, Variables of these types count as Params too."""
    token = _TRAINABLE.set((nnx.Param, *types))
    try:
        yield
    finally:
        _TRAINABLE.reset(token)


def is_param(variable: Any) -> bool:
    """Whether a value is a Param, or a Variable of a type that the subject declares trainable."""
    return isinstance(variable, _TRAINABLE.get())


def is_random(variable: nnx.Variable[Any]) -> bool:
    """Whether a Variable is part of a random stream, or holds a key."""
    return isinstance(variable, nnx.RngState) or any(map(is_key, jax.tree.leaves(contents(variable))))


def holds_keys(variable: nnx.Variable[Any]) -> bool:
    """Whether a Variable is random, or may hold old-style keys of JAX: arrays of 32-bit words."""
    return is_random(variable) or any(
        jnp.ndim(leaf) > 0 and jnp.shape(leaf)[-1] in (2, 4) and jnp.result_type(leaf) == jnp.uint32
        for leaf in jax.tree.leaves(contents(variable))
    )


def transplant(module: Any, other: Any, *, keys: bool = True) -> None:
    """Write the state of `module` into `other`, Variable by Variable; without `keys`, not that of random streams.

    Raises:
        ValueError: if they have different Variables.
    """
    own, others = variables(module), variables(other)
    if odd := ", ".join(sorted(own.keys() ^ others.keys())):
        raise ValueError(f"two modules made by the same factory differ in their Variables: {odd}")
    for path, variable in others.items():
        if keys or not holds_keys(own[path]):
            set_contents(variable, jax.tree.map(_copied, contents(own[path])))
    attributes = arrays(module)
    for path, (node, name) in arrays(other).items():
        if path in attributes:
            setattr(node, name, _copied(getattr(*attributes[path])))


def _copied(value: Any) -> Any:
    return np.array(value) if isinstance(value, np.ndarray) else value


def _leaves(path: str, value: Any, rng: bool, state: bool) -> Iterator[LeafFacts]:
    if not isinstance(value, nnx.Variable):
        yield _leaf(path, value, value, rng, state and isinstance(value, ARRAYS))
        return
    for below, part in _parts(contents(value)):
        yield _leaf(path + (f"/{below}" if below else ""), part, value, rng or isinstance(value, nnx.RngState), True)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of a pytree with their paths; a single leaf has the empty path."""
    for keys, part in jax.tree_util.tree_flatten_with_path(value)[0]:
        yield jax.tree_util.keystr(keys), contents(part) if isinstance(part, nnx.Variable) else part


def _leaf(path: str, value: Any, holder: Any, rng: bool, state: bool) -> LeafFacts:
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufc":
        # Every transform turns NumPy's float64 into float32, unless x64 is enabled.
        value = value.astype(jax.dtypes.canonicalize_dtype(value.dtype), copy=False)
    traced = is_tracer(value)
    key = not traced and is_key(value)
    array = None if traced else _array(jax.random.key_data(value) if key else value)
    return LeafFacts(
        path=plain(path),
        kind="numpy.ndarray" if type(holder) is np.ndarray else type_name(type(holder)),
        variable=isinstance(holder, nnx.Variable),
        param=is_param(holder),
        rng=rng or key,
        state=state,
        traced=traced,
        dtype=str(value.dtype) if array is not None and hasattr(value, "dtype") else "",
        weak=bool(getattr(getattr(value, "aval", None), "weak_type", False)),
        array=array,
        text="" if array is not None else _text(value),
    )


def _array(value: Any) -> np.ndarray | None:
    """A copy of a value's numbers, as float32 if the wire format lacks its dtype; None if it has no numbers."""
    if isinstance(value, (bool, int, float, complex)):
        return None if isinstance(value, int) and abs(value) >= 2**63 else np.array(value)
    if not isinstance(value, (*ARRAYS, np.generic)) or (isinstance(value, jax.Array) and value.is_deleted()):
        return None
    array = np.array(value)
    if array.dtype.name in DTYPES:
        return array
    try:
        return array.astype(np.float32)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    if is_tracer(value):
        return "a tracer"
    if isinstance(value, jax.Array):
        return "an array that was deleted"
    if isinstance(value, (str, bytes, int, type(None))):
        return plain(repr(value)[:TEXT])
    return type_name(type(value))
