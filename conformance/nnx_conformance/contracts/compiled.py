"""Reading a run whose calls are compiled: through which transforms they ran, and how often they were compiled."""

from __future__ import annotations

from nnx_conformance.contract import Violation
from nnx_conformance.observation import Call, Line, Observation, Run
from nnx_conformance.timeline import moved

JIT = ("jax.jit", "nnx.jit")
RETRACE = "no-retrace"
#: A state may be compiled once more when its weak type settles.
MOST_COMPILATIONS = 2


def compiled(run: Run) -> dict[int, Call]:
    """The compilations of a run in which a module was called: the first such call of each."""
    found: dict[int, Call] = {}
    for call in run.calls:
        if call.compilation >= 0:
            found.setdefault(call.compilation, call)
    return found


def too_often(times: int, most: int, calls: int, line: Line | None) -> Violation:
    """Calls with equal shapes were compiled more than `most` times. More than once follows from more than twice."""
    return Violation(
        f"n_calls={calls} calls with equal shapes were compiled {times} times",
        "once" if most == 1 else f"at most {most} times",
        f"{times} times",
        line=line,
        cause="the compiled function is made anew, or something that it depends on is another for each call",
        follows=() if most == MOST_COMPILATIONS else (RETRACE,),
    )


def plain_calls(run: Run) -> list[Call]:
    """The calls outside of any trace that changed the state."""
    return [call for call in run.calls if not call.through and not call.traced and moved(run, [call])]


def through(seen: Observation, name: str) -> Call | None:
    """A call that ran through a transform, in the run as it is or without compilation."""
    runs = (seen.run, *((seen.untraced,) if seen.untraced else ()))
    return next((call for run in runs for call in run.calls if name in call.through), None)
