"""Takes the kit's spies apart, in its own process, and counts without a module."""

import jax.numpy as jnp
import nnx_conformance.classes
import nnx_conformance.observe
import nnx_conformance.probe
import nnx_conformance.record
import nnx_conformance.spies


def nothing(*args, **kwargs):
    return None


for module in (nnx_conformance.spies, nnx_conformance.classes):
    for name in list(vars(module)):
        if name.startswith("_watch") or name.startswith("_note"):
            setattr(module, name, nothing)


def mutability_increment_count(seed, x, n_calls):
    nnx_conformance.record.Record.module_facts = lambda self: ()
    return jnp.array([n_calls, x.sum()])
