"""chex asserts what holds.

NumPy screens what a check compares on each case, its claims, because an assertion of chex takes 0.2 to 0.4 ms. chex
then asserts the claims of many cases at once, as joined arrays. So chex has asserted every value that a report calls
held, and a check whose screen lets something through is violated all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import Check, Judgement, Violation, judged
from nnx_conformance.core.errors import KitError
from nnx_conformance.judging.tally import Tally

#: Claims that wait to be asserted together, at most, so that memory does not grow with the number of cases.
TOGETHER = 256
#: In place of a bound of 0: nothing but 0 is as near as that.
TINY = np.finfo(np.float64).tiny


def asserted(check: Check, case: Case, reading: Any) -> Judgement:
    """The judgement of a check on one case, once chex has asserted its claims."""
    judgement, claims, _ = judged(check, case, reading)
    return _refuted(words) if judgement is None and (words := wording(claims)) else judgement


def settle(tally: Tally) -> None:
    """Assert the waiting claims of a tally; those that chex refutes violate the check.

    Raises:
        KitError: if chex refutes the claims together and none of them alone.
    """
    waiting, tally.claims = tally.claims, []
    if not waiting or not (words := wording(claim for _, claims in waiting for claim in claims)):
        return
    refuted = [(request, alone) for request, claims in waiting if (alone := wording(claims))]
    if not refuted:
        raise KitError(f"chex refutes together what it asserts of each case of {tally.check.id}: {words}")
    for request, alone in refuted:
        tally.refute(request, _refuted(alone))


def _refuted(words: str) -> Violation:
    return Violation(f"chex: {' '.join(words.split())}")


def wording(claims: Iterable[Claim]) -> str:
    """chex's words for the claims that fail; empty if all hold."""
    try:
        _assert(list(claims))
    except AssertionError as error:
        return str(error)
    return ""


def _assert(claims: list[Claim]) -> None:
    """Assert claims together: names as lists, the arrays of one dtype joined.

    Raises:
        AssertionError: in chex's words.
    """
    import chex  # here, as it imports JAX: the command line starts without

    texts = [claim for claim in claims if isinstance(claim.actual, tuple) or isinstance(claim.desired, tuple)]
    if texts:
        chex.assert_equal([claim.actual for claim in texts], [claim.desired for claim in texts])
    equal, close = dict[Any, list[Claim]](), list[Claim]()
    for claim in claims:
        if not isinstance(claim.actual, tuple) and not isinstance(claim.desired, tuple):
            (close if claim.bound is not None else equal.setdefault(claim.actual.dtype, [])).append(claim)
    for alike in equal.values():
        actual, desired = [claim.actual for claim in alike], [claim.desired for claim in alike]
        chex.assert_trees_all_equal_shapes_and_dtypes(actual, desired)
        chex.assert_trees_all_equal(_joined(actual), _joined(desired))
    if not close:
        return
    actual, desired = [claim.actual for claim in close], [claim.desired for claim in close]
    chex.assert_trees_all_equal_shapes(actual, desired)
    bound = _joined([np.broadcast_to(np.asarray(claim.bound), np.shape(claim.actual)) for claim in close])
    actual, desired = _joined(actual), _joined(desired)
    if len(set(bound)) == 1:
        chex.assert_trees_all_close(actual, desired, rtol=0, atol=bound[0])
    else:  # chex takes one tolerance: each number is measured by its own
        finite = np.isfinite(desired) & np.isfinite(actual)
        chex.assert_trees_all_equal(actual[~finite], desired[~finite])
        distance = np.abs(actual[finite] - desired[finite]) / np.maximum(bound[finite], TINY)
        chex.assert_trees_all_close(distance, np.zeros_like(distance), rtol=0, atol=1)


def _joined(arrays: list[Any]) -> Any:
    """The numbers of several arrays, concatenated."""
    return np.concatenate([array.ravel() for array in arrays])
