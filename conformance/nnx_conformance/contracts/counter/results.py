"""Checks of the candidate's result and of its argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nnx_conformance.contracts import blame, claims
from nnx_conformance.contracts.checks import RAISED, input_untouched
from nnx_conformance.contracts.counter.likeness import like
from nnx_conformance.contracts.counter.narrow import narrow
from nnx_conformance.contracts.counter.reading import (
    COUNT,
    INCREMENT,
    OUTPUT,
    RETURNS,
    SUM,
    CounterReading,
    a_pair,
    updates_kept,
)
from nnx_conformance.contracts.reading import FRESH, IN_VARIABLE, TRACED, own_exception, same_result
from nnx_conformance.contracts.sums import expected_sum
from nnx_conformance.contracts.wording import number_text, value_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, near, same_numbers
from nnx_conformance.core.contract import MUST, Judgement, Violation, check
from nnx_conformance.core.facts import Line, Raised, Value
from nnx_conformance.core.plain_text import short
from nnx_conformance.core.timeline import series

WRITTEN_OUT = (
    "this Flax has no in-place operator there; write the assignment out",
    "Write it out, `self.count.value = self.count.value + 1.0`.",
)
#: Words in a message of Python or Flax, names of which the line must contain one (if there are any), cause and remedy.
KNOWN = (
    ("In-place operations are no longer supported", (), *WRITTEN_OUT),
    ("has no attribute '__i", (), *WRITTEN_OUT),
    (
        "object does not support item assignment",
        ("[...]",),
        "this Flax has no `[...]` on a Variable; it came with 0.10.7",
        "Write to `.value`, as `self.count.value = self.count.value + 1.0`.",
    ),
    (
        "cannot be interpreted as an integer",
        ("n_calls", "seed"),
        "`seed` and `n_calls` come as floats, and an integer is needed here",
        "Convert first, `for _ in range(int(n_calls)):`.",
    ),
    (
        "Invalid rng value",
        ("seed",),
        "`seed` comes as a float, and `nnx.Rngs` takes an integer or a key",
        "Convert first, `nnx.Rngs(int(seed))`.",
    ),
    (
        "object has no attribute 'value'",
        (),
        "the line reads `.value` of something that is not a Variable",
        "Keep an `nnx.Variable` there, and write to its contents only.",
    ),
)


@check(
    id=RETURNS,
    level=MUST,
    requirement="The result is a JAX or NumPy array of shape (2,) and a real floating dtype.",
    remedy="Return one array of the two numbers, `jnp.array([model.count.value, last_x.sum()])`.",
    wrong="return [model.count.value, last_x.sum()]",
    right="return jnp.array([model.count.value, last_x.sum()])",
    needs=(own_exception,),
    claims=lambda _, reading: claims.a_result(reading.run, (2,)),
)
def returns_pair(_: Case, reading: CounterReading) -> Judgement:
    if raised := reading.run.raised:
        return replace(_raised(raised), because=(IN_VARIABLE,)) if reading.facts.foreign else _raised(raised)
    what, cause = _no_pair(reading.run.result)
    expected = "an array of shape (2,) and a real floating dtype"
    return Violation(what, expected, value_text(reading.run.result), line=blame.returned(reading.run), cause=cause)


def _raised(raised: Raised) -> Violation:
    message = raised.message.strip().partition("\n")[0]
    cause, remedy = _cause_of(raised)
    left = raised.type in ("SystemExit", "KeyboardInterrupt")
    what = f"the candidate left by {raised.type}" if left else f"the candidate raised {raised.type}"
    return Violation(
        f"{what}: {short(message, 300)}" if message else what,
        "an array of shape (2,)",
        raised.type,
        line=raised.line,
        cause=cause,
        remedy=remedy,
    )


def _cause_of(raised: Raised) -> tuple[str, str]:
    """The cause of an exception, and the remedy."""
    line = raised.line.source if raised.line else ""
    for words, names, cause, remedy in KNOWN:
        if words in raised.message and (not names or any(name in line for name in names)):
            return cause, remedy
    return "the candidate's own code raised, so there is no result to judge", RAISED


def _no_pair(value: Value | None) -> tuple[str, str]:
    """What is wrong with a result, and the cause."""
    if value is None or value.type not in claims.ARRAYS:
        kind = value.type if value else "nothing"
        hint = "a tracer escaped from a trace" if kind == "tracer" else f"a {kind} is no array, whatever it holds"
        return f"the result is of type {kind}", hint
    if value.array is None:
        objects = "dtype=object" in value.text
        hint = (
            "its dtype is object: it holds Python objects, not numbers" if objects else "it was deleted, or holds keys"
        )
        return "the numbers of the result cannot be read", hint
    if value.array.shape != (2,):
        return f"the result has shape {value.array.shape}", "the two numbers are not in one array of length 2"
    kind = "a complex dtype" if value.array.dtype.kind == "c" else "a dtype without fractions"
    return f"the result has dtype {value.array.dtype.name}", f"the candidate builds it in, or casts it to, {kind}"


@check(
    id=COUNT,
    level=MUST,
    requirement="`result[0]` equals `int(n_calls)`, exactly.",
    remedy="Call the model `int(n_calls)` times, add 1.0 to the count in each call, and return that count.",
    wrong="for _ in range(int(n_calls) + 1):\n    last_x = model(x)",
    right="for _ in range(int(n_calls)):\n    last_x = model(x)",
    needs=(a_pair, updates_kept),
    claims=lambda _, reading: [same_numbers(_part(reading, 0), reading.requested_calls)],
)
def count_equals_calls(_: Case, reading: CounterReading) -> Judgement:
    requested, observed = reading.requested_calls, _part(reading, 0)
    cause, line = _why_miscounted(reading, observed)
    # If the model holds the wrong count, or was called that often, the calls are at fault, not the result.
    true_to_the_calls = observed in reading.final_numbers or observed == len(reading.calls)
    return Violation(
        f"result[0] is {number_text(observed)} after n_calls={requested}",
        number_text(requested),
        number_text(observed),
        line=line,
        cause=cause,
        because=(
            *((TRACED,) if reading.uninspected else ()),
            *((INCREMENT, IN_VARIABLE) if true_to_the_calls else ()),
        ),
    )


def _part(reading: CounterReading, part: int) -> float:
    assert reading.pair is not None  # by the need `a_pair`
    return float(reading.pair[part])


def _why_miscounted(reading: CounterReading, observed: float) -> tuple[str, Line | None]:
    """Why the count is wrong, and the line: the loop, the first value, a call, or the return."""
    run, calls, moves, result_line = reading.clear, reading.calls, reading.movements, blame.returned(reading.run)
    if calls and len(calls) != reading.requested_calls:
        times = "once" if len(calls) == 1 else f"{len(calls)} times"
        return f"the module was called {times}, not {reading.requested_calls}", blame.loop(run, calls[-1])
    if not calls and observed == 0:
        return "no module call was observed", blame.empty_loop(run) or result_line
    if observed not in reading.final_numbers:
        in_model = f"; the model holds {number_text(moves[0].last)}" if moves else ""
        return f"the number returned is not the count that the calls lead to{in_model}", result_line
    if moves and moves[0].first != 0:
        return f"the count starts at {number_text(moves[0].first)}", blame.constructed_at(run, moves[0].slot.path)
    path = moves[0].slot.path if moves else "count"
    steps = [(before, after) for before, after in series(run, calls, path) if before is not None and after is not None]
    added = sum(after - before for before, after in steps)
    if moves and added != observed:
        outside = f"the calls raise the count by {number_text(added)}; it is also changed outside of them"
        cause = outside if calls else "the count changes where no call was observed"
        return cause, blame.moved_at(run, path, inside=False) or result_line
    too_narrow = next(filter(None, (narrow(path, before, after) for before, after in steps)), "")
    return too_narrow or "the calls lead to this count", blame.moved_at(run, path, inside=True) or result_line


def _near_sum(number: float, x: np.ndarray) -> Claim:
    """The claim that a number is the sum of `x`, within the error bound of float32 summation in any order."""
    expected = expected_sum(x)
    return near(number, expected.value, expected.bound)


@check(
    id=SUM,
    level=MUST,
    requirement="`result[1]` is the sum of `x`, within the error bound of float32 summation in any order.",
    remedy="Return `last_x.sum()` of the output of the last call, in float32, with nothing dropped, scaled or cast.",
    wrong="return jnp.array([model.count.value, last_x.mean()])",
    right="return jnp.array([model.count.value, last_x.sum()])",
    needs=(a_pair,),
    claims=lambda case, reading: [_near_sum(_part(reading, 1), case["x"])],
)
def sum_preserved(case: Case, reading: CounterReading) -> Judgement:
    observed, expected = _part(reading, 1), expected_sum(case["x"])
    return Violation(
        f"result[1] is {observed:.9g}, the sum of x is {expected.value:.9g}",
        f"{expected.value:.9g} ± {expected.bound:.2g}",
        f"{observed:.9g}",
        line=blame.returned(reading.run),
        cause=like(case["x"], reading.requested_calls, observed),
        because=tuple(_sum_follows(reading, observed)),
    )


def _sum_follows(reading: CounterReading, observed: float) -> Iterator[str]:
    """The checks that may cause a wrong sum: a wrong dtype, a wrong output, another result each time."""
    array = reading.run.result.array if reading.run.result is not None else None
    if array is not None and array.dtype.kind in "iub":
        yield RETURNS
    returned = reading.calls[-1].returned if reading.calls else None
    output = reading.clear.returns[returned].array if returned is not None else None
    if output is not None and output.dtype.kind in "biuf" and _near_sum(observed, output.ravel()).holds():
        yield OUTPUT
    if reading.facts.again is not None and not same_result(reading.run.result, reading.facts.again.result):
        yield FRESH


x_untouched = input_untouched(
    "x",
    requirement="The call neither donates, deletes nor changes `x`.",
    remedy="Do not donate, delete or write into the argument; work on what the calls return.",
    wrong="step = jax.jit(lambda x: x, donate_argnums=0)\nlast_x = step(x)",
    right="last_x = model(x)",
)
