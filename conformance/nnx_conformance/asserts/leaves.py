"""The leaves of a module's graph, by path: read as they are, or copied to NumPy so that later writes do not show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import flax
import jax
import numpy as np
from flax import nnx

from nnx_conformance.asserts.form import misused
from nnx_conformance.observe.flax_versions import NODE, children, contents, is_key, is_tracer
from nnx_conformance.observe.graph import FOREIGN, OPAQUE, Same, type_name

#: Where a leaf hangs, without the notation: `layers[0].count` is `("layers", 0, "count")` in a module and in its state.
Keys = tuple[Any, ...]

LIST: Any = getattr(nnx, "List", ())
#: Plain objects are looked into this deep, for tracers.
DEPTH = 6
DELETED = "an array that was deleted (donated)"
#: How users write to a Variable's contents; until 0.10.7 `[...] =` failed.
WRITE = "[...]" if tuple(map(int, flax.__version__.split(".")[:3])) >= (0, 10, 7) else ".value"


@dataclass(frozen=True)
class StateLeaf:
    """Something that hangs on a graph and is no node: a Variable, or a part of what it holds, an array, a plain value.

    Attributes:
        path: as users write it, `layers[0].count`; a part of a Variable's contents is `count['mean']`.
        kind: the class of the Variable, or of the value.
        variable: whether a Variable holds it.
        state: whether it belongs to the state of the module: a Variable, or an array that is a node's attribute.
        value: a copy in NumPy, a random key as its data; a tracer, and what is no array, as it is.
        dtype: that of the array, `key<fry>` for a random key; empty for what is none.
        holder: the Variable itself; None in a `StateCopy`.
        again: whether the same Variable was reached by another path before.
        home: the keys of the Variable, without the way to a part of its contents.
    """

    path: str
    kind: type
    variable: bool
    state: bool
    value: Any
    dtype: str
    holder: Any
    again: bool
    home: Keys

    def __str__(self) -> str:
        return f"`{self.path}` ({type_name(self.kind)})"


@dataclass(frozen=True)
class StateCopy:
    """What a module held when `snapshot` copied it; later writes do not show."""

    leaves: Mapping[Keys, StateLeaf]

    def __repr__(self) -> str:
        return f"StateCopy({', '.join(f'{leaf.path}={shown(leaf.value)}' for leaf in self.leaves.values())})"


def snapshot(module: Any) -> StateCopy:
    """A copy of a module's state in NumPy, to compare with later.

    A plain reference to a module shows later writes, and so do `nnx.state` and `nnx.split` from Flax 0.11 on.

    Args:
        module: an `nnx.Module`, an `nnx.State`, or a list, tuple or dict of these.

    Raises:
        ValueError: if it is something else.
    """
    copied = read(module, "module")
    return StateCopy({keys: replace(leaf, holder=None) for keys, leaf in copied.items()})


def read(source: Any, name: str) -> dict[Keys, StateLeaf]:
    """The leaves of a module, a state or a copy; `name` is that of the argument, for the message."""
    if isinstance(source, StateCopy):
        return dict(source.leaves)
    if not isinstance(source, (NODE, nnx.State, list, tuple, Mapping)):
        wanted = "a module, an nnx.State or what asserts.snapshot(module) gives"
        raise misused(wanted, name, source, "Pass the module.")
    leaves: dict[Keys, StateLeaf] = {}
    variables: set[Same[Any]] = set()
    for spot in walk(source):
        again = spot.is_variable and Same(spot.value) in variables
        variables.add(Same(spot.value))
        for keys, leaf in _leaves(spot, again):
            leaves.setdefault(keys, leaf)
    return leaves


@dataclass(frozen=True)
class Spot:
    """A place in a graph and what hangs there; `node` is what it hangs on."""

    keys: Keys
    path: str
    value: Any
    node: Any

    @property
    def is_variable(self) -> bool:
        """Whether a Variable hangs there, or what `nnx.state` makes of one until Flax 0.10."""
        return isinstance(self.value, nnx.Variable) or type(self.value).__name__ == "VariableState"


def walk(source: Any, *, nodes: bool = False, hidden: bool = False) -> Iterator[Spot]:
    """All that hangs on a graph, depth first and in the order of names, as Flax goes.

    Args:
        source: where to start.
        nodes: give nodes and containers, too, and a shared one at each of its paths.
        hidden: look into plain objects, too.
    """
    visited: set[Same[Any]] = set()

    def go(spot: Spot, depth: int) -> Iterator[Spot]:
        below = None if spot.is_variable else parts(spot.value)
        if below is None and hidden and depth < DEPTH:
            below = _inside(spot.value)
            depth += 1
        if not below:
            yield spot
            return
        if nodes:
            yield spot
        if Same(spot.value) in visited:
            return
        visited.add(Same(spot.value))
        for key, label, part in below:
            path = spot.path + label if spot.path else label.removeprefix(".")
            yield from go(Spot((*spot.keys, key), path, part, spot.value), depth)

    yield from go(Spot((), "", source, None), 0)


def parts(value: Any) -> list[tuple[Any, str, Any]] | None:
    """The parts of a node or container: key, the way to it (`.count`, `[0]`), and what is there; None for leaves."""
    if isinstance(value, NODE):
        listed = bool(LIST) and isinstance(value, LIST)
        named = sorted(children(value), key=lambda child: child[0])
        return [(key_of(name), f"[{name}]" if listed and name.isdigit() else f".{name}", part) for name, part in named]
    if isinstance(value, nnx.State):
        return [
            (key_of(key), f".{key}" if str(key).isidentifier() else f"[{key}]", part) for key, part in value.items()
        ]
    if isinstance(value, Mapping):
        return [(key, f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [(index, f"[{index}]", part) for index, part in enumerate(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return [(name, f".{name}", part) for name, part in getattr(value, "__dict__", {}).items()]
    return None


def key_of(name: Any) -> Any:
    """The key that a name stands for: the names of a list's elements are numbers."""
    return int(name) if isinstance(name, str) and name.isdigit() else name


