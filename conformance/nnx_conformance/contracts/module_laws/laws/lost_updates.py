"""The law of lost updates: the module gets what a call writes to copies of its Variables."""

from __future__ import annotations

from nnx_conformance.contracts.module_laws.evidence import LostWrite
from nnx_conformance.contracts.module_laws.laws.law import Evidence, carried_out, declares_not, law
from nnx_conformance.contracts.module_laws.laws.reading import Move, ProgramReading
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Check, Judgement, NotApplicable, Violation

NOT_DISCARDING = declares_not("discards_updates", "it drops updates on purpose")
#: For each transform that copies the module, the code that replaces it.
FIXES = {
    "jax.jit": "Write `nnx.jit` in place of `jax.jit`: `nnx.jit(step)({module}, x)`.",
    "jax.checkpoint": "Write `nnx.remat` in place of `jax.checkpoint`: `nnx.remat(step)({module}, x)`.",
    "jax.grad": "Write `nnx.grad` in place of `jax.grad`: `nnx.grad(loss)({module}, x)`.",
    "jax.value_and_grad": "Write `nnx.value_and_grad` in place of `jax.value_and_grad`: "
    "`nnx.value_and_grad(loss)({module}, x)`.",
    "jax.vmap": "Return what is to be written, and write it outside of the vmap: "
    "`y, new = jax.vmap(step, in_axes=(None, 0))({module}, x)`, `{variable}[...] = new.mean(0)`.",
    "jax.lax.scan": "Carry the module with `nnx.scan`: "
    "`_, y = nnx.scan(step, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))({module}, x)`.",
    "jax.lax.map": "Carry the module with `nnx.scan`: "
    "`_, y = nnx.scan(step, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))({module}, x)`.",
    "jax.lax.cond": "Write `nnx.cond` in place of `jax.lax.cond`: `nnx.cond(where, taken, left, {module}, x)`.",
    "jax.lax.switch": "Write `nnx.switch` in place of `jax.lax.switch`: `nnx.switch(index, branches, {module}, x)`.",
    "jax.lax.while_loop": "Carry the module with `nnx.while_loop`: "
    "`_, y = nnx.while_loop(goes_on, step, ({module}, x))`.",
    "jax.lax.fori_loop": "Carry the module with `nnx.fori_loop`: `_, y = nnx.fori_loop(0, n, step, ({module}, x))`.",
    "nnx.scan": "Carry the module in place of handing it to each step: "
    "`_, y = nnx.scan(step, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))({module}, x)`.",
    "rounding": "Hold it as a floating number, `{variable} = {kind}(jnp.zeros(()))`, or write whole numbers.",
}
#: The remedy for all other copies.
HAND_BACK = (
    "Return what was written to the copy, `nnx.update({module}, nnx.state(copy))`, or call `{module}` itself; "
    "declare `discards_updates` if it is dropped on purpose."
)


@law(
    id="updates-kept",
    requirement="What a call writes into a Variable, or a copy of one, is still there after the call.",
    remedy="Use the transform of `nnx` instead of JAX's, or return the copy's state and apply it "
    "with `nnx.update`; declare `discards_updates` if you drop updates on purpose.",
    wrong="y = jax.jit(lambda norm, x: norm(x))(self.norm, x)  # updates a copy of the statistics",
    right="y = nnx.jit(lambda norm, x: norm(x))(self.norm, x)",
    needs=(carried_out, NOT_DISCARDING),
)
def updates_kept(case: Case, reading: ProgramReading) -> Judgement:
    moves = [move for move in reading.twin if move.step.operation == "watch"]
    watched = [move for move in moves if not (move.step.unwatched or move.evaluating)]
    if not watched:
        skipped = [step.skipped for step in reading.facts.steps if step.operation == "watch"]
        reasons = [*(move.step.unwatched or "it was watched in eval mode only" for move in moves), *skipped]
        return NotApplicable(next(filter(None, reasons), "no step of it was drawn"))
    for move in watched:
        for lost in move.step.lost:
            if lost.through != "rounding" or _always(lost, watched):
                return _violation(move, lost)
    return None


def _always(rounded: LostWrite, moves: list[Move]) -> bool:
    """Whether each of several inputs loses a fraction at this path; an occasional loss is a matter of precision."""
    inputs = [move for move in moves if any(lost.path == rounded.path for lost in move.step.lost)]
    return len(inputs) == len(moves) > 1


def _violation(move: Move, lost: LostWrite) -> Violation:
    module, _, name = f"self.{lost.path}".rpartition(".")
    code = {"module": module, "variable": f"{module}.{name}", "kind": lost.kind}
    remedy = FIXES.get(lost.through, HAND_BACK).format_map(code)
    where = f", called in {lost.call_line}, `{lost.call_line.source}`," if lost.call_line else ""
    if lost.through == "rounding":
        cause = f"an integer holds no fraction, so `{lost.path}` keeps its value"
        what = f"in {move.name}, {lost.written} was written to `{lost.path}`, which still holds {lost.contents}"
    else:
        through = f"`{lost.through}`{where}" if lost.through else f"the call{where}"
        wrote = f" in {lost.write_line}, `{lost.write_line.source}`," if lost.write_line else ""
        cause = f"{through} works on a copy of the module, and what a call writes{wrote} to the copy is dropped"
        what = f"in {move.name}, a call wrote {lost.written} to a copy of `{lost.path}`, which stayed as it was"
    return Violation(what, lost.written, lost.contents, lost.line, cause, remedy, evidence=Evidence.NAMED)


CHECKS: tuple[Check, ...] = (updates_kept,)
