"""The laws of going on with the same module in another way: a deep copy, a pickle, a pytree, inputs that are lent."""

from __future__ import annotations

from nnx_conformance.contracts.module_laws.laws.agreements import agreement, compared, comparing
from nnx_conformance.contracts.module_laws.laws.law import law
from nnx_conformance.core.contract import SHOULD, Check

pickles = law(
    id="pickles",
    claims=comparing("pickles"),
    level=SHOULD,
    core=False,
    requirement="A module that went through `pickle`, or `cloudpickle` where that is installed, continues as the "
    "original.",
    remedy="Keep importable functions instead of lambdas and compiled ones, and no locks or open "
    "files; or choose in `__getstate__` what to pickle.",
    wrong="self.activation = lambda x: x * nnx.sigmoid(x)  # cannot be pickled",
    right="self.activation = swish  # a function of this file",
)(agreement("pickles"))


CHECKS: tuple[Check, ...] = (
    compared(
        "state-owned",
        "What the caller writes into a NumPy input after the call changes neither the state nor later outputs.",
        "Copy what is kept: `jnp.array(x)`, not `x` itself, `jnp.asarray(x)` or `jax.device_put(x)`, which may share "
        "its memory.",
        "self.last[...] = x  # the caller's buffer, if x is a NumPy array",
        "self.last[...] = jnp.array(x)",
    ),
    compared(
        "pytree-agrees",
        "As a pytree, the module continues as it does in plain Python: through `jax.tree.map`, and passed to and "
        "returned from a function under plain `jax.jit`.",
        "Hold all that a call changes in Variables, and arrays and modules in attributes, `nnx.List` and `nnx.Dict`, "
        "where Flax finds them.",
        "self.box = Box(nnx.Variable(jnp.zeros(())))  # JAX does not look into a plain object",
        "self.count = nnx.Variable(jnp.zeros(()))",
    ),
    compared(
        "deepcopy-agrees",
        "A `copy.deepcopy` continues as the original, and mutating one leaves the other alone.",
        "Keep state in Variables that are attributes; a table at module level, keyed by `id(self)`, knows no copy.",
        "COUNTS[id(self)] += 1",
        "self.count[...] = self.count[...] + 1",
    ),
    pickles,
)