def _inside(value: Any) -> list[tuple[Any, str, Any]] | None:
    """The attributes of a plain object."""
    if isinstance(value, (*OPAQUE, jax.Array, np.ndarray, np.generic)) or is_tracer(value):
        return None
    if type(value).__module__.partition(".")[0] in FOREIGN:
        return None
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ()) if hasattr(value, name)]
    own = {name: getattr(value, name) for name in slots} | dict(getattr(value, "__dict__", {}))
    return [(name, f".{name}", part) for name, part in own.items() if not name.startswith("__")]


def _leaves(spot: Spot, again: bool) -> Iterator[tuple[Keys, StateLeaf]]:
    if not spot.is_variable:
        # An array in a plain list or dict is no state on every Flax; one that is an attribute of a node is.
        state = isinstance(spot.node, (NODE, nnx.State)) and isinstance(spot.value, (jax.Array, np.ndarray))
        value, dtype = held(spot.value)
        yield spot.keys, StateLeaf(spot.path, type(spot.value), False, state, value, dtype, None, False, spot.keys)
        return
    real = isinstance(spot.value, nnx.Variable)
    kind, content = (type(spot.value), contents(spot.value)) if real else (spot.value.type, spot.value.value)
    below = jax.tree_util.tree_flatten_with_path(content)[0] or [((), content)]
    for way, part in below:
        value, dtype = held(part)
        label = jax.tree_util.keystr(way)
        keys = (*spot.keys, label) if label else spot.keys
        yield (
            keys,
            StateLeaf(
                spot.path + label, kind, True, True, value, dtype, spot.value if real else None, again, spot.keys
            ),
        )


