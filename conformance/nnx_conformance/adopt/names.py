"""The name under which a program finds an object that it can import."""

from __future__ import annotations

import os
import sys
from typing import Any

from nnx_conformance.adopt.arrays import NotWritable
from nnx_conformance.adopt.records import Expression, spoken

#: Where functions that live in private modules are to be imported from.
PUBLIC = ("jax.nn", "jax.numpy", "jax.lax", "jax.nn.initializers", "flax.nnx", "flax.nnx.initializers", "jax")
#: How modules are called once they are imported, and what is imported for it.
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
    """The name under which a program finds this very object; None if there is none."""
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
    """How a program that imports a module names what it finds there."""
    if module == "builtins":
        return Expression(name, shape=name, flags=name)
    module = main_name() if module == "__main__" else module
    alias, imported = ALIASES.get(module, (spoken(module), module))
    return Expression(f"{alias}.{name}", frozenset({imported}), shape=name, flags=f"{alias}.{name}")


def main_name() -> str:
    """The name under which the script that runs can be imported.

    Raises:
        NotWritable: if it has none.
    """
    stem, end = os.path.splitext(os.path.basename(getattr(sys.modules["__main__"], "__file__", None) or ""))
    if end != ".py" or "." in stem:
        raise NotWritable("something that the running script defines, which has no name to import it by")
    return stem


def lookup(module: str, name: str) -> Any:
    """What a module that is imported already calls so; None if nothing."""
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
