"""SHOULD checks on the edge domain: the same invariants, each on one part of it."""

from __future__ import annotations

from collections.abc import Callable

from nnx_conformance.case import Case
from nnx_conformance.contract import SHOULD, Blocked, Check, Judge, Judgement, Violation
from nnx_conformance.contracts.mutability.calls import one_increment_per_call, output_unchanged
from nnx_conformance.contracts.mutability.evidence import culprit
from nnx_conformance.contracts.mutability.results import (
    count_equals_calls,
    returns_pair,
    sum_preserved,
)
from nnx_conformance.contracts.mutability.runs import input_untouched
from nnx_conformance.observation import Observation

RESULT = (returns_pair, count_equals_calls, sum_preserved, input_untouched)
ALL = (*RESULT, one_increment_per_call, output_unchanged)


def invariants(checks: tuple[Check, ...], blamed: Callable[[Observation], str] = culprit) -> Judge:
    """A judge of several checks at once; `blamed` tells the check that a run breaks that raised."""

    def judge(case: Case, seen: Observation) -> Judgement:
        for invariant in checks:
            found = invariant.judge(case, seen)
            if isinstance(found, Violation):
                # Broken on the core domain already, it is no news here.
                return Violation(
                    f"{invariant.id}: {found.what}",
                    found.expected,
                    found.observed,
                    found.line,
                    found.cause,
                    symptom_of=(invariant.id, *found.symptom_of),
                )
        by = blamed(seen)
        return Blocked(by) if by else None

    return judge


def _edge(name: str, requirement: str, remedy: str, wrong: str, right: str, checks: tuple[Check, ...] = ALL) -> Check:
    return Check(name, SHOULD, requirement, remedy, invariants(checks), wrong, right, domain=name)


CHECKS = (
    _edge(
        "zero-calls",
        "With `n_calls` 0 the result is `[0, x.sum()]`, as the formula says.",
        "Let `last_x` start as `x`.",
        "for _ in range(int(n_calls)):\n    last_x = model(x)  # unbound when there is no call",
        "last_x = x\nfor _ in range(int(n_calls)):\n    last_x = model(x)",
        checks=RESULT,
    ),
    _edge(
        "many-calls",
        "The invariants hold for 1,000 calls.",
        "Loop instead of recursing, and keep the count in float32: bfloat16 stops at 256, float16 at 2048, "
        "int8 wraps around after 127.",
        "def again(n): return again(n - 1) if n else x  # recursion ends at 1,000",
        "for _ in range(int(n_calls)):\n    last_x = model(x)",
    ),
    _edge(
        "empty-x",
        "The invariants hold for an `x` without elements; its sum is 0.",
        "Do not index into `x` or reduce it by `max` or `mean`.",
        "first = x[0]",
        "total = last_x.sum()",
    ),
    _edge(
        "non-finite-x",
        "The invariants hold for NaN, infinities, -0.0 and subnormals.",
        "Do not mask, clip or replace elements.",
        "last_x = jnp.nan_to_num(last_x)",
        "total = last_x.sum()",
    ),
    _edge(
        "other-dtypes",
        "The invariants hold for float16, bfloat16, int32 and bool.",
        "Do not cast `x`, and add it up with `.sum()`, which takes every dtype.",
        "x = x.astype(jnp.float32)",
        "last_x = model(x)",
    ),
    _edge(
        "long-x",
        "The invariants hold for 100,000 elements.",
        "Reduce with `jnp.sum`, not with a Python loop over the elements.",
        "total = sum(float(value) for value in last_x)",
        "total = last_x.sum()",
    ),
    _edge(
        "any-seed",
        "The invariants hold for negative seeds and seeds beyond 2**32.",
        "Pass `int(seed)` to `nnx.Rngs` as it is.",
        "assert 0 <= seed < 2**32",
        "nnx.Rngs(int(seed))",
    ),
    _edge(
        "scalar-types",
        "The invariants hold when `seed` and `n_calls` are ints, NumPy scalars or JAX scalars.",
        "Convert with `int(...)` before use.",
        "assert isinstance(n_calls, float)",
        "for _ in range(int(n_calls)):",
    ),
)