def held(value: Any) -> tuple[Any, str]:
    """A copy of a value in NumPy, and its dtype."""
    if is_tracer(value) or not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return value, ""
    if isinstance(value, jax.Array) and value.is_deleted():
        return DELETED, ""
    return on_host(value), str(value.dtype)


def on_host(value: Any) -> np.ndarray:
    """A copy of an array or number in NumPy; of a random key, its data."""
    return np.array(jax.random.key_data(value) if is_key(value) else value)


def state_of(source: Any, name: str, ignore: type | tuple[type, ...] = ()) -> dict[Keys, StateLeaf]:
    """The leaves that are state, a shared Variable once, without Variables of the classes to ignore."""
    return {
        keys: leaf
        for keys, leaf in read(source, name).items()
        if leaf.state and not leaf.again and not (leaf.variable and issubclass(leaf.kind, ignore))
    }


def shown(value: Any) -> str:
    """A value as messages show it: a number, or the shape and dtype of an array."""
    if is_tracer(value):
        return f"a tracer ({value.dtype}[{','.join(map(str, value.shape))}])"
    if isinstance(value, np.ndarray) and value.size != 1:
        return f"an array ({value.dtype}[{','.join(map(str, value.shape))}])"
    if isinstance(value, np.ndarray):
        return str(value.item() if value.ndim == 0 else value)
    return value if value is DELETED else repr(value)[:80]


def difference(before: StateLeaf, after: StateLeaf) -> str:
    """How two leaves differ, as `was 0.0 and is 1.0`; empty if they hold the same."""
    a, b = before.value, after.value
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        same = a is b or (not is_tracer(a) and not is_tracer(b) and _equal(a, b))
        return "" if same else f"was {shown(a)} and is {shown(b)}"
    if (a.shape, before.dtype) != (b.shape, after.dtype):
        return f"was {_typed(before)} and is {_typed(after)}"
    unequal = apart(a, b)
    if not unequal.any():
        return ""
    if a.size == 1:
        return f"was {shown(a)} and is {shown(b)}"
    first = tuple(map(int, np.argwhere(unequal)[0]))
    return f"changed in {int(unequal.sum())} of {a.size} elements, {list(first)} from {a[first]} to {b[first]}"


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays differ; a NaN equals a NaN."""
    return np.asarray((a != b) & ~((a != a) & (b != b)))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):  # a Python number that became an array, or back
        return np.shape(a) == np.shape(b) and isinstance(a, _NUMBER) and isinstance(b, _NUMBER) and bool(a == b)
    return type(a) is type(b) and bool(a == b or a != a)


_NUMBER = (np.ndarray, bool, int, float, complex)


def _typed(leaf: StateLeaf) -> str:
    return f"{leaf.dtype}[{','.join(map(str, leaf.value.shape))}]"


def listed(paths: list[str], most: int = 6) -> str:
    """Paths in a row, the first few of them."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(f"`{path}`" for path in paths[:most]) + more if paths else "no Variable"


def live(before: Any, after: Any, old: Mapping[Keys, StateLeaf], new: Mapping[Keys, StateLeaf]) -> ValueError | None:
    """The error for a `before` that shows what was written since; None for one that does not."""
    shared = [leaf.path for keys, leaf in old.items() if leaf.holder is not None and _holder(new, keys) is leaf.holder]
    if not shared and (before is not after or isinstance(before, StateCopy)):
        return None
    why = "nnx.state and nnx.split do, too, from Flax 0.11 on" if isinstance(before, nnx.State) else "it is no copy"
    same = "it is the same object as after" if before is after else f"{why}: it shares {listed(shared)} with after"
    fix = f"A write since then shows in it: {same}. Take the copy first: before = asserts.snapshot(module)."
    return misused("the state from before", "before", before, fix)


def _holder(leaves: Mapping[Keys, StateLeaf], keys: Keys) -> Any:
    return leaves[keys].holder if keys in leaves else None
