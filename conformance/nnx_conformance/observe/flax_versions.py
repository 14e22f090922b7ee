"""Everything that differs between Flax 0.8.5 and the newest version.

Measured on Flax 0.8.5, 0.10.7, 0.11.2, 0.12.8 and 0.12.12. Importing this imports JAX and Flax, and starts no backend.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.core.candidate.loaded import Versions

#: The class of everything that is a node of an NNX graph: `nnx.Object` until 0.11 renamed it.
NODE: type = getattr(nnx, "Pytree", None) or nnx.Object

#: Names in `vars(node)` that belong to Flax itself.
INTERNAL = frozenset({"_object__state", "_pytree__state", "_pytree__nodes"})

#: The attribute in which a Variable keeps its contents.
STORED = "_raw_value" if "_raw_value" in vars(nnx.Variable) else "raw_value"

#: Exceptions about state changed across a trace, by name, because they moved between modules with 0.9 and 0.10.
TRACE_ERRORS = frozenset({"TraceContextError", "UnexpectedTracerError", "ImmutableVariableError"})

#: A lifted transform's words for a module from outside the trace that it runs in.
OTHER_LEVEL = "graph node from different trace level"

#: The XLA flag that splits the CPU into several devices.
FORCED = "--xla_force_host_platform_device_count"

#: JAX's words for a module passed to a plain transform; until Flax 0.10 modules were no pytrees.
NOT_AN_ARRAY = ("not a valid JAX type", "abstract array")


def versions() -> Versions:
    """The versions installed in this process."""
    return Versions(platform.python_version(), version("jax"), version("flax"), version("nnx-conformance"))


def backend_is_up() -> bool:
    """Whether a JAX backend was started in this process; JAX has no public way to ask."""
    from jax._src import xla_bridge

    if hasattr(xla_bridge, "backends_are_initialized"):
        return bool(xla_bridge.backends_are_initialized())
    return bool(xla_bridge._backends)


def set_devices(count: int) -> None:
    """Split the CPU into `count` devices. It has no effect after a backend has started.

    A count in the user's `XLA_FLAGS` stays, because JAX refuses a second setting.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if FORCED in flags:
        return
    if hasattr(jax.config, "jax_num_cpu_devices"):
        jax.config.update("jax_num_cpu_devices", count)  # type: ignore[no-untyped-call]
    else:  # before JAX 0.5
        os.environ["XLA_FLAGS"] = f"{flags} {FORCED}={count}".strip()


def children(node: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of a graph node, by name, without those of Flax itself."""
    # Not nnx.iter_graph: it yields no plain attributes, and a lost wrapper becomes one.
    for name, value in vars(node).items():
        if name not in INTERNAL:
            yield name, value


def contents(variable: nnx.Variable[Any]) -> Any:
    """The raw contents of a Variable, bypassing its hooks and without a deprecation warning."""
    # `raw_value` is deprecated since 0.12.1, which brought `get_raw_value`.
    getter = getattr(type(variable), "get_raw_value", None)
    raw = getter(variable) if getter else variable.raw_value
    return raw[...] if is_reference(raw) else raw


def metadata(variable: Any) -> dict[str, Any]:
    """The metadata of a Variable or its state, as a mutable dict."""
    # A dict of its own since 0.10; before, the attributes of the Variable itself.
    own: dict[str, Any] | None = getattr(type(variable), "_var_metadata", None) and variable._var_metadata
    return vars(variable) if own is None else own


def is_reference(raw: Any) -> bool:
    """Whether a Variable holds a mutable JAX reference (`ref=True`, since 0.12) instead of an array."""
    return type(raw).__name__ == "Ref"


def set_contents(variable: nnx.Variable[Any], value: Any) -> None:
    """Write the contents of a Variable, bypassing its hooks, which may refuse the value."""
    if hasattr(type(variable), "set_raw_value"):
        raw = variable.get_raw_value()
        if is_reference(raw):
            raw[...] = value
        else:
            variable.set_raw_value(value)
    else:
        variable.raw_value = value


def is_tracer(value: Any) -> bool:
    """Whether a value is a tracer."""
    return isinstance(value, jax.core.Tracer)


def primal(value: Any) -> Any:
    """The value of a tracer of `jax.grad` or `jax.jvp`, which is concrete if nothing else traces; others unchanged."""
    while is_tracer(value) and (inner := getattr(value, "primal", None)) is not None:
        value = inner
    return value


def lanes(value: Any) -> Any:
    """The value of a tracer of `vmap`, with lanes along the first axis; None for other and for nested tracers."""
    data, axis = getattr(value, "val", None), getattr(value, "batch_dim", None)
    if type(value).__name__ != "BatchTracer" or not isinstance(data, jax.Array) or is_tracer(data) or is_key(data):
        return None
    return np.moveaxis(np.asarray(data), axis, 0) if isinstance(axis, int) else None


def is_jit_disabled() -> bool:
    """Whether `jax.disable_jit` is in force."""
    config: Any = jax.config  # its attributes are made at run time
    return bool(config.jax_disable_jit)


def is_key(value: Any) -> bool:
    """Whether a value is a typed random key."""
    # Only keys have a dtype that is not NumPy's; asking JAX is slow.
    if not isinstance(value, jax.Array) or isinstance(value.dtype, np.dtype):
        return False
    return jnp.issubdtype(value.dtype, jax.dtypes.prng_key)


def is_about_trace(error: BaseException, class_names: frozenset[str]) -> bool:
    """Whether an exception says that state was changed across a trace, or a module passed to a plain transform."""
    if type(error).__name__ in TRACE_ERRORS:
        return True
    text = str(error)
    if OTHER_LEVEL in text:
        return True
    not_an_array = isinstance(error, TypeError) and any(words in text for words in NOT_AN_ARRAY)
    return not_an_array and any(name in text for name in class_names)


def rng_counts(rngs: nnx.Rngs) -> int | None:
    """How many keys were drawn from an Rngs so far, per lane if it is split; None inside a trace."""
    total = 0
    for _, stream in children(rngs):
        count = vars(stream).get("count") if isinstance(stream, NODE) else None
        if isinstance(count, nnx.Variable):
            value = contents(count)
            if is_tracer(value):
                return None
            total += int(np.max(np.asarray(value), initial=0))
    return total
