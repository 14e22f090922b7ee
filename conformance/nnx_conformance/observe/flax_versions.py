"""All that differs between Flax 0.8.5 and the newest, in one place.

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

#: Names that Flax itself keeps in `vars(node)`.
INTERNAL = frozenset({"_object__state", "_pytree__state", "_pytree__nodes"})

#: The attribute in which a Variable keeps its contents.
STORED = "_raw_value" if "_raw_value" in vars(nnx.Variable) else "raw_value"

#: Exceptions that say that state was touched across a trace. By name: they moved between modules with 0.9 and 0.10.
TRACE_ERRORS = frozenset({"TraceContextError", "UnexpectedTracerError", "ImmutableVariableError"})

#: How a lifted transform words it when it is given a module from outside the trace that it runs in.
OTHER_LEVEL = "graph node from different trace level"

#: The flag of XLA that makes several devices of the CPU.
FORCED = "--xla_force_host_platform_device_count"

#: How JAX words it when a module is given to a plain transform; until 0.10 modules were no pytrees.
NOT_AN_ARRAY = ("not a valid JAX type", "abstract array")


def versions() -> Versions:
    """The versions in this process."""
    return Versions(platform.python_version(), version("jax"), version("flax"), version("nnx-conformance"))


def backend_is_up() -> bool:
    """Whether a JAX backend was started in this process; JAX has no public way to ask."""
    from jax._src import xla_bridge

    if hasattr(xla_bridge, "backends_are_initialized"):
        return bool(xla_bridge.backends_are_initialized())
    return bool(xla_bridge._backends)


def set_devices(count: int) -> None:
    """Let the CPU be so many devices, once a backend starts; too late where one has started.

    JAX refuses two ways of saying so: what the user says in `XLA_FLAGS` stays.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if FORCED in flags:
        return
    if hasattr(jax.config, "jax_num_cpu_devices"):
        jax.config.update("jax_num_cpu_devices", count)  # type: ignore[no-untyped-call]
    else:  # before JAX 0.5
        os.environ["XLA_FLAGS"] = f"{flags} {FORCED}={count}".strip()


def children(node: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of a graph node, by name, without what Flax keeps there for itself."""
    # Not nnx.iter_graph: it yields no plain attributes, and a lost wrapper is one.
    for name, value in vars(node).items():
        if name not in INTERNAL:
            yield name, value


def contents(variable: nnx.Variable[Any]) -> Any:
    """The raw contents of a Variable, past its hooks and without a deprecation warning."""
    # `raw_value` is deprecated since 0.12.1, which brought `get_raw_value`.
    getter = getattr(type(variable), "get_raw_value", None)
    raw = getter(variable) if getter else variable.raw_value
    return raw[...] if is_reference(raw) else raw


def metadata(variable: Any) -> dict[str, Any]:
    """What a Variable, or its state, holds besides its contents; to be written to, too."""
    # A dict of its own since 0.10; before, the attributes of the Variable itself.
    held: dict[str, Any] | None = getattr(type(variable), "_var_metadata", None) and variable._var_metadata
    return vars(variable) if held is None else held


def is_reference(raw: Any) -> bool:
    """Whether a Variable holds a mutable JAX reference (`ref=True`, since 0.12) instead of an array."""
    return type(raw).__name__ == "Ref"


def set_contents(variable: nnx.Variable[Any], value: Any) -> None:
    """Write the contents of a Variable, past its hooks: they may refuse what is not their own."""
    if hasattr(type(variable), "set_raw_value"):
        raw = variable.get_raw_value()
        if is_reference(raw):
            raw[...] = value
        else:
            variable.set_raw_value(value)
    else:
        variable.raw_value = value


def is_tracer(value: Any) -> bool:
    """Whether a value stands for one that is only known when a traced computation runs."""
    return isinstance(value, jax.core.Tracer)


def primal(value: Any) -> Any:
    """What a tracer of a derivative stands for, which is known where nothing else traces; others as they are."""
    while is_tracer(value) and (inner := getattr(value, "primal", None)) is not None:
        value = inner
    return value


def lanes(value: Any) -> Any:
    """What a tracer of `vmap` stands for, the lanes along the first axis; None for other tracers, and inside others."""
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
    # What is no key has a dtype of NumPy's; asking JAX about it takes long.
    if not isinstance(value, jax.Array) or isinstance(value.dtype, np.dtype):
        return False
    return jnp.issubdtype(value.dtype, jax.dtypes.prng_key)


def is_about_trace(error: BaseException, class_names: frozenset[str]) -> bool:
    """Whether an exception says that a module's state was touched across a trace, or given to a plain transform."""
    if type(error).__name__ in TRACE_ERRORS:
        return True
    text = str(error)
    if OTHER_LEVEL in text:
        return True
    given = isinstance(error, TypeError) and any(words in text for words in NOT_AN_ARRAY)
    return given and any(name in text for name in class_names)


def rng_counts(rngs: nnx.Rngs) -> int | None:
    """How many keys were drawn from an Rngs so far, in each lane of one that is split; None inside a trace."""
    total = 0
    for _, stream in children(rngs):
        count = vars(stream).get("count") if isinstance(stream, NODE) else None
        if isinstance(count, nnx.Variable):
            value = contents(count)
            if is_tracer(value):
                return None
            total += int(np.max(np.asarray(value), initial=0))
    return total
