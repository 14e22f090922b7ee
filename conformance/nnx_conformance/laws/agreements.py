"""The laws that compare: a transform, or another way to the same module, gives what plain Python gives."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, MUST, Blocked, Check, Judge, Judgement, NotApplicable, Violation
from nnx_conformance.laws.differences import HIDDEN, START, Difference, first, text
from nnx_conformance.laws.language import BY_NAME
from nnx_conformance.laws.lines import written
from nnx_conformance.laws.seen import Observation, Step
from nnx_conformance.laws.trajectory import calls_of, of_twin

CALLS = "calls-return"
#: What is wrong with a module in plain Python already shows in most comparisons, too.
CAUSES = (
    "wrapper-kept",
    "instances-independent",
    HIDDEN,
    "no-growth",
    "structure-stable",
    "params-untouched",
)
#: A call that cannot be traced breaks all transforms, and what a module takes from its seed differs between lanes too.
EARLIER = {law: ("jit-agrees",) for law in ("scan-agrees", "grad-clean", "remat-agrees", "cond-agrees")} | {
    "vmap-agrees": ("jit-agrees", "checkpoint-resumes"),
    "optimizer-safe": ("jit-agrees", "grad-clean"),
}


def agreement(law: str) -> Judge:
    """Judges the steps whose comparison belongs to a law."""

    def judge(case: Case, seen: Observation) -> Judgement:
        found = first(seen)
        if found and found.law == law:
            return violation(seen, found)
        until = len(seen.steps) if found is None else found.at
        mine = [step for step in seen.steps if _concerns(step, law)]
        if any(not step.skipped and not step.twin.raised for step in mine if seen.steps.index(step) < until):
            return None
        if any(step.skipped for step in mine):
            return NotApplicable(next(step.skipped for step in mine if step.skipped))
        if seen.skipped or not mine:
            return NotApplicable(seen.skipped or "no step of it was drawn")
        # On a program of the machine, another law came first by chance; on its own ones, it stands in the way.
        by = found.law if found else CALLS
        return NotApplicable(f"{by} was broken first") if case.domain == CORE else Blocked(by)

    return judge


def _concerns(step: Step, law: str) -> bool:
    return BY_NAME[step.operation].law == law or any(pair.law == law for pair in step.pairs)


def violation(seen: Observation, found: Difference) -> Violation:
    """The violation that a difference is."""
    if found.at == START:
        return _start(found)
    mode = " (tree mode)" if seen.mode == "tree" else ""
    follows = CAUSES[: CAUSES.index(found.law)] if found.law in CAUSES else (*CAUSES, *EARLIER.get(found.law, ()))
    path, cause = _hidden(seen) if found.law == HIDDEN else ("", "")
    line = found.line or written(seen.steps, path or found.path)
    return Violation(found.what + mode, found.expected, found.observed, line, cause, follows=follows)


def _start(found: Difference) -> Violation:
    """Two modules of one seed that differ before any call: each comparison of them would show that again."""
    cause = "something outside the Rngs decides how a module starts"
    remedy = (
        "Take all that is random in `__init__` from the `nnx.Rngs` that it is given, and count or time nothing there."
    )
    return Violation(found.what, found.expected, found.observed, None, cause, remedy, follows=CAUSES[:2])


def _hidden(seen: Observation) -> tuple[str, str]:
    """What is no Variable and changed in a call of the twin, and how: there the state may hide."""
    for move in calls_of(of_twin(seen)):
        held = move.held()
        for path, now in move.holds().items():
            was = held.get(path)
            if was is not None and not now.state and text(was) != text(now):
                return path, f"`{path}`, which is no Variable, went from {text(was)} to {text(now)} in a call"
    return "", ""


def compared(law: str, requirement: str, remedy: str, wrong: str, right: str) -> Check:
    """A MUST check that compares, on its own programs and on the machine's."""
    return Check(law, MUST, requirement, remedy, agreement(law), wrong, right, law, others=(CORE,))


CHECKS = (
    compared(
        "jit-agrees",
        "`nnx.jit` gives the same outputs and the same final state as plain Python, over a sequence of calls.",
        "Let all that a call changes be contents of Variables, and let nothing in it ask for concrete values.",
        "self.calls += 1  # a Python number is a constant of the trace",
        "self.calls[...] = self.calls[...] + 1",
    ),
    compared(
        "split-merge-agrees",
        "The module rebuilt from `nnx.split` behaves as the original; of a copy, mutating one leaves the other alone.",
        "Let the module hold its state in Variables that are attributes of it, each once.",
        "STATE = {}  # module level, keyed by id(self)",
        "self.state = nnx.Variable(jnp.zeros(()))",
    ),
    compared(
        "clone-independent",
        "`nnx.clone` and the original do not see each other's mutations.",
        "Hold no mutable object that a clone would share: NumPy buffers edited in place, lists, dicts.",
        "self.buffer.get_value()[0] += 1  # edits the NumPy array that a clone shares",
        "self.buffer[...] = self.buffer[...].at[0].add(1)",
    ),
    compared(
        "checkpoint-resumes",
        "State saved after some calls and restored, into a fresh module or the live one, goes on as if uninterrupted.",
        "Keep all that later calls need in Variables, and derive nothing from the seed outside them.",
        "self.scale = float(jax.random.uniform(rngs.params()))  # not part of the state",
        "self.scale = nnx.Variable(jax.random.uniform(rngs.params()))",
    ),
    compared(
        "scan-agrees",
        "Calls through `nnx.scan` with the module carried equal the same calls in a loop.",
        "Let a call change neither structure, shape nor dtype of the state, and keep all state in Variables.",
        "self.history.append(x)",
        "self.last[...] = x",
    ),
    compared(
        "vmap-agrees",
        "With state split per lane, `nnx.vmap` over lanes equals separate modules.",
        "Compute with the module's own state only; declare `per_lane_state: False` where lanes make no sense.",
        "self.count[...] = jnp.zeros(x.shape[0])  # depends on being called without lanes",
        "self.count[...] = self.count[...] + 1",
    ),
    compared(
        "remat-agrees",
        "`nnx.remat` changes neither outputs nor state.",
        "Keep side effects of a call in Variables: a rematerialised call is traced, and may run twice.",
        "self.log.append(x)",
        "self.last[...] = x",
    ),
    compared(
        "cond-agrees",
        "A call in one branch of `nnx.cond` gives the outputs and the state of a plain call.",
        "Let a call keep structure, shapes and dtypes of the state, so that both branches agree on them.",
        "self.total[...] = self.total[...].astype(jnp.float64)",
        "self.total[...] = self.total[...] + x.sum()",
    ),
)
