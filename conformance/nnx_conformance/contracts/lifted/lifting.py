"""Checks of the transforms: which ones the calls run in, whether state crosses a trace, how often a step compiles.

Nested transforms such as `nnx.jit(nnx.vmap(...))` count as one compilation.
"""

from __future__ import annotations

import numpy as np

from nnx_conformance.contracts import compiled
from nnx_conformance.contracts.checks import exception
from nnx_conformance.contracts.lifted.reading import LIFTED, VISIBLE, LanesReading
from nnx_conformance.contracts.reading import IN_VARIABLE, TRACED, returned, unless
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Violation, check
from nnx_conformance.core.facts import Call


def _not_lifted(reading: LanesReading) -> Violation | None:
    """The violation of a call in a plain transform that drops what it writes, or in plain Python."""
    for run in reading.runs:
        for call in run.calls:
            plain = next((name for name in call.through if name.startswith("jax.")), None)
            if plain and not _split_and_merged(reading, call):
                what, model = f"the module is called inside a plain `{plain}`", run.modules[call.module]
                cause = f"`{plain}` works on a copy of the module: what it writes to the copy is dropped, or refused"
                if model.constructed and model.mapping == call.mapping >= 0:
                    cause = "the candidate makes and calls the module inside it, and uses no transform of Flax"
                return Violation(what, "a lifted transform", plain, line=call.line, cause=cause)
    bare = [call for call in reading.run.calls if not call.through and not call.traced and not call.within]
    if not bare:
        return None
    many = "1 call of the module ran" if len(bare) == 1 else f"{len(bare)} calls of the module ran"
    expected = "calls inside nnx.jit, nnx.vmap or nnx.scan"
    return Violation(f"{many} in plain Python", expected, "plain Python", line=bare[0].line)


def _split_and_merged(reading: LanesReading, call: Call) -> bool:
    """Whether a lifted transform runs the call too, and every run counts right: the plain one returns the state.

    The run without compilation must count right, too. There calls write to no copy, so a candidate that makes up
    elsewhere for dropped writes counts too much.
    """
    lifted = any(name.startswith("nnx.") for name in call.through)
    results = [reading.rows(run.result) for run in reading.runs if run.raised is None]
    return lifted and all(rows is not None and np.all(rows[:, 0] == reading.requested_calls) for rows in results)


def _a_lifted_call(reading: LanesReading) -> Unmet:
    """Need: a call ran inside a transform, or entered one."""
    lifted = any(call.through or call.within for run in reading.runs for call in run.calls)
    return None if lifted else Blocked(IN_VARIABLE)


@check(
    id=LIFTED,
    level=MUST,
    requirement="Every call of the module goes through a lifted transform (`nnx.jit`, `nnx.vmap`, `nnx.scan`). A "
    "plain JAX transform may wrap it only if the state is split off first and merged back afterwards.",
    remedy="Use `nnx.jit`, `nnx.vmap` and `nnx.scan`: the plain ones drop what a model writes.",
    wrong="jax.vmap(lambda model, x: model(x))(models, xs)",
    right="nnx.vmap(lambda model, x: model(x))(models, xs)",
    needs=(unless(_not_lifted, *VISIBLE, _a_lifted_call),),
)
def runs_lifted(_: Case, reading: LanesReading) -> Judgement:
    return _not_lifted(reading)


def _no_other_exception(reading: LanesReading) -> Unmet:
    """Need: the run did not raise, or its exception is about a trace."""
    return None if reading.exception_breaks == TRACED else returned(reading)


@check(
    id=TRACED,
    level=MUST,
    requirement="A trace changes no Variable that was made outside of it.",
    remedy="Pass the model to the transform as an argument, instead of closing over it.",
    wrong="nnx.jit(lambda x: model(x))(x)",
    right="nnx.jit(lambda model, x: model(x))(model, x)",
    needs=(_no_other_exception,),
)
def no_traced_mutation(_: Case, reading: LanesReading) -> Judgement:
    raised = reading.run.raised
    return exception(raised, "the state changes inside its own trace", most=200, because=(LIFTED,)) if raised else None


def _a_model(reading: LanesReading) -> Unmet:
    """Need: the candidate made a model, unless only a run without traces could show it and there is none."""
    return Blocked(IN_VARIABLE) if not reading.created and reading.facts.untraced else None


no_retrace = compiled.no_retrace(
    _a_model,
    needs=(returned,),
    remedy="Make the compiled function once, outside the loop, and pass it nothing static that changes.",
    wrong="for _ in range(int(n_calls)):\n    ys = nnx.jit(lambda m, x: step(m, x))(models, xs)",
    right="step = nnx.jit(step)\nfor _ in range(int(n_calls)):\n    ys = step(models, xs)",
)
one_trace = compiled.one_trace(
    _a_model, needs=(returned,), wrong="self.count.value = self.count.value + jnp.float32(1.0)"
)
