"""SHOULD checks on the edge domain: the invariants of the core domain, each check on one part."""

from __future__ import annotations

from nnx_conformance.contracts.checks import edge
from nnx_conformance.contracts.counter.calls import one_increment_per_call, output_unchanged
from nnx_conformance.contracts.counter.narrow import KEEP
from nnx_conformance.contracts.counter.reading import COUNT, INCREMENT, OUTPUT, RETURNS, SUM
from nnx_conformance.contracts.counter.results import count_equals_calls, returns_pair, sum_preserved, x_untouched

RESULT = (returns_pair, count_equals_calls, sum_preserved, x_untouched)
ALL = (*RESULT, one_increment_per_call, output_unchanged)
#: The consequences of a variable that only a call assigns.
UNBOUND = ("UnboundLocalError", "NameError", "AttributeError", "TypeError", SUM, RETURNS)
FLOAT = "Let the result be float32 whatever `x` is, `jnp.array([...], jnp.float32)`."

EDGES = (
    edge(
        "zero-calls",
        RESULT,
        requirement="With `n_calls` 0 the result is `[0, x.sum()]`, as the formula says.",
        remedy="Let `last_x` start as `x`.",
        wrong="for _ in range(int(n_calls)):\n    last_x = model(x)  # unbound when there is no call",
        right="last_x = x\nfor _ in range(int(n_calls)):\n    last_x = model(x)",
        fits=UNBOUND,
    ),
    edge(
        "many-calls",
        ALL,
        requirement="The invariants hold for 1,000 calls.",
        remedy="Loop instead of recursing, and keep the count in float32.",
        wrong="def again(n): return again(n - 1) if n else x  # recursion ends at 1,000",
        right="for _ in range(int(n_calls)):\n    last_x = model(x)",
        fits=("RecursionError",),
        remedies={COUNT: KEEP, INCREMENT: KEEP},
    ),
    edge(
        "empty-x",
        ALL,
        requirement="The invariants hold for an `x` without elements; its sum is 0.",
        remedy="Do not index into `x` or reduce it by `max` or `mean`.",
        wrong="first = x[0]",
        right="total = last_x.sum()",
        fits=("IndexError", "ValueError", "TypeError", "ZeroDivisionError", SUM, OUTPUT),
    ),
    edge(
        "non-finite-x",
        ALL,
        requirement="The invariants hold for NaN, infinities, -0.0 and subnormals.",
        remedy="Do not mask, clip or replace elements.",
        wrong="last_x = jnp.nan_to_num(last_x)",
        right="total = last_x.sum()",
        fits=(SUM, OUTPUT),
    ),
    edge(
        "other-dtypes",
        ALL,
        requirement="The invariants hold for float16, bfloat16, int32 and bool.",
        remedy="Do not cast `x`, and add it up with `.sum()`, which takes every dtype.",
        wrong="x = x.astype(jnp.float32)",
        right="last_x = model(x)",
        fits=("TypeError", SUM, OUTPUT),
        remedies={RETURNS: FLOAT, COUNT: FLOAT},
    ),
    edge(
        "long-x",
        ALL,
        requirement="The invariants hold for 100,000 elements.",
        remedy="Reduce with `jnp.sum`, not with a Python loop over the elements.",
        wrong="total = sum(float(value) for value in last_x)",
        right="total = last_x.sum()",
    ),
    edge(
        "any-seed",
        ALL,
        requirement="The invariants hold for negative seeds and seeds beyond 2**32.",
        remedy="Pass `int(seed)` to `nnx.Rngs` as it is.",
        wrong="assert 0 <= seed < 2**32",
        right="nnx.Rngs(int(seed))",
        fits=("OverflowError",),
    ),
    edge(
        "scalar-types",
        ALL,
        requirement="The invariants hold when `seed` and `n_calls` are ints, NumPy scalars or JAX scalars.",
        remedy="Convert with `int(...)` before use.",
        wrong="assert isinstance(n_calls, float)",
        right="for _ in range(int(n_calls)):",
        fits=("TypeError", "AssertionError", COUNT, INCREMENT),
    ),
)
