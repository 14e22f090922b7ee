"""The first difference between two sides, and the law that it violates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, Side
from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.laws.tolerance import EXACT, Tolerance, close, tolerance
from nnx_conformance.contracts.module_laws.program.language import BY_NAME
from nnx_conformance.core.case import array_text
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import short

HIDDEN, REPRODUCIBLE, SHARDED = "no-hidden-state", "rng-reproducible", "sharded-agrees"
#: The position of a difference before the first step.
START = -1
#: Operations whose pairs, the subject before and after, are compared before subject and twin: they name the cause.
OF_ITSELF = ("lend", "represent")
#: Operations whose pairs may differ by rounding: in another process, compiled in another order, or by other code.
BOUNDED = ("save", "restart", "afresh", "refer", "rows", "place", "shardmap")
#: The laws of copies, which compare the replaced module with what it was.
COPIED = ("split-merge-agrees", "clone-independent", "deepcopy-agrees")
#: What both sides do in plain Python.
PLAIN = ("call", "original", "trace", "eval", "train")
#: Messages show larger arrays only in part.
FEW = 4


@dataclass(frozen=True, eq=False)
class Difference:
    """The difference of two sides that should be equal.

    Attributes:
        text: it, in one line.
        expected, observed: both values as text.
        path: of a leaf of the state; empty for others.
        law: the check that it violates.
        position: the step's, from 0; `START` before the first.
        line: that of an exception.
        of_output: whether an output differs.
        closed_over: whether a trace left a value of its own in a Variable.
        of_copy: whether the state of a copy differs that was not called.
    """

    text: str
    expected: str
    observed: str
    path: str = ""
    law: str = ""
    position: int = START
    line: Line | None = None
    of_output: bool = False
    of_copy: bool = False
    closed_over: bool = False


@dataclass(frozen=True, eq=False)
class StateComparison:
    """Two sides that a law compares: subject and twin after a step, or a pair of other modules.

    Attributes:
        law, position: as in `Difference`.
        got, wanted: the sides.
        within, noise: how much their numbers may differ, see `tolerance` and `StepFacts`.
        pair: the name of the pair; empty for subject and twin.
    """

    law: str
    position: int
    got: Side
    wanted: Side
    within: Tolerance
    noise: tuple[float, ...] = ()
    pair: str = ""

    def claims(self) -> Iterator[Claim]:
        """The claims that `got` raised nothing, has no tracers, and equals `wanted` leaf by leaf."""
        raised, own = self.got.raised, not self.pair
        yield Claim((raised.type if raised else "returns",), ("returns",))
        if raised is None:
            traced = tuple(leaf.path for leaf in self.got.state if leaf.traced and own)
            yield Claim(traced, ())
            yield from side_claims(self.got, self.wanted, self.within, self.noise)


def comparisons(facts: ProgramFacts) -> Iterator[StateComparison]:
    """The comparisons of a program in order; without those that must differ, such as outputs of two seeds."""
    if facts.skipped:
        return
    law = REPRODUCIBLE if facts.declares("draws_randomness") else HIDDEN
    yield StateComparison(law, START, Side(state=facts.start), Side(state=facts.twin_start), EXACT)
    for position, step in enumerate(facts.steps):
        if not step.returned:
            continue
        within = tolerance(facts, position)
        own = StateComparison(blamed(facts, position), position, step.subject, step.twin, within, step.noise)
        if step.operation not in OF_ITSELF:
            yield own
        for pair in (pair for pair in step.pairs if not pair.unlike):
            # Most pairs are exact: a replaced module with itself, or two calls from one state.
            bounded = pair.law == "vmap-agrees" or step.operation in BOUNDED
            yield StateComparison(
                pair.law, position, pair.got, pair.wanted, within if bounded else EXACT, pair=pair.name
            )
        if step.operation in OF_ITSELF:
            yield own


def compare(facts: ProgramFacts) -> tuple[tuple[StateComparison, ...], Difference | None]:
    """The comparisons of a program up to the first that differs, and that difference."""
    so_far: list[StateComparison] = []
    for comparison in comparisons(facts):
        so_far.append(comparison)
        if difference := _difference(facts, comparison):
            return tuple(so_far), difference
    return tuple(so_far), None


def _difference(facts: ProgramFacts, comparison: StateComparison) -> Difference | None:
    """The difference between the sides of a comparison; None if they agree."""
    if comparison.position == START:
        return start_difference(facts)
    position, pair, raised = comparison.position, comparison.pair, comparison.got.raised
    name = f"step {position + 1}, `{facts.steps[position].operation}`"
    if not pair:
        difference = _step_difference(facts, position, comparison)
    elif raised:
        what = f"{pair}: {name}, raised {raised.type}: {short(raised.message)}"
        difference = Difference(what, "a result", raised.type, line=raised.line)
    else:
        difference = first_difference(comparison.got, comparison.wanted, comparison.within)
        text = f"{pair}: {difference.text} after {name}" if difference else ""
        of_copy = comparison.law in COPIED and not comparison.got.outputs
        difference = replace(difference, text=text, of_copy=of_copy) if difference else None
    return replace(difference, law=comparison.law, position=position) if difference else None


def start_difference(facts: ProgramFacts) -> Difference | None:
    """The difference between two modules of one seed before the first step; None if they agree."""
    difference = first_difference(Side(state=facts.start), Side(state=facts.twin_start), EXACT)
    if facts.skipped or not difference:
        return None
    if _on_devices(facts):
        text = f"made with the same seed, a module starts differently where there are two devices: {difference.text}"
        return replace(difference, text=text, law=SHARDED)
    law = REPRODUCIBLE if facts.declares("draws_randomness") else HIDDEN
    return replace(
        difference, text=f"two modules made with the same seed start differently: {difference.text}", law=law
    )


def blamed(facts: ProgramFacts, position: int) -> str:
    """The law that a difference after a step violates: its own; after plain Python, that of an earlier step.

    Both sides set the mode and call in plain Python, so neither sets them apart.
    """
    for step in reversed(facts.steps[: position + 1]):
        if not step.skipped and step.operation not in PLAIN:
            return BY_NAME[step.operation].law
    return SHARDED if _on_devices(facts) else HIDDEN


def _on_devices(facts: ProgramFacts) -> bool:
    """Whether the program needs several devices."""
    return any(BY_NAME[step.operation].devices > 1 for step in facts.steps)


def _step_difference(facts: ProgramFacts, position: int, comparison: StateComparison) -> Difference | None:
    """The difference between subject and twin after a step whose twin returned; None if they agree."""
    step, name = facts.steps[position], f"step {position + 1}, `{facts.steps[position].operation}`"
    if raised := step.subject.raised:
        error = f"{raised.type}: {short(raised.message)}"
        if step.operation == "restart":
            what = f"{name}: a new process cannot go on from the checkpoint, {error}"
            return Difference(what, "a module that is restored", raised.type, line=raised.line)
        what = f"{name}, raised {error}; a call in plain Python returns"
        return Difference(what, "what the call returns in plain Python", raised.type, line=raised.line)
    if traced := next((leaf for leaf in step.subject.state if leaf.traced), None):
        what = f"after {name}, `{traced.path}` holds a tracer"
        values = "no tracer outside the trace", "a tracer"
        return Difference(what, *values, traced.path, closed_over=traced.variable)
    difference = first_difference(step.subject, step.twin, comparison.within, step.noise)
    return replace(difference, text=f"{difference.text} after {name}") if difference else None


def first_difference(got: Side, wanted: Side, within: Tolerance, noise: Sequence[float] = ()) -> Difference | None:
    """The first difference between two sides, outputs before state; None if they agree."""
    outputs = {id(leaf) for side in (got, wanted) for leaf in side.outputs}
    for path, mine, other, leaf_noise in _leaves(got, wanted, noise):
        if not all(claim.holds() for claim in leaf_claims(mine, other, within, leaf_noise)):
            texts = _texts(mine, other) if mine and other else (text(other), text(mine))
            if id(mine or other) in outputs:
                return Difference(f"{f'output{path}' if path else 'the output'} differs", *texts, of_output=True)
            return Difference(f"the state `{path}` differs", *texts, path)
    return None


def side_claims(got: Side, wanted: Side, within: Tolerance, noise: Sequence[float] = ()) -> Iterator[Claim]:
    """The claims that two sides agree, outputs and state."""
    for _, mine, other, leaf_noise in _leaves(got, wanted, noise):
        yield from leaf_claims(mine, other, within, leaf_noise)


#: A path, the leaves of both sides there, and the noise of the wanted one, see `StepFacts.noise`.
Leaves = Iterator[tuple[str, LeafFacts | None, LeafFacts | None, float]]


def _leaves(got: Side, wanted: Side, noise: Sequence[float]) -> Leaves:
    """The leaves of two sides by path: all outputs, then state."""
    outputs, state = noise[: len(wanted.outputs)], noise[len(wanted.outputs) :]
    yield from _by_path(got.outputs, wanted.outputs, dict(zip(_paths(wanted.outputs), outputs, strict=False)))
    mine, others = ([leaf for leaf in side.state if leaf.state] for side in (got, wanted))
    yield from _by_path(mine, others, dict(zip(_paths(wanted.state), state, strict=False)))


def _paths(leaves: Iterable[LeafFacts]) -> list[str]:
    return [leaf.path for leaf in leaves]


def _by_path(got: Iterable[LeafFacts], wanted: Iterable[LeafFacts], noise: dict[str, float]) -> Leaves:
    mine, others = ({leaf.path: leaf for leaf in leaves} for leaves in (got, wanted))
    for path in dict.fromkeys([*others, *mine]):
        yield path, mine.get(path), others.get(path), noise.get(path, 0.0)


def leaf_claims(
    got: LeafFacts | None, wanted: LeafFacts | None, within: Tolerance, noise: float = 0.0
) -> Iterator[Claim]:
    """The claims that two leaves have the same kind, dtype, shape and, within a tolerance, contents."""
    yield Claim(_form(got, wanted), _form(wanted, got))
    if got and wanted and got.array is not None and wanted.array is not None:
        yield close(got.array, wanted.array, EXACT if got.rng or wanted.rng else within, noise)


def _form(leaf: LeafFacts | None, other: LeafFacts | None) -> tuple[str, ...]:
    """The parts of a leaf, besides its numbers, that must equal those of the other one."""
    if leaf is None:
        return ("nothing",)
    kind = f"{leaf.path}: {leaf.kind if leaf.variable else 'no Variable'}"
    if leaf.array is None:
        return kind, leaf.text
    # A Python number in a Variable is an array after a trace: `nnx.Variable(0)`.
    dtype = leaf.dtype if other is not None and other.dtype else ""
    return kind, f"array {dtype}{list(leaf.array.shape)}"


def _texts(got: LeafFacts, wanted: LeafFacts) -> tuple[str, str]:
    """Two leaves as text, expected first; of larger arrays, the first numbers that differ."""
    a, b = got.array, wanted.array
    if a is None or b is None or a.shape != b.shape or a.size <= FEW or got.dtype != wanted.dtype:
        return text(wanted), text(got)
    index = np.unravel_index(int(np.argmax(~((a == b) | ((a != a) & (b != b))))), a.shape)
    where = f" at [{', '.join(map(str, index))}] of {wanted.dtype or a.dtype}{list(a.shape)}"
    return f"{b[index]!s}{where}", f"{a[index]!s}{where}"


def text(leaf: LeafFacts | None) -> str:
    """A short text of a leaf."""
    if leaf is None:
        return "nothing"
    if leaf.array is None:
        return leaf.text
    numbers = array_text(leaf.array) if leaf.array.ndim else f"{leaf.array.item()!r}"
    dtype = leaf.dtype if leaf.dtype and leaf.dtype not in numbers and leaf.dtype != "float32" else ""
    kind = leaf.kind if leaf.variable else ""
    return " ".join(filter(None, [numbers, dtype, f"in {kind}" if kind else ""]))
