"""Compiled calls: their transforms, and how often JAX compiled them."""

from __future__ import annotations

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.reading import Reading, unless
from nnx_conformance.core.claim import at_most
from nnx_conformance.core.contract import MUST, SHOULD, Check, Need, Violation, check
from nnx_conformance.core.facts import Call, Run
from nnx_conformance.core.timeline import moved

RETRACE = "no-retrace"
#: JAX may compile a step a second time, when the weak type of its state settles.
MOST_COMPILATIONS = 2


def compiled(run: Run) -> dict[int, Call]:
    """The first module call of each compilation of a run, by the compilation's number."""
    first: dict[int, Call] = {}
    for call in run.calls:
        if call.compilation >= 0:
            first.setdefault(call.compilation, call)
    return first


def no_retrace(*otherwise: Need, needs: tuple[Need, ...] = (), remedy: str, wrong: str, right: str) -> Check:
    """The check that JAX does not compile the step again for each call.

    Args:
        otherwise: the needs of a case that does not violate the check.
        needs: the needs of every case.
        remedy, wrong, right: as in `check`.
    """
    return check(
        id=RETRACE,
        level=MUST,
        requirement="JAX compiles the step at most twice a run, and not again for every call.",
        remedy=remedy,
        wrong=wrong,
        right=right,
        needs=(*needs, unless(lambda reading: _too_often(reading, MOST_COMPILATIONS), *otherwise)),
        claims=lambda _, reading: [at_most(len(compiled(reading.run)), MOST_COMPILATIONS)],
    )(lambda _, reading: _too_often(reading, MOST_COMPILATIONS))


def one_trace(*otherwise: Need, needs: tuple[Need, ...] = (), wrong: str) -> Check:
    """The check that one compilation serves all calls; arguments as in `no_retrace`."""
    return check(
        id="one-trace",
        level=SHOULD,
        requirement="JAX compiles the step once for equal shapes.",
        remedy="Add `1.0`, not `jnp.float32(1.0)`, to `jnp.array(0.0)`: the state keeps its dtype and weak type.",
        wrong=wrong,
        right="self.count.value = self.count.value + 1.0",
        needs=(*needs, unless(lambda reading: _too_often(reading, 1), *otherwise)),
        claims=lambda _, reading: [at_most(len(compiled(reading.run)), 1)],
    )(lambda _, reading: _too_often(reading, 1))


def _too_often(reading: Reading, most: int) -> Violation | None:
    """The violation of calls with equal shapes that JAX compiled more than `most` times.

    Compiling more than once is a consequence of compiling more than twice.
    """
    first = compiled(reading.run)
    times = len(first)
    if times <= most:
        return None
    return Violation(
        f"n_calls={reading.requested_calls} calls with equal shapes were compiled {times} times",
        "once" if most == 1 else f"at most {most} times",
        f"{times} times",
        line=blame.entered(reading.run) or next(iter(first.values())).line,
        cause="each call makes a new compiled function, or passes it something static that has changed",
        because=() if most == MOST_COMPILATIONS else (RETRACE,),
    )


def plain_calls(run: Run) -> list[Call]:
    """The calls outside of any trace that changed the state."""
    return [call for call in run.calls if not call.through and not call.traced and moved(run, [call])]


def through(reading: Reading, name: str) -> Call | None:
    """The first call inside a transform of this name, in any run of the case."""
    return next((call for run in reading.runs for call in run.calls if name in call.through), None)
