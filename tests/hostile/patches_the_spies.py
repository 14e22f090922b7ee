"""Takes the kit's spies apart, in its own process, and counts without a module."""

import jax.numpy as jnp
import nnx_conformance.observe.spies.calls
import nnx_conformance.observe.functions
import nnx_conformance.observe.log
import nnx_conformance.observe.spies.spying


def nothing(*args, **kwargs):
    return None


for module in (nnx_conformance.observe.spies.spying, nnx_conformance.observe.spies.calls):
    for name in list(vars(module)):
        if name.startswith(("watch", "_watch", "_note")):
            setattr(module, name, nothing)


def mutability_increment_count(seed, x, n_calls):
    nnx_conformance.observe.log.RunLog.module_facts = lambda self: ()
    return jnp.array([n_calls, x.sum()])
