"""The names by which a program can import an object."""

from __future__ import annotations

import os
import sys
from typing import Any

from nnx_conformance.adopt.arrays import NotWritable
from nnx_conformance.adopt.records import Expression, identifier

#: Public modules that export functions of private ones.
PUBLIC = ("jax.nn", "jax.numpy", "jax.lax", "jax.nn.initializers", "flax.nnx", "flax.nnx.initializers", "jax")
#: For each module, its name in the code, and the module to import for that.
ALIASES = {
    "flax.nnx": ("nnx", "flax.nnx"),
    "flax.nnx.initializers": ("nnx.initializers", "flax.nnx"),
    "jax.numpy": ("jnp", "jax.numpy"),
    "jax.nn": ("jax.nn", "jax"),
    "jax.lax": ("jax.lax", "jax"),
    "jax.nn.initializers": ("jax.nn.initializers", "jax"),
    "numpy": ("np", "numpy"),
}


def importable(value: Any) -> Expression | None:
    """The name by which a program imports exactly this object; None if there is none."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None)
    if not isinstance(name, str) or not isinstance(module, str) or "<" in name:
        return None
    private = any(part.startswith("_") and part != "__main__" for part in module.split("."))
    for home in (*PUBLIC, module) if private or module.startswith("flax.") else (module, *PUBLIC):
        if lookup(home, name) is value:
            return reference(home, name)
    return None


def reference(module: str, name: str) -> Expression:
    """The expression for a name in a module that a program imports."""
    if module == "builtins":
        return Expression(name, shape=name, flags=name)
    module = main_name() if module == "__main__" else module
    alias, imported = ALIASES.get(module, (identifier(module), module))
    return Expression(f"{alias}.{name}", frozenset({imported}), shape=name, flags=f"{alias}.{name}")


def main_name() -> str:
    """The name by which the running script can be imported.

    Raises:
        NotWritable: if there is none.
    """
    stem, end = os.path.splitext(os.path.basename(getattr(sys.modules["__main__"], "__file__", None) or ""))
    if end != ".py" or "." in stem:
        raise NotWritable("something that the running script defines, which has no name to import it by")
    return stem


def lookup(module: str, name: str) -> Any:
    """The object with this name in an imported module; None if there is none."""
    value = sys.modules.get(module)
    for part in name.split("."):
        value = getattr(value, part, None)
    return value
