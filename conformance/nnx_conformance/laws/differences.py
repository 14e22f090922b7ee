"""In what two sides differ, and which law that breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nnx_conformance.case import array_text
from nnx_conformance.laws.language import BY_NAME
from nnx_conformance.laws.seen import Leaf, Observation, Pair, Side, Step
from nnx_conformance.laws.tolerance import EXACT, Tolerance, close, tolerance
from nnx_conformance.observation import Line
from nnx_conformance.plain_text import short

HIDDEN, REPRODUCIBLE = "no-hidden-state", "rng-reproducible"
#: What differs before the first step, and where that stands among the steps.
STARTS, START = "two modules made with the same seed start differently", -1
#: Arrays of more numbers are not shown as a whole.
FEW = 4


@dataclass(frozen=True, eq=False)
class Difference:
    """What differs: `what` in a line, both values as text, at which step (from 0), and whose law that breaks.

    `line` is that of an exception, `path` that of a leaf of the state.
    """

    what: str
    expected: str
    observed: str
    at: int
    law: str
    line: Line | None = None
    path: str = ""


def first(seen: Observation) -> Difference | None:
    """The first step after which the subject is not what its twin is; what comes later may follow from it."""
    if apart := parted(seen):
        return apart
    for at, step in enumerate(seen.steps):
        if step.skipped or step.twin.raised:
            continue
        law = blamed(seen, at)
        if broken := _raised(step, at, law) or _traced(step, at, law):
            return broken
        if found := between(step.subject, step.twin, tolerance(seen, at), step.noise):
            what = f"{found[0]} after step {at + 1}, `{step.operation}`"
            return Difference(what, found[1], found[2], at, law, path=found[3])
        for pair in step.pairs:
            if unlike := _paired(seen, at, pair):
                return unlike
    return None


def parted(seen: Observation) -> Difference | None:
    """In what the two modules, made with one seed, differ before anything is done with them."""
    law = REPRODUCIBLE if seen.declares("draws_randomness") else HIDDEN
    found = None if seen.skipped else between(seen.start, Side((), seen.beside, None), EXACT, ())
    return Difference(f"{STARTS}: {found[0]}", found[1], found[2], START, law, path=found[3]) if found else None


def blamed(seen: Observation, at: int) -> str:
    """The law that a difference after a step breaks: the step's own, or for a plain call that of what came before."""
    for step in reversed(seen.steps[: at + 1]):
        if not step.skipped and step.operation not in ("call", "original"):
            return BY_NAME[step.operation].law
    return HIDDEN


def _raised(step: Step, at: int, law: str) -> Difference | None:
    raised = step.subject.raised
    if raised is None:
        return None
    said = short(raised.message)
    if step.operation == "restart":
        what = f"step {at + 1}, `restart`: a new process cannot go on from the checkpoint, {raised.type}: {said}"
        return Difference(what, "a module that is restored", raised.type, at, law, raised.line)
    what = f"step {at + 1}, `{step.operation}`, raised {raised.type}: {said}; a call in plain Python returns"
    return Difference(what, "what the call returns in plain Python", raised.type, at, law, raised.line)


def _traced(step: Step, at: int, law: str) -> Difference | None:
    for leaf in step.subject.state:
        if leaf.traced:
            what = f"after step {at + 1}, `{step.operation}`, `{leaf.path}` holds a tracer"
            return Difference(what, "no tracer outside the trace", "a tracer", at, law, path=leaf.path)
    return None


def _paired(seen: Observation, at: int, pair: Pair) -> Difference | None:
    """What `another seed` shows is judged elsewhere: there, two sides must differ."""
    if pair.what == "another seed":
        return None
    # What was left behind is compared with itself, and what is called again from one state does the same.
    bounded = pair.law == "vmap-agrees" or seen.steps[at].operation in ("save", "restart")
    within = tolerance(seen, at) if bounded else EXACT
    if found := between(pair.got, pair.wanted, within, ()):
        what = f"{pair.what}: {found[0]} after step {at + 1}, `{seen.steps[at].operation}`"
        return Difference(what, found[1], found[2], at, pair.law, path=found[3])
    return None


