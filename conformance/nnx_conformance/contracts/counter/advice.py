"""SHOULD checks of the form that the exercise suggests, on its core domain."""

from __future__ import annotations

from nnx_conformance.contracts.counter.reading import INCREMENT, RETURNS, CounterReading, a_module, judgeable
from nnx_conformance.contracts.reading import IN_VARIABLE, created, returned, unless
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import SHOULD, Blocked, Judgement, NotApplicable, Unmet, Violation, check
from nnx_conformance.core.facts import RngsBuilt, Snapshot, Write
from nnx_conformance.core.timeline import main_calls


def _seeded(reading: CounterReading) -> list[RngsBuilt]:
    """The Rngs that the candidate built from the seed."""
    seed = int(reading.case["seed"])
    # A key made from a seed holds its high and low 32 bits; some kinds of keys repeat these words.
    expected = {(seed,), (seed >> 32, seed & 0xFFFFFFFF)}
    return [rngs for rngs in reading.clear.rngs if expected & {words[:2] for words in rngs.seeds}]


def _key_drawn(reading: CounterReading) -> bool:
    return any(rngs.drawn > 0 for rngs in _seeded(reading))


def _construction_visible(reading: CounterReading) -> Unmet:
    """Need: a module was constructed outside of traces. Code that `nnx.jit` has compiled constructs none."""
    run = reading.clear
    in_trace = all(module.start is None or module.start.traced or not module.constructed for module in run.modules)
    if in_trace or any(rngs.traced for rngs in run.rngs):
        return NotApplicable("construction ran inside a trace, where the keys drawn cannot be counted")
    return None


@check(
    id="key-consumed",
    level=SHOULD,
    requirement="The candidate builds an `nnx.Rngs` from `int(seed)`, and the constructor draws at least one key from"
    " it.",
    remedy="Build `nnx.Rngs(int(seed))`, pass it to the constructor, and call `rngs.params()` there.",
    wrong="def __init__(self, rngs):\n    self.count = nnx.Variable(jnp.array(0.0))",
    right="def __init__(self, rngs):\n    rngs.params()\n    self.count = nnx.Variable(jnp.array(0.0))",
    needs=(a_module, unless(_key_drawn, _construction_visible)),
)
def key_consumed(case: Case, reading: CounterReading) -> Judgement:
    if _key_drawn(reading):
        return None
    if not _seeded(reading):
        seeds = [str(words[-1]) for rngs in reading.clear.rngs for words in rngs.seeds]
        built = f"an Rngs of {', '.join(seeds)}" if seeds else "no Rngs"
        what = "no nnx.Rngs was built from int(seed)"
        return Violation(what, f"nnx.Rngs({int(case['seed'])})", built, cause="the candidate does not use the seed")
    return Violation(
        "construction drew no key from the Rngs",
        "at least one key",
        "none",
        line=next((module.line for module in reading.clear.modules), None),
        cause="the constructor does not call `rngs.params()`, or the Rngs is not passed to it",
    )


def _starts(reading: CounterReading) -> list[Snapshot]:
    """The states before and after the first call; without a call, the first state of each module."""
    snapshots = [snapshot for call in reading.calls[:1] for snapshot in (call.before, call.after) if snapshot]
    return snapshots or [module.start for module in reading.clear.modules if module.start]


def _a_state(reading: CounterReading) -> Unmet:
    """Need: we know the state of a module."""
    return None if _starts(reading) else reading.unjudgeable or Blocked(IN_VARIABLE)


def _variables(reading: CounterReading) -> list[str]:
    """The paths of the module's first Variables."""
    layouts = (reading.clear.layouts[snapshot.layout] for snapshot in _starts(reading))
    return next(filter(None, ([slot.path for slot in layout if slot.counts] for layout in layouts)), [])


@check(
    id="one-variable-named-count",
    level=SHOULD,
    requirement="The module holds one Variable besides those of its Rngs, and it is called `count`.",
    remedy="Keep the state in one attribute, `self.count`.",
    wrong="self.counter = nnx.Variable(jnp.array(0.0))",
    right="self.count = nnx.Variable(jnp.array(0.0))",
    needs=(_a_state,),
    claims=lambda _, reading: [Claim(tuple(path.rpartition(".")[2] for path in _variables(reading)), ("count",))],
)
def one_variable_named_count(_: Case, reading: CounterReading) -> Judgement:
    names = ", ".join(f"`{path}`" for path in _variables(reading)) or "none"
    return Violation(f"the module's Variables are: {names}", "one, called `count`", names)


def _augmented(reading: CounterReading) -> Write | None:
    writes = (*reading.run.writes, *reading.clear.writes)
    return next((write for write in writes if write.augmented), None)


@check(
    id="no-in-place-add",
    level=SHOULD,
    requirement="The candidate applies no in-place operator, such as `+=`, to a Variable or its contents.",
    remedy="Write it out, `self.count.value = self.count.value + 1.0`.",
    wrong="self.count.value += 1",
    right="self.count.value = self.count.value + 1.0",
    needs=(unless(_augmented, a_module),),
)
def no_in_place_add(_: Case, reading: CounterReading) -> Judgement:
    if not (write := _augmented(reading)):
        return None
    cause = "the exercise forbids it: on the contents it works; on a Variable Flax 0.8 and 0.12 raise"
    raised = reading.run.raised
    because = (RETURNS,) if raised and raised.line == write.line else ()
    return Violation(f"augmented assignment to {write.target}", line=write.line, cause=cause, because=because)


def _called_in_a_trace(reading: CounterReading) -> Violation | None:
    plain, traced = len(main_calls(reading.run)), [call.line for call in reading.run.calls if call.traced]
    if len(reading.calls) <= plain and not (traced and plain < reading.requested_calls):
        return None
    line = traced[0] if traced else reading.calls[0].line
    return Violation("the module was called inside a trace", "plain Python calls", "a traced call", line=line)


def _called(reading: CounterReading) -> Unmet:
    """Need: the plain run calls a module."""
    if reading.run.calls:
        return None
    return Blocked(INCREMENT if created(reading.run) else IN_VARIABLE)


@check(
    id="eager-calls",
    level=SHOULD,
    requirement="The calls run outside any trace.",
    remedy="Call the model in a plain Python loop. Under `nnx.jit` the count is right as well; this is advice.",
    wrong="step = nnx.jit(lambda model, x: model(x))\nlast_x = step(model, x)",
    right="last_x = model(x)",
    needs=(returned, unless(_called_in_a_trace, judgeable, _called)),
)
def eager_calls(_: Case, reading: CounterReading) -> Judgement:
    return _called_in_a_trace(reading)
