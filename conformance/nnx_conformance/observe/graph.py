"""Reading a module's graph: its leaves by path, the contents of Variables, and the numbers in them."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.core.wire import DTYPES
from nnx_conformance.observe.flax_versions import NODE, children, is_key, is_tracer, lanes

T = TypeVar("T")
#: The nodes that hold the Variables of random generators.
RNG = (nnx.Rngs, nnx.RngStream)
#: Packages whose plain objects hold no state of a module's own.
FOREIGN = ("builtins", "jax", "jaxlib", "flax", "numpy")
#: Values whose attributes are no state.
OPAQUE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.dtype)


class Same(Generic[T]):
    """An object by its identity. It keeps the object alive, because Python reuses the id of a freed one.

    `nnx.State`, for example, makes new nested mappings at each access.
    """

    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Leaf(NamedTuple):
    """A leaf of a module's graph: a Variable, an array, a plain value.

    Attributes:
        path: `inner.count`, `layers[0]`, `names['a']`.
        rng: whether it is part of an Rngs.
        attribute: whether it is an attribute of a node. An array attribute is state in every Flax version; an array in
            a container is not.
    """

    path: str
    value: Any
    rng: bool
    attribute: bool


@dataclass(frozen=True)
class WalkOptions:
    """How far a walk goes.

    Attributes:
        ordered: whether to sort attributes and keys by name. A module that Flax rebuilds has them in another order, so
            that a shared object would get another path.
        sets: whether sets are containers, too.
        empty: whether an empty container is a leaf; otherwise it is skipped.
        depth: how deep to walk into plain objects; at 0 dataclasses are containers, and other objects leaves.
    """

    ordered: bool = False
    sets: bool = False
    empty: bool = True
    depth: int = 0


class _Taker(NamedTuple):
    """Splits instances of a type into parts with the label of each, `.count` or `[0]`."""

    parts: Callable[[Any], list[tuple[str, Any]]]
    plain: bool = False


#: The takers by type, None for leaves; a cache for walks with the same options.
Takers = dict[type, _Taker | None]


class Walk:
    """A walk through all parts of a value, each container and node once.

    Args:
        root: a module, or anything else.
        reach: how far to go.
        path: the path of the root; if not empty, the root is no attribute of a node.
        takers: those of earlier walks with the same options; a run has few types.

    Attributes:
        leaves: in the order of the walk.
        nodes: the nodes of the graph with their paths, including the root.
        shared: whether a node has two paths.
    """

    def __init__(
        self, root: Any, reach: WalkOptions = WalkOptions(), path: str = "", takers: Takers | None = None
    ) -> None:
        self.leaves: list[Leaf] = []
        self.nodes: list[tuple[str, Any]] = []
        self.shared = False
        self._reach = reach
        self._takers = {} if takers is None else takers
        self._visited: set[Same[Any]] = set()
        self._go([("", root)], path, False, not path, 0)

    def _go(self, parts: list[tuple[str, Any]], path: str, rng: bool, attribute: bool, depth: int) -> None:
        for label, part in parts:
            kind = type(part)
            if kind not in self._takers:
                self._takers[kind] = _taker(kind, self._reach)
            taker = self._takers[kind]
            inner_path = path + label if path else label.removeprefix(".")
            if taker is None or (taker.plain and depth == self._reach.depth):
                self.leaves.append(Leaf(inner_path, part, rng, attribute))
                continue
            node = issubclass(kind, NODE)
            if Same(part) in self._visited:
                self.shared = self.shared or node
                continue
            inner = taker.parts(part)
            if node:
                self.nodes.append((inner_path, part))
            if node or (inner and not taker.plain):  # every `()` is the same object
                self._visited.add(Same(part))
            if inner:
                self._go(inner, inner_path, rng or issubclass(kind, RNG), attribute and node, depth + taker.plain)
            elif self._reach.empty or taker.plain:
                self.leaves.append(Leaf(inner_path, part, rng, attribute))


def _taker(kind: type, reach: WalkOptions) -> _Taker | None:
    """The taker of a type; None for leaves."""
    order: Any = functools.partial(sorted, key=lambda part: part[0]) if reach.ordered else list
    if issubclass(kind, nnx.Variable):
        return None
    if issubclass(kind, NODE):
        return _Taker(lambda value: order([(f".{name}", part) for name, part in children(value)]))
    if issubclass(kind, (list, tuple)) or (reach.sets and issubclass(kind, (set, frozenset))):
        return _Taker(lambda value: [(f"[{index}]", part) for index, part in enumerate(value)])
    if issubclass(kind, Mapping):
        return _Taker(lambda value: order([(f"[{key!r}]", part) for key, part in value.items()]))
    if reach.depth or dataclasses.is_dataclass(kind):
        return None if reach.depth and _is_opaque(kind) else _Taker(_attributes, plain=reach.depth > 0)
    return None


def _is_opaque(kind: type) -> bool:
    return (
        issubclass(kind, (*OPAQUE, jax.Array, np.ndarray, np.generic)) or kind.__module__.partition(".")[0] in FOREIGN
    )


def _attributes(value: Any) -> list[tuple[str, Any]]:
    own = getattr(value, "__dict__", None)
    return [(f".{name}", part) for name, part in own.items()] if isinstance(own, dict) else []


def leaves(module: Any) -> list[Leaf]:
    """The leaves of a module's graph."""
    return Walk(module).leaves


