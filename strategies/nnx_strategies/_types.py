"""Strategies for annotations: `jax.Array`, keys, `nnx.Rngs`, and jaxtyping's arrays."""

from __future__ import annotations

import ast
import functools
import sys
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from ._arrays.arrays import arrays
from ._arrays.leaves import leaves
from ._arrays.lengths import lengths
from ._arrays.shapes import Shape, shapes
from ._keys import keys
from ._rngs import rngs

# Tried in this order, so that examples shrink to the first that an annotation allows.
_DTYPES = ("float32", "int32", "bool", "bfloat16", "float16", "int8", "uint32", "uint8", "int16", "uint16", "complex64")
_SIDE, _DIMS = 16, 2


def of_type(thing: Any) -> st.SearchStrategy[Any] | None:
    """The strategy for a type; None if the type is none of JAX, Flax NNX or jaxtyping. Imports JAX."""
    import jax

    if thing is getattr(jax, "Array", None):
        return arrays()
    if thing is getattr(jax.dtypes, "prng_key", None):
        return keys()
    nnx: Any = sys.modules.get("flax.nnx")
    if nnx is not None and thing is getattr(nnx, "Rngs", None):
        return rngs()
    jaxtyping: Any = sys.modules.get("jaxtyping")
    annotation = getattr(jaxtyping, "AbstractArray", None)
    if annotation is not None and isinstance(thing, type) and issubclass(thing, annotation):
        return _annotated(thing) if hasattr(thing, "dim_str") else None
    return None


def _annotated(thing: Any) -> st.SearchStrategy[Any] | None:
    """The arrays of a jaxtyping annotation; None for arrays of other libraries."""
    import jax

    host = thing.array_type is np.ndarray
    if not host and thing.array_type is not jax.Array:
        return None
    shape = _shape(thing.dim_str)
    names = thing.dtypes if isinstance(thing.dtypes, (tuple, list)) else _DTYPES[:3]
    if "prng_key" in names:
        return shape.flatmap(_keys)
    known = [name for name in _DTYPES if name in names] or [str(name) for name in names]
    dtype = st.sampled_from(known)
    return st.tuples(shape, dtype).flatmap(lambda drawn: leaves(shape=drawn[0], dtype=drawn[1], host=host))


def _keys(shape: Shape) -> st.SearchStrategy[Any]:
    def split(key: Any) -> Any:
        import jax

        return jax.random.split(key, shape) if shape else key

    return keys().map(split)


def _shape(dims: str) -> st.SearchStrategy[Shape]:
    """Shapes for `"batch 3 *rest"`; within a test case, a name always has the same size.

    Raises:
        InvalidArgument: while drawing, if a dimension is no number, name, or expression of names.
    """
    sides = [_sides(token) for token in dims.split()]
    return st.tuples(*sides).map(lambda drawn: sum(drawn, ()))


def _sides(token: str) -> st.SearchStrategy[Shape]:
    name = token.rpartition("=")[2]
    marks = name[: len(name) - len(name.lstrip("*#?_"))]
    name = name[len(marks) :]
    if token == "..." or "*" in marks:
        drawn = _rest(name) if name and "_" not in marks else _any_rest()
    elif name.isdigit():
        drawn = st.just((int(name),))
    elif not name or "_" in marks:
        drawn = _any_side().map(lambda side: (side,))
    else:
        drawn = _computed(name)
    if "#" not in marks:
        return drawn
    return st.tuples(drawn, st.booleans()).map(lambda both: (1,) * len(both[0]) if both[1] else both[0])


def _computed(text: str) -> st.SearchStrategy[Shape]:
    """One side: a name, or an expression of names such as `n+1`."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        raise _unknown(text) from None
    allowed = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Load, ast.Constant)
    if not all(isinstance(node, allowed) for node in ast.walk(tree)):
        raise _unknown(text)
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    code = compile(tree, text, "eval")

    def side(sizes: tuple[int, ...]) -> Shape:
        return (int(eval(code, {"__builtins__": {}}, dict(zip(names, sizes, strict=True)))),)

    return st.tuples(*map(_side, names)).map(side).filter(lambda shape: shape[0] >= 0)


def _unknown(text: str) -> InvalidArgument:
    return InvalidArgument(
        f"Expected dimensions that are numbers, names or computed from names but got dim={text!r} (type=str). "
        "Pass a strategy for this argument, such as arrays(shape=(3,))."
    )


@functools.cache
def _any_side() -> st.SearchStrategy[int]:
    return lengths(max_size=_SIDE)


@functools.cache
def _any_rest() -> st.SearchStrategy[Shape]:
    return shapes(max_dims=_DIMS, max_side=_SIDE // 2)


@functools.cache
def _side(name: str) -> st.SearchStrategy[int]:
    return st.shared(_any_side(), key=("nnx_strategies side", name))


@functools.cache
def _rest(name: str) -> st.SearchStrategy[Shape]:
    return st.shared(_any_rest(), key=("nnx_strategies sides", name))
