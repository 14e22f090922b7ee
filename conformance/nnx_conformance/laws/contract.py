"""The contract itself."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import Contract
from nnx_conformance.laws import advice, agreements, keeping, places, training
from nnx_conformance.laws.agreements import CALLS
from nnx_conformance.laws.differences import HIDDEN
from nnx_conformance.laws.domains import DOMAINS
from nnx_conformance.laws.language import ARGUMENTS
from nnx_conformance.laws.observing import SUBJECTS
from nnx_conformance.laws.scripting import script
from nnx_conformance.laws.searching import EXPLORATION

#: In the order of the specification, which is the order of reports.
ORDER = (  # noqa: SIM905 - one word after the other reads better than a list
    "wrapper-kept structure-stable params-untouched calls-return jit-agrees split-merge-agrees clone-independent "
    "checkpoint-resumes scan-agrees vmap-agrees grad-clean remat-agrees cond-agrees optimizer-safe rng-advances "
    "rng-reproducible eval-frozen instances-independent input-untouched no-hidden-state no-growth state-precision "
    "current-access state-moves"
).split()
_checks = {check.id: check for module in (keeping, agreements, places, training, advice) for check in module.CHECKS}


def _length(case: Case) -> int:
    return len(case["program"])


CONTRACT = Contract(
    name="module-laws",
    title="What every stateful nnx.Module owes its user, whatever it computes: a subject is a make, inputs and traits.",
    version="1",
    entry="subject",
    parameters=ARGUMENTS,
    domains=DOMAINS,
    checks=tuple(_checks[check_id] for check_id in ORDER),
    calls=_length,
    fallback=CALLS,
    history=HIDDEN,
    control="nnx_reference.subject:subject",
    script=script,
    catalogue="nnx_reference.laws",
    observer=SUBJECTS,
    exploration=EXPLORATION,
)
