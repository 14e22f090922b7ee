"""Modules, and what their calls return, as plain data: every leaf by its path, copied to NumPy."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import NODE, children, contents, is_key, is_tracer
from nnx_conformance.graph import type_name
from nnx_conformance.laws.seen import Leaf
from nnx_conformance.plain_text import plain
from nnx_conformance.wire import DTYPES

#: Plain objects are looked into this deep, for tracers that were put away in them.
DEPTH = 6
TEXT = 80
#: Packages whose classes hold no state of a subject.
FOREIGN = ("builtins", "jax", "jaxlib", "flax", "numpy")
#: Values that hold no state, however many attributes they have.
OPAQUE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.dtype)


def state(module: Any) -> tuple[Leaf, ...]:
    """All that hangs on a module: Variables and what they hold, arrays, and plain values."""
    first: dict[int, str] = {}
    found: list[Leaf] = []
    for path, value, rng, held in _places(module, "", False, True, set(), 0):
        known = first.setdefault(id(value), path) if isinstance(value, nnx.Variable) else path
        leaves = _leaves(path, value, rng, held)
        found += [dataclasses.replace(leaf, shared=plain(known)) if known != path else leaf for leaf in leaves]
    return (*found, *_on_classes(module))


def _on_classes(module: Any) -> Iterator[Leaf]:
    """Tracers that were put away in attributes of a node's classes; nothing else there is a module's own."""
    classes = dict.fromkeys(cls for _, node in nodes(module) for cls in type(node).__mro__)
    for cls in classes:
        if cls.__module__.partition(".")[0] in FOREIGN:
            continue
        for name, value in list(vars(cls).items()):
            for path, part, rng, _ in _places(value, f"{cls.__name__}.{name}", False, False, set(), 0):
                yield from (leaf for leaf in _leaves(path, part, rng, False) if leaf.traced)


def tree(value: Any) -> tuple[Leaf, ...]:
    """The leaves of a pytree, such as what a call returned."""
    return tuple(_leaf(path, part, part, False, False) for path, part in _parts(value))


def variables(module: Any) -> dict[str, nnx.Variable[Any]]:
    """The Variables that hang on a module, by path; one that hangs at two places stands at both."""
    places = _places(module, "", False, True, set(), 0)
    return {path: found for path, found, _, _ in places if isinstance(found, nnx.Variable)}


def held(module: Any) -> dict[str, Any]:
    """What Variables hold, leaf by leaf, and arrays that are attributes of nodes, by the paths of `state`."""
    found: dict[str, Any] = {}
    for path, variable in variables(module).items():
        found |= {path + (f"/{below}" if below else ""): part for below, part in _parts(contents(variable))}
    return found | {path: getattr(node, name) for path, (node, name) in arrays(module).items()}


def arrays(module: Any) -> dict[str, tuple[Any, str]]:
    """The arrays that are attributes of nodes, no Variables: by path, the node and the attribute's name."""
    found: dict[str, tuple[Any, str]] = {}
    for path, node in nodes(module):
        for name, value in children(node):
            if isinstance(value, (jax.Array, np.ndarray)):
                found[f"{path}.{name}".removeprefix(".")] = (node, name)
    return found


def shares(module: Any) -> bool:
    """Whether a Variable or a node hangs on a module at two places."""
    seen: set[int] = set()

    def again(value: Any) -> bool:
        if isinstance(value, (nnx.Variable, NODE)) and id(value) in seen:
            return True
        below = [] if id(value) in seen or isinstance(value, nnx.Variable) else _below(value) or []
        seen.add(id(value))
        return any(again(part) for _, part in below)

    return again(module)


def nodes(module: Any) -> Iterator[tuple[str, Any]]:
    """The nodes of a module's graph, itself among them, by path."""
    seen: set[int] = set()

    def walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
        if id(value) in seen or isinstance(value, (nnx.Variable, jax.Array, np.ndarray, str)):
            return
        seen.add(id(value))
        if isinstance(value, NODE):
            yield path, value
        for label, part in _below(value) or ():
            yield from walk(part, (path + label).removeprefix("."))

    yield from walk(module, "")


