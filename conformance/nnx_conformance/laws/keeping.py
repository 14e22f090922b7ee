"""The laws of a module's own state: what a call in plain Python may do to it."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, MUST, Check, Judgement, NotApplicable, Violation, check
from nnx_conformance.laws.agreements import CALLS, CAUSES
from nnx_conformance.laws.differences import text
from nnx_conformance.laws.lines import written
from nnx_conformance.laws.seen import Leaf, Observation
from nnx_conformance.laws.trajectory import Move, calls_of, of_subject, of_twin
from nnx_conformance.plain_text import short

KEPT, STABLE, UNTOUCHED, GROWTH = "wrapper-kept", "structure-stable", "params-untouched", "no-growth"
EVAL = "eval-frozen"
NO_CALL = NotApplicable("no call of it was made")
#: A first call makes state, a second may change the graph once more: a property setter does, on Flax 0.11 and 0.12.
SETTLED = 2


def _causes(law: str) -> tuple[str, ...]:
    return CAUSES[: CAUSES.index(law)]


@check(
    id=CALLS,
    level=MUST,
    requirement="Each call in plain Python returns: the second and later ones too, and in each mode.",
    remedy="Make in `__init__` all that a call reads, and let each call leave the module as the next one needs it.",
    wrong="self.count = self.count + 1  # the next call asks an array for `.value`",
    right="self.count[...] = self.count[...] + 1",
    domain=CALLS,
    others=(CORE,),
)
def calls_return(case: Case, seen: Observation) -> Judgement:
    if seen.skipped:
        return NotApplicable(seen.skipped)
    for at, step in enumerate(seen.steps):
        if raised := step.twin.raised:
            number = _calls(seen, at) + 1
            what = f"call {number} of a module in plain Python raised {raised.type}: {short(raised.message)}"
            return Violation(
                what, "a result", raised.type, line=raised.line, symptom_of=(KEPT,), follows=_causes(GROWTH)
            )
    return None if any(not step.skipped for step in seen.steps) else NO_CALL


def _calls(seen: Observation, at: int) -> int:
    return sum(move.at < at for move in calls_of(of_twin(seen)))


@check(
    id=KEPT,
    level=MUST,
    requirement="No attribute that held a Variable comes to hold something else.",
    remedy="Write to the contents, `self.count[...] = ...` (`.value` before Flax 0.10.7); assigning to the attribute "
    "replaces the Variable.",
    wrong="self.count = self.count + 1",
    right="self.count[...] = self.count[...] + 1",
    domain=KEPT,
    others=(CORE,),
)
def wrapper_kept(case: Case, seen: Observation) -> Judgement:
    if seen.skipped or not seen.steps:
        return NotApplicable(seen.skipped or NO_CALL.reason)
    for move in (*of_twin(seen), *of_subject(seen)):
        for path, was in _variables(move.before).items():
            if found := _in_place(move.after, path):
                what = f"in {move.name}, `{path}` went from {was.kind} to {found.kind}"
                cause = "assigning to the attribute replaces the Variable"
                return Violation(what, was.kind, found.kind, cause=cause, line=written(seen.steps, path))
    return None


def _variables(leaves: tuple[Leaf, ...]) -> dict[str, Leaf]:
    return {leaf.path.split("/")[0]: leaf for leaf in leaves if leaf.variable}


def _in_place(leaves: tuple[Leaf, ...], path: str) -> Leaf | None:
    """What sits where a Variable was, or below it; None if that is a Variable, or nothing."""
    if path in _variables(leaves):
        return None
    below = [leaf for leaf in leaves if leaf.path == path or leaf.path.startswith((f"{path}[", f"{path}."))]
    return next((leaf for leaf in below if not leaf.variable), None)


@check(
    id=STABLE,
    level=MUST,
    requirement="After the first call, calls change neither graph structure nor any leaf's shape, dtype or weak type.",
    remedy="Make all state in `__init__`, with the dtype that it will have, and cast what is written: "
    "`self.mean[...] = mean.astype(self.mean.dtype)`.",
    wrong="self.calls += 1  # a Python number is part of the graph's structure: each jitted call compiles anew",
    right="self.calls[...] = self.calls[...] + 1",
    domain=STABLE,
    others=(CORE,),
)
def structure_stable(case: Case, seen: Observation) -> Judgement:
    if seen.skipped or not seen.steps:
        return NotApplicable(seen.skipped or NO_CALL.reason)
    if seen.declares("grows"):
        return NotApplicable("it grows state on purpose")
    moves = list(calls_of(of_twin(seen)))
    for move in moves:
        if move.step.operation != "optimize" and (move.alike or not move.calls) and (found := _reshaped(move)):
            return found
    return _restructured(seen) or _retraced(seen) or (None if moves else NO_CALL)


def _reshaped(move: Move) -> Violation | None:
    held, holds = move.held(), move.holds()
    for path, was in held.items():
        now = holds.get(path)
        if not was.state or (now is not None and not now.variable and was.variable):
            continue
        if now is None:
            return _unstable(move, path, f"`{path}` is gone", text(was), "nothing")
        if was.variable and now.variable and was.shared != now.shared:
            said = [
                f"one Variable with `{leaf.shared}`" if leaf.shared else "a Variable of its own" for leaf in (was, now)
            ]
            return _unstable(move, path, f"`{path}` is shared with other attributes in another way", *said)
        # A first call may make a weak type strong: that is how a Python number becomes an array.
        shapes = [(*_shape(leaf), leaf.weak and bool(move.calls)) for leaf in (was, now)]
        if was.array is not None and now.array is not None and was.dtype and now.dtype and shapes[0] != shapes[1]:
            return _unstable(move, path, f"`{path}` changed", _typed(was), _typed(now))
    added = [path for path, leaf in holds.items() if leaf.state and path not in held]
    if added and move.calls:
        return _unstable(move, added[0], f"`{added[0]}` was added", "nothing", text(holds[added[0]]))
    return None


def _shape(leaf: Leaf) -> tuple[object, ...]:
    return leaf.dtype, None if leaf.array is None else leaf.array.shape


def _typed(leaf: Leaf) -> str:
    assert leaf.array is not None
    return f"{leaf.dtype}{list(leaf.array.shape)}{' (weak type)' if leaf.weak else ''}"


def _unstable(move: Move, path: str, what: str, expected: str, observed: str) -> Violation:
    cause = "a jitted call compiles anew whenever structure, shape, dtype or weak type of the state is another"
    where = f"{move.name} (call {move.calls + 1})"
    line = written([move.step], path)
    return Violation(f"in {where}, {what}", expected, observed, line, cause, follows=_causes(STABLE))


def _restructured(seen: Observation) -> Violation | None:
    for move in calls_of(of_subject(seen)):
        if move.step.graph_changed and move.calls >= SETTLED:
            before = {leaf.path: leaf for leaf in move.before if not leaf.state}
            changed = [
                (path, text(before.get(path)), text(leaf))
                for path, leaf in move.holds().items()
                if not leaf.state and text(before.get(path)) != text(leaf)
            ]
            if not changed and (other := _came_or_went(move)):
                return other
            path, was, now = changed[0] if changed else ("", "as it was after the first calls", "another")
            what = f"`{path}`, which is part of the graph's structure," if path else "the graph's structure"
            return _unstable(move, path, f"{what} changed", was, now)
    return None


def _came_or_went(move: Move) -> Violation | None:
    """The first place of the state that a call, on whatever shape of input, added, took away or gave another kind."""
    held, holds = move.held(), move.holds()
    for path, leaf in {**held, **holds}.items():
        if leaf.state and path not in held:
            return _unstable(move, path, f"`{path}` was added", "nothing", text(leaf))
        if leaf.state and path not in holds:
            return _unstable(move, path, f"`{path}` is gone", text(leaf), "nothing")
        if leaf.state and leaf.kind != held[path].kind:
            was = held[path].kind
            return _unstable(move, path, f"`{path}` went from {was} to {leaf.kind}", was, leaf.kind)
    return None


def _retraced(seen: Observation) -> Violation | None:
    """Whether the third or a later jitted call of one kind still compiles."""
    count = 0
    for move in of_subject(seen):
        if move.step.operation != "jit":
            count = 0
            continue
        count = count + 1 if move.alike else 1
        if count > SETTLED + 1 and move.step.traces:
            return _unstable(
                move, "", "`nnx.jit` compiled once more", "compiled once", f"compiled again at call {count}"
            )
    return None


@check(
    id=UNTOUCHED,
    level=MUST,
    requirement="A call leaves every `nnx.Param` as it was.",
    remedy="Keep what calls write in another kind of Variable (`nnx.BatchStat`, `nnx.Cache`, your own), or declare "
    "`rewrites_param`.",
    wrong="self.mean = nnx.Param(jnp.zeros(4))  # written by each call",
    right="self.mean = nnx.BatchStat(jnp.zeros(4))",
    domain=UNTOUCHED,
    others=(CORE,),
)
def params_untouched(case: Case, seen: Observation) -> Judgement:
    if seen.skipped or seen.declares("rewrites_param"):
        return NotApplicable(seen.skipped or "it rewrites a Param on purpose")
    if not any(leaf.param for step in seen.steps for leaf in step.twin.state):
        return NotApplicable("it has no nnx.Param")
    for move in calls_of(of_twin(seen)):
        if move.step.operation != "optimize" and (path := rewritten(move)):
            was, now = text(move.held()[path]), text(move.holds()[path])
            what = f"in {move.name}, a plain call changed the Param `{path}`"
            line = written(seen.steps, path)
            return Violation(what, was, now, line, cause="an optimiser and weight decay take hold of every Param")
    return None


def rewritten(move: Move) -> str:
    """A Param that a call changed; empty if there is none."""
    held = move.held()
    for path, now in move.holds().items():
        was = held.get(path)
        if was is None or not (now.param and was.param) or now.array is None or was.array is None:
            continue
        if was.array.tobytes() != now.array.tobytes():
            return path
    return ""


@check(
    id=GROWTH,
    level=MUST,
    requirement="Neither the number nor the size of the state's leaves grows with the number of calls.",
    remedy="Overwrite state instead of adding to it, or declare `grows`.",
    wrong="self.sow(nnx.Intermediate, 'h', h)  # one more array in each call",
    right="self.h[...] = h",
    domain=GROWTH,
    others=(CORE,),
)
def no_growth(case: Case, seen: Observation) -> Judgement:
    if seen.skipped or seen.declares("grows"):
        return NotApplicable(seen.skipped or "it grows state on purpose")
    moves = [move for move in calls_of(of_twin(seen)) if move.calls and move.alike]
    for move in moves:
        before, after = _size(move.before), _size(move.after)
        if after[0] > before[0] or after[1] > before[1]:
            what = f"in {move.name} (call {move.calls + 1}), the state grew"
            cause = "a call in eval mode adds to the state" if move.evaluating else "each call adds to the state"
            was, now = (f"{count} leaves with {size} numbers" for count, size in (before, after))
            line = written([move.step], _grown(move))
            follows = (*_causes(GROWTH), *((EVAL,) if move.evaluating else ()))
            return Violation(what, was, now, line, cause, follows=follows)
    return None if moves else NotApplicable("it was not called twice on one shape")


def _grown(move: Move) -> str:
    """The first leaf that is new, or larger than it was; empty if there is none."""
    held = move.held()
    for path, now in move.holds().items():
        was = held.get(path)
        if was is None or (now.array is not None and was.array is not None and now.array.size > was.array.size):
            return path
    return ""


def _size(leaves: tuple[Leaf, ...]) -> tuple[int, int]:
    """How many arrays, and how many numbers in them; arrays in plain containers too."""
    arrays = [leaf.array for leaf in leaves if leaf.array is not None and (leaf.state or leaf.dtype)]
    return len(arrays), sum(array.size for array in arrays)


CHECKS: tuple[Check, ...] = (wrapper_kept, structure_stable, params_untouched, calls_return, no_growth)