def between(got: Side, wanted: Side, within: Tolerance, noise: Sequence[float]) -> tuple[str, str, str, str] | None:
    """What differs between two sides, both values as text, and the path of a leaf of the state; None if they agree."""
    noisy = dict(
        zip(
            [(leaf.path, at < len(wanted.outputs)) for at, leaf in enumerate(wanted.outputs + wanted.state)],
            noise,
            strict=False,
        )
    )
    outputs = _leaves(got.outputs, wanted.outputs, within, {path: size for (path, out), size in noisy.items() if out})
    found = next(outputs, None)
    if found:
        return f"the output{found[0]} differs", found[1], found[2], ""
    mine, others = states(got.state), states(wanted.state)
    inside = _leaves(mine, others, within, {path: size for (path, out), size in noisy.items() if not out})
    if found := next(inside, None):
        return f"the state `{found[0]}` differs", found[1], found[2], found[0]
    return None


def states(leaves: tuple[Leaf, ...]) -> tuple[Leaf, ...]:
    """The leaves that are state of NNX."""
    return tuple(leaf for leaf in leaves if leaf.state)


def _leaves(
    got: tuple[Leaf, ...], wanted: tuple[Leaf, ...], within: Tolerance, noise: dict[str, float]
) -> Iterator[tuple[str, str, str]]:
    mine, others = ({leaf.path: leaf for leaf in leaves} for leaves in (got, wanted))
    for path in [*others, *(path for path in mine if path not in others)]:
        a, b = mine.get(path), others.get(path)
        if a is None or b is None:
            yield path, text(b), text(a)
        elif not agree(a, b, within, noise.get(path, 0.0)):
            yield (path, *_texts(a, b))


def agree(got: Leaf, wanted: Leaf, within: Tolerance, noise: float = 0.0) -> bool:
    """Whether two leaves are the same in kind, dtype, shape and, within a tolerance, contents."""
    if got.variable != wanted.variable or (got.variable and got.kind != wanted.kind):
        return False
    if got.array is None or wanted.array is None:
        return got.array is wanted.array and got.text == wanted.text
    # A Python number in a Variable is an array after a trace: `nnx.Variable(0)`.
    if got.dtype != wanted.dtype and got.dtype and wanted.dtype:
        return False
    within = EXACT if got.rng or wanted.rng else within
    return got.array.shape == wanted.array.shape and close(got.array, wanted.array, within, noise)


def _texts(got: Leaf, wanted: Leaf) -> tuple[str, str]:
    """Two leaves as text, expected first: of arrays of one kind, the first numbers that differ."""
    a, b = got.array, wanted.array
    if a is None or b is None or a.shape != b.shape or a.size <= FEW or got.dtype != wanted.dtype:
        return text(wanted), text(got)
    at = np.unravel_index(int(np.argmax(~((a == b) | ((a != a) & (b != b))))), a.shape)
    place = f" at [{', '.join(map(str, at))}] of {wanted.dtype or a.dtype}{list(a.shape)}"
    return f"{b[at]!s}{place}", f"{a[at]!s}{place}"


def text(leaf: Leaf | None) -> str:
    """A leaf in a few words."""
    if leaf is None:
        return "nothing"
    if leaf.array is None:
        return leaf.text
    shown = array_text(leaf.array) if leaf.array.ndim else f"{leaf.array.item()!r}"
    dtype = leaf.dtype if leaf.dtype and leaf.dtype not in shown and leaf.dtype != "float32" else ""
    kind = leaf.kind if leaf.variable else ""
    return " ".join(filter(None, [shown, dtype, f"in {kind}" if kind else ""]))