def parts(value: Any) -> list[tuple[str, Any]]:
    """The parts of a Variable's contents with their labels, `['count']`, `.mean`, `[0]`; one part if no container."""
    if not isinstance(value, (tuple, list, Mapping)) and not dataclasses.is_dataclass(value):
        return [("", value)]
    flat = jax.tree_util.tree_flatten_with_path(value)[0]
    return [(jax.tree_util.keystr(path), part) for path, part in flat] or [("", value)]


def changed(value: Any, change: Callable[[str, Any], Any]) -> Any:
    """A Variable's contents with `change(label, part)` in place of each part."""
    if parts(value)[0][0] == "":
        return change("", value)
    return jax.tree_util.tree_map_with_path(lambda path, part: change(jax.tree_util.keystr(path), part), value)


def variables(module: Any) -> dict[str, nnx.Variable[Any]]:
    """The Variables in a module's graph by path, without those of its Rngs."""
    return {leaf.path: leaf.value for leaf in leaves(module) if isinstance(leaf.value, nnx.Variable) and not leaf.rng}


def type_name(kind: type) -> str:
    """A class as users name it: `nnx.Variable`, `jax.Array`, `int`, `solution.Counter`."""
    if issubclass(kind, jax.core.Tracer):
        return "tracer"
    if issubclass(kind, jax.Array) or kind.__name__ == "ArrayImpl":
        return "jax.Array"
    if kind.__module__ == "builtins":
        return kind.__name__
    if kind.__module__.startswith("flax.nnx"):
        return f"nnx.{kind.__name__}"
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__qualname__.split("<locals>.")[-1]


def number(value: Any) -> float | None:
    """The number in a value; None unless it holds exactly one."""
    if isinstance(value, (bool, int, float)):
        return float(value) if abs(value) < 2**1000 else None
    if is_tracer(value) or is_key(value) or not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return None
    if value.size != 1 or (isinstance(value, jax.Array) and value.is_deleted()):
        return None
    data = widened(np.asarray(value))
    return None if data is None else float(data.item())


def array(value: Any) -> np.ndarray | None:
    """A copy of a JAX or NumPy array, or of all lanes of a tracer of `vmap`; None for anything else."""
    value = lanes(value) if is_tracer(value) else value
    if is_key(value) or not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return None
    if isinstance(value, jax.Array) and value.is_deleted():
        return None
    return widened(np.array(value, subok=False))


@functools.lru_cache(maxsize=256)
def is_real(dtype: Any) -> bool:
    """Whether a dtype is real, including bool and the dtypes that NumPy itself does not know."""
    return bool(jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer) or dtype == np.bool_)


@functools.lru_cache(maxsize=256)
def _is_sent(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of this real dtype can be sent. Cached, because NumPy builds a dtype's name at each access."""
    return is_real(dtype) and dtype.name in DTYPES


def widened(data: np.ndarray) -> np.ndarray | None:
    """The array in a dtype that can be sent: float8, int4 and the like in the next wider one; None if not real."""
    if _is_sent(data.dtype):
        return data
    if not is_real(data.dtype):
        return None
    if jnp.issubdtype(data.dtype, jnp.floating):
        return data.astype(np.float32 if "e8m0" in data.dtype.name else np.float16)
    return data.astype(np.uint8 if data.dtype.name.startswith("u") else np.int8)


def on_device(data: np.ndarray) -> jax.Array:
    """A JAX array with this content, which it may alias. `jnp.array` would compile for each new shape."""
    buffer: jax.Array = jax.device_put(data)
    return buffer