def _places(
    value: Any, path: str, rng: bool, held: bool, seen: set[int], depth: int
) -> Iterator[tuple[str, Any, bool, bool]]:
    """Path, value, whether it is part of an Rngs, and whether NNX counts it as state if it is an array."""
    below = None if isinstance(value, nnx.Variable) else _below(value)
    if below is None:
        hidden = _inside(value) if depth < DEPTH else {}
        for name, part in hidden.items():
            yield from _places(part, f"{path}.{name}".removeprefix("."), rng, False, seen, depth + 1)
        if not hidden:
            yield path, value, rng, held
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    rng = rng or isinstance(value, (nnx.Rngs, nnx.RngStream))
    # An array in a plain list or dict is no state on every Flax; one that is an attribute of a node is.
    held = held and isinstance(value, NODE)
    for label, part in below:
        yield from _places(part, (path + label).removeprefix("."), rng, held, seen, depth)


def _below(value: Any) -> list[tuple[str, Any]] | None:
    """The parts of a node or container, with the way to each; None for what is neither.

    Those that have names, in the order of these: a module that Flax rebuilds has its attributes in another order, and
    what hangs at two places would be found at the other first.
    """
    if isinstance(value, NODE):
        return [(f".{name}", part) for name, part in sorted(children(value), key=lambda child: child[0])]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    if isinstance(value, Mapping):
        return sorted(((f"[{key!r}]", part) for key, part in value.items()), key=lambda child: child[0])
    return None


def _inside(value: Any) -> dict[str, Any]:
    """The attributes of a plain object, in which tracers may have been put away."""
    if isinstance(value, (*OPAQUE, nnx.Variable, jax.Array, np.ndarray, np.generic)) or is_tracer(value):
        return {}
    if type(value).__module__.partition(".")[0] in FOREIGN:
        return {}
    found = getattr(value, "__dict__", None)
    return dict(found) if isinstance(found, dict) else {}


def _leaves(path: str, value: Any, rng: bool, held: bool) -> Iterator[Leaf]:
    if not isinstance(value, nnx.Variable):
        yield _leaf(path, value, value, rng, held and isinstance(value, (jax.Array, np.ndarray)))
        return
    for below, part in _parts(contents(value)):
        yield _leaf(path + (f"/{below}" if below else ""), part, value, rng or isinstance(value, nnx.RngState), True)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of a pytree by path; a leaf itself has the empty path."""
    found, _ = jax.tree_util.tree_flatten_with_path(value)
    for way, part in found:
        yield jax.tree_util.keystr(way), contents(part) if isinstance(part, nnx.Variable) else part


def _leaf(path: str, value: Any, holder: Any, rng: bool, held: bool) -> Leaf:
    traced = is_tracer(value)
    key = not traced and is_key(value)
    array = None if traced else _array(jax.random.key_data(value) if key else value)
    return Leaf(
        path=plain(path),
        kind=_kind(holder),
        variable=isinstance(holder, nnx.Variable),
        param=isinstance(holder, nnx.Param),
        rng=rng or key,
        state=held,
        traced=traced,
        dtype=str(value.dtype) if array is not None and hasattr(value, "dtype") else "",
        weak=bool(getattr(getattr(value, "aval", None), "weak_type", False)),
        array=array,
        text="" if array is not None else _text(value),
    )


def _kind(holder: Any) -> str:
    return "numpy.ndarray" if type(holder) is np.ndarray else type_name(type(holder))


def _array(value: Any) -> np.ndarray | None:
    """A copy of what holds numbers; in float32 where NumPy's names and the wire's have no word for the dtype."""
    if isinstance(value, (bool, int, float, complex)):
        return None if isinstance(value, int) and abs(value) >= 2**63 else np.array(value)
    if not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return None
    if isinstance(value, jax.Array) and value.is_deleted():
        return None
    found = np.array(value)
    if found.dtype.name in DTYPES:
        return found
    try:
        return found.astype(np.float32)
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
