"""`parametrize_with_checks`: a test for each implementation and check. Imports no JAX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.subject import Subject, is_candidate, object_name, written
from nnx_conformance.core.errors import expected, suggestion

if TYPE_CHECKING:
    import pytest

CandidateLike = str | Callable[..., Any] | Mapping[str, Any] | Subject


def parametrize_with_checks(contract: str, candidates: Iterable[CandidateLike]) -> pytest.MarkDecorator:
    """Make a test of every check of a contract for every candidate::

        @nnx_conformance.parametrize_with_checks("mutability", [impl_a, impl_b])
        def test_they_conform(candidate, check):
            check(candidate)

    Each candidate is judged once, whatever the number of its tests. A violated SHOULD check warns (`AdviceWarning`), or
    fails under `--nnx-strict`; a waived one is expected to fail; one that is blocked is skipped.

    Args:
        contract: the name of an installed contract.
        candidates: functions (or subjects, for `module-laws`), judged in the process of the tests, or targets, judged
            in processes of their own; one at least.

    Returns:
        The decorator of a test that takes `candidate` and `check`.

    Raises:
        Misuse: if an argument is not of this form.
    """
    import pytest

    if contract not in contracts.names():
        fix = suggestion(str(contract), contracts.names())
        raise expected("the name of an installed contract", "contract", contract, fix)
    if isinstance(candidates, str) or not isinstance(candidates, Iterable):
        raise expected("a list of candidates", "candidates", candidates, "Write `[implementation]`.")
    listed = tuple(candidates)
    if not listed:
        raise expected("one candidate at least", "candidates", listed, "Without one, nothing would be judged.")
    for candidate in listed:
        if not is_candidate(candidate) and not isinstance(candidate, str):
            raise expected("a function or a target", "candidate", candidate, "Pass the function itself.")
    return pytest.mark.nnx_conformance(contract, listed)


def module_name(candidate: Any) -> str:
    """The target of a Python object, `module:name`, by which waivers name it."""
    name, candidate = object_name(candidate), written(candidate)
    return f"{getattr(candidate, '__module__', None) or '?'}:{name}"


def ids_of(candidates: Sequence[CandidateLike]) -> list[str]:
    """The names of candidates in test ids: short, with modules if only these make them distinct, otherwise numbered."""
    short = [_short(candidate) for candidate in candidates]
    names = [each if isinstance(each, str) else module_name(each) for each in candidates]
    chosen = names if len(set(names)) == len(names) > len(set(short)) else short
    counts = Counter[str]()
    ids = []
    for name in chosen:
        counts[name] += 1
        ids.append(name if counts[name] == 1 else f"{name}-{counts[name]}")
    return ids


def _short(candidate: CandidateLike) -> str:
    """A name without its module and enclosing function; `lambda` for a lambda in a test."""
    if isinstance(candidate, str):
        return candidate
    name = module_name(candidate).partition(":")[2]
    return name.rpartition("<locals>.")[2].replace("<lambda>", "lambda")
