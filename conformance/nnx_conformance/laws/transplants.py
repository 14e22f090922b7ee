"""Moving state between modules of the same structure, Variable by Variable, past all that Flax's own ways may do."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import contents, is_key, set_contents
from nnx_conformance.laws.snapshots import arrays, nodes, variables


def transplant(module: Any, other: Any, *, keys: bool = True, only: type = object) -> None:
    """Write the state of one module into another; `keys`: that of random streams too.

    Raises:
        ValueError: if they do not have the same Variables.
    """
    mine, others = variables(module), variables(other)
    if mine.keys() != others.keys():
        odd = ", ".join(sorted(mine.keys() ^ others.keys()))
        raise ValueError(f"two modules that were made alike have not the same Variables: {odd}")
    for path, variable in others.items():
        if isinstance(variable, only) and (keys or not (is_random(mine[path]) or holds_raw_keys(mine[path]))):
            set_contents(variable, jax.tree.map(_copied, contents(mine[path])))
    if only is object:
        for path, (node, name) in arrays(other).items():
            if path in (found := arrays(module)):
                setattr(node, name, _copied(getattr(*found[path])))


def is_random(variable: nnx.Variable[Any]) -> bool:
    """Whether a Variable is part of a random stream, or holds a key."""
    return isinstance(variable, nnx.RngState) or any(map(is_key, jax.tree.leaves(contents(variable))))


def holds_raw_keys(variable: nnx.Variable[Any]) -> bool:
    """Whether a Variable may hold keys as JAX had them before typed ones: words of 32 bits."""
    return any(
        jnp.ndim(leaf) > 0 and jnp.shape(leaf)[-1] in (2, 4) and jnp.result_type(leaf) == jnp.uint32
        for leaf in jax.tree.leaves(contents(variable))
        if not is_key(leaf)
    )


def _copied(value: Any) -> Any:
    return np.array(value) if isinstance(value, np.ndarray) else value


def shared(module: Any, other: Any) -> list[str]:
    """The Variables that two modules have in common, and those that are attributes of their classes."""
    others = {id(variable) for variable in variables(other).values()}
    found = [path for path, variable in variables(module).items() if id(variable) in others]
    for _, node in nodes(module):
        for cls in type(node).__mro__:
            held = [name for name, value in vars(cls).items() if isinstance(value, nnx.Variable)]
            found += [f"{cls.__name__}.{name} (an attribute of the class)" for name in held]
    return list(dict.fromkeys(found))
