"""All that the author of a contract imports: contracts, checks, what they say of a case, and what they read."""

from nnx_conformance.core import case
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, another, at_most, near, same_bits, same_numbers
from nnx_conformance.core.contract import (
    CORE,
    MUST,
    SHOULD,
    Blocked,
    Check,
    Contract,
    Judgement,
    Need,
    NotApplicable,
    Unseen,
    Violation,
    check,
)
from nnx_conformance.core.facts import Facts
from nnx_conformance.core.observer import COMPILED_FUNCTIONS, FRAMEWORKS, FUNCTIONS, LIFTED, Observer
from nnx_conformance.core.plan import AGAIN, OUTPUTS, SHIFTS
from nnx_conformance.core.search.components import Array, Components, Real, Whole
from nnx_conformance.core.search.domain import Domain, Part
from nnx_conformance.core.timeline import Timeline, main_calls, numbers

__all__ = [
    "AGAIN",
    "COMPILED_FUNCTIONS",
    "CORE",
    "FRAMEWORKS",
    "FUNCTIONS",
    "LIFTED",
    "MUST",
    "OUTPUTS",
    "SHIFTS",
    "SHOULD",
    "Array",
    "Blocked",
    "Case",
    "Check",
    "Claim",
    "Components",
    "Contract",
    "Domain",
    "Facts",
    "Judgement",
    "Need",
    "NotApplicable",
    "Observer",
    "Part",
    "Real",
    "Timeline",
    "Unseen",
    "Violation",
    "Whole",
    "another",
    "at_most",
    "case",
    "check",
    "main_calls",
    "near",
    "numbers",
    "same_bits",
    "same_numbers",
]
