"""The assertions of scripts, in plain Flax. Scripts of findings contain these functions.

Each `..._holds(before, after)` compares two results of `look` and returns what is wrong, or an empty text.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def look(module: Any) -> dict[str, Any]:
    """The Variables of a module by path: their classes, and copies of their contents."""
    return {path: (type(value), [numbers(leaf) for leaf in inside(value)]) for path, value in variables(module).items()}


def variables(module: Any) -> dict[str, Any]:
    """The Variables of a module by path: those that Flax sees, and those that hang on plain objects in it."""
    # In tree mode `nnx.iter_graph` refuses what is shared.
    iter_graph = getattr(getattr(nnx, "compat", None), "iter_graph", nnx.iter_graph)
    found = dict(iter_graph(module))
    for path, node in list(found.items()):
        for name, plain in vars(node).items() if isinstance(node, nnx.Module) else ():
            parts = {} if callable(plain) else getattr(plain, "__dict__", {})
            for below, part in parts.items():
                inner = dict(iter_graph(part)) if isinstance(part, (nnx.Module, nnx.Variable)) else {}
                found |= {(*path, name, below, *rest): value for rest, value in inner.items()}
    return {"/".join(map(str, path)): value for path, value in found.items() if isinstance(value, nnx.Variable)}


def inside(variable: Any) -> list[Any]:
    """The leaves of what a Variable holds."""
    return jax.tree.leaves(variable.get_raw_value() if hasattr(variable, "get_raw_value") else variable.raw_value)


def numbers(leaf: Any) -> Any:
    """A copy of an array; of a random key, its data; a tracer as it is."""
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return leaf if isinstance(leaf, jax.core.Tracer) else np.array(leaf)


def same(got: Any, wanted: Any, rtol: float, atol: float) -> str:
    """What differs between the leaves of two pytrees; empty if they agree."""
    mine, others = jax.tree.leaves(got), jax.tree.leaves(wanted)
    if len(mine) != len(others):
        return f"{len(mine)} leaves instead of {len(others)}"
    for one, other in zip(map(numbers, mine), map(numbers, others), strict=True):
        if isinstance(one, jax.core.Tracer):
            return "it holds a tracer"
        size = np.max(np.abs(other), initial=0) if other.dtype.kind in "fc" else 0
        if one.shape != other.shape or not np.allclose(one, other, rtol, atol + rtol * size, equal_nan=True):
            return f"{one} instead of {other}"
    return ""


def agree(module: Any, got: Any, twin: Any, wanted: Any, rtol: float, atol: float) -> str:
    """In what a module, and what it returned, differ from its twin; empty if they agree."""
    if wrong := same(got, wanted, rtol, atol):
        return f"the outputs differ: {wrong}"
    mine, others = look(module), look(twin)
    if mine.keys() != others.keys():
        return f"one has the Variables {sorted(mine)}, the other {sorted(others)}"
    for path, (kind, held) in mine.items():
        within = (0.0, 0.0) if issubclass(kind, nnx.RngState) else (rtol, atol)
        if kind is not others[path][0] or (wrong := same(held, others[path][1], *within)):
            return f"the state {path} differs: {wrong}"
    return tracers(module)


def tracers(module: Any) -> str:
    """Where a tracer is left, in attributes of modules and their classes, and what hangs on these; empty if nowhere."""
    found, todo, seen = "", [("module", module)], {}
    while todo and not found:
        name, value = todo.pop()
        if isinstance(value, jax.core.Tracer):
            found = f"{name} holds a tracer"
        elif id(value) not in seen:
            seen[id(value)] = value  # kept alive: the id of an object that is freed may come back
            below = dict(enumerate(value)) if isinstance(value, (list, tuple)) else value
            below = below if isinstance(below, dict) else getattr(value, "__dict__", {})
            inner = below.items() if not callable(value) or isinstance(value, nnx.Module) else ()
            todo += [(f"{name}.{key}", part) for key, part in inner]
            classes = type(value).__mro__ if isinstance(value, nnx.Module) else ()
            todo += [(f"{cls.__name__}.{key}", part) for cls in classes for key, part in vars(cls).items()]
    return found


def untouched(given: Any, wanted: Any) -> str:
    """What a call did to its inputs; empty if nothing."""
    if any(isinstance(leaf, jax.Array) and leaf.is_deleted() for leaf in jax.tree.leaves(given)):
        return "an input was deleted"
    return f"an input was changed: {wrong}" if (wrong := same(given, wanted, 0.0, 0.0)) else ""


def streams_agree(module: Any, twin: Any) -> str:
    """Which random stream stands elsewhere than that of the twin; empty if none does."""
    others = {path: held for path, (kind, held) in look(twin).items() if issubclass(kind, nnx.RngState)}
    mine = {path: held for path, (_, held) in look(module).items() if path in others}
    wrong = [path for path, held in mine.items() if same(held, others[path], 0.0, 0.0)]
    return f"the stream {wrong[0]} did not advance as in plain Python" if wrong else ""


def wrapper_kept_holds(before: dict[str, Any], after: dict[str, Any]) -> str:
    gone = sorted(before.keys() - after.keys())
    return f"{gone[0]} is no Variable any more" if gone else ""


def typed(module: Any) -> dict[str, Any]:
    """Of what each Variable of a module holds, by path, the dtype, shape and weak type; None for a Python number."""
    return {path: [described(leaf) for leaf in inside(value)] for path, value in variables(module).items()}


def abstractly(shapes: Any, outputs: Any, made: Any, module: Any) -> str:
    """In what `nnx.eval_shape` differs from a call and from a module that is made; empty if in nothing."""
    got, wanted = ([described(leaf) for leaf in jax.tree.leaves(value)] for value in (shapes, outputs))
    if len(got) != len(wanted) or any(one != other for one, other in zip(got, wanted, strict=True) if other):
        return f"the call returns {wanted}, and abstractly {got}"
    mine, others = typed(made), typed(module)
    wrong = [path for path in {**mine, **others} if mine.get(path) != others.get(path) and others.get(path) != [None]]
    return f"{wrong[0]} is {others.get(wrong[0])}, and abstractly {mine.get(wrong[0])}" if wrong else ""


def described(leaf: Any) -> tuple[str, tuple[int, ...], bool] | None:
    """The dtype, shape and weak type of an array."""
    weak = bool(getattr(leaf, "weak_type", False))
    return (str(leaf.dtype), leaf.shape, weak) if hasattr(leaf, "dtype") else None


def structure_stable_holds(before: dict[str, Any], after: dict[str, Any], first: bool = False) -> str:
    """Both are what `typed` saw; a first call may add state, and make a weak type strong."""
    if before.keys() - after.keys() or (after.keys() - before.keys() and not first):
        return f"the Variables were {sorted(before)}, and are {sorted(after)}"
    for path, held in before.items():
        pairs = list(zip(held, after[path], strict=False))
        changed = [(was, now) for was, now in pairs if was and now and was[: 3 - first] != now[: 3 - first]]
        if changed or (len(held) != len(after[path]) and not first):
            return f"{path} was {held}, and is {after[path]}"
    return ""


def moved(before: dict[str, Any], after: dict[str, Any], path: str) -> str:
    """Whether a call wrote to a Variable; else that it did not."""
    return f"{path} stayed as it was" if not same(after[path][1], before[path][1], 0.0, 0.0) else ""


def trained(gradients: Any, path: str) -> str:
    """Whether outputs have a gradient by a Param; else that it is zero."""
    found = {}
    for way, leaf in jax.tree_util.tree_flatten_with_path(gradients)[0]:
        names = (getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))) for key in way)
        found["/".join(map(str, names))] = leaf
    mine = [leaf for name, leaf in found.items() if f"{name}/".startswith(f"{path}/")]
    return f"the gradient by {path} is zero" if not any(np.any(numbers(leaf)) for leaf in mine) else ""


def params_untouched_holds(before: dict[str, Any], after: dict[str, Any]) -> str:
    params = [path for path, (kind, _) in after.items() if issubclass(kind, nnx.Param) and path in before]
    changed = [path for path in params if same(after[path][1], before[path][1], 0.0, 0.0)]
    return f"a call changed the Param {changed[0]}" if changed else ""


def no_growth_holds(before: dict[str, Any], after: dict[str, Any]) -> str:
    was, now = (sum(leaf.size for _, held in seen.values() for leaf in held) for seen in (before, after))
    return f"the state grew from {was} numbers to {now}" if now > was else ""


def eval_frozen_holds(before: dict[str, Any], after: dict[str, Any], first: bool = False) -> str:
    """A first call may add state, and each call may move a random stream."""
    new = after.keys() - before.keys() if not first else ()
    kept = {path: held for path, (kind, held) in after.items() if path in before and not streams(kind, held)}
    changed = [path for path, held in kept.items() if same(held, before[path][1], 0.0, 0.0)]
    return f"in eval mode, {[*changed, *sorted(new)][0]} changed" if changed or new else ""


def streams(kind: Any, held: list[Any]) -> bool:
    """Whether a Variable belongs to a random stream, or may hold keys."""
    words = [leaf for leaf in held if leaf.dtype == np.uint32 and leaf.ndim]
    return issubclass(kind, nnx.RngState) or any(leaf.shape[-1] in (2, 4) for leaf in words)
