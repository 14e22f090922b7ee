"""Checks of how often the lifted step compiles. `nnx.jit(nnx.vmap(...))` and the like compile as one."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, SHOULD, Blocked, Judgement, check
from nnx_conformance.contracts.compiled import MOST_COMPILATIONS, RETRACE, compiled, too_often
from nnx_conformance.contracts.lifted.evidence import IN_VARIABLE, calls_asked, culprit, made_none
from nnx_conformance.observation import Observation


@check(
    id=RETRACE,
    level=MUST,
    requirement="The step is not compiled again for every call: at most twice a run, as all calls have equal shapes.",
    remedy="Make the compiled function once, outside the loop, and pass it nothing static that changes.",
    wrong="for _ in range(int(n_calls)):\n    ys = nnx.jit(lambda m, x: step(m, x))(models, xs)",
    right="step = nnx.jit(step)\nfor _ in range(int(n_calls)):\n    ys = step(models, xs)",
)
def no_retrace(case: Case, seen: Observation) -> Judgement:
    return _compilations(case, seen, MOST_COMPILATIONS)


@check(
    id="one-trace",
    level=SHOULD,
    requirement="The step is compiled once for equal shapes.",
    remedy="Keep dtype and weak type of the state: add `1.0` to what `jnp.array(0.0)` made, not a `jnp.float32`.",
    wrong="self.count.value = self.count.value + jnp.float32(1.0)",
    right="self.count.value = self.count.value + 1.0",
)
def one_trace(case: Case, seen: Observation) -> Judgement:
    return _compilations(case, seen, 1)


def _compilations(case: Case, seen: Observation, most: int) -> Judgement:
    if by := culprit(seen):
        return Blocked(by)
    found = compiled(seen.run)
    if len(found) > most:
        return too_often(len(found), most, calls_asked(case), next(iter(found.values())).line)
    return Blocked(IN_VARIABLE) if made_none(seen) and seen.untraced else None


CHECKS = (no_retrace, one_trace)
