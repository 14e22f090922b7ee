"""The line to blame for a violation, from the trail of a run; None where the run was not followed line by line."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.core.facts import Call, Line, Run
from nnx_conformance.core.trail import Change, ChangeKind, Steps

STATE, OUTLIVING = ChangeKind.STATE, ChangeKind.OUTLIVING


def changes(run: Run, kind: ChangeKind) -> Iterator[Change]:
    """What lines changed, of one kind."""
    return (change for change in (run.trail.changes if run.trail else ()) if change.kind == kind)


def returned(run: Run) -> Line | None:
    """The line that returned the result of a run."""
    return run.trail.returned if run.trail else None


def steps(run: Run, call: Call) -> Steps | None:
    """The lines of one call of the run."""
    if run.trail is None or call not in run.calls:
        return None
    position = next(number for number, other in enumerate(run.calls) if other is call)
    return run.trail.calls[position] if position < len(run.trail.calls) else None


def loop(run: Run, call: Call) -> Line | None:
    """The loop in which a call is made; without one, the line of the call."""
    at = steps(run, call)
    return (at.loop if at else None) or call.line


def output(run: Run, call: Call) -> Line | None:
    """The line from which a call's output comes."""
    at = steps(run, call)
    return (at.output if at else None) or call.line


def entered(*runs: Run | None) -> Line | None:
    """Where a call of a module was handed to a transform."""
    lines = (call.entered for run in runs if run and run.trail for call in run.trail.calls)
    return next(filter(None, lines), None)


def moved_at(run: Run, path: str, *, inside: bool) -> Line | None:
    """The line that changed what sits at a path, during the module's calls or outside of them."""
    name, builders = _named(path), {module.line for module in run.modules}
    moves = (change for change in changes(run, STATE) if change.inside is inside and _named(change.name) == name)
    return next((change.line for change in moves if change.before != "nothing" and change.line not in builders), None)


def moved_by(run: Run, path: str, last: float) -> Line | None:
    """The line that made what sits at a path this number."""
    moves = [change for change in changes(run, STATE) if _named(change.name) == _named(path) and change.last == last]
    return moves[-1].line if moves else None


def written_at(run: Run) -> Line | None:
    """The line that writes to the contents of a Variable during the module's calls, whether it changes them or not."""
    return next((change.line for change in changes(run, ChangeKind.CONTENTS) if change.inside), None)


def constructed_at(run: Run, path: str) -> Line | None:
    """The line that put a Variable at a path; where none is known, the line that made the module."""
    name = _named(path)
    born = [change for change in changes(run, STATE) if _named(change.name) == name and change.before != change.after]
    if born:
        return born[-1].line
    return next((module.line for module in run.modules), None)


def _named(path: str) -> str:
    """The attribute that a path leads to, without what is in it: `tally.counts[0]` is in `counts`."""
    return path.partition("[")[0].rpartition(".")[2]


def keeper(run: Run) -> Change | None:
    """What outlives the call and was changed by it; a name that holds a module before others."""
    kept = list(changes(run, OUTLIVING))
    names = {module.name for module in run.modules}
    return next((change for change in kept if change.after in names), next(iter(kept), None))


def written(run: Run) -> Change | None:
    """An assignment to the contents of a Variable."""
    return next(changes(run, ChangeKind.CONTENTS), None)


def counted_at(run: Run) -> Change | None:
    """What changed in the calls without being a Variable: the count, where no Variable holds it."""
    state = [change for change in changes(run, STATE) if change.inside and "Variable" not in change.after]
    kept = [change for change in changes(run, OUTLIVING) if change.inside]
    return next((change for change in (*state, *kept) if change.first is not None or change.kind is OUTLIVING), None)


def replaced_at(run: Run, target: str, before: str, after: str) -> Line | None:
    """The line that put something else where a Variable was."""
    for change in changes(run, STATE):
        if (change.before, change.after) == (before, after) and _named(change.name) == _named(target):
            return change.line
    return None


def empty_loop(run: Run) -> Line | None:
    """The first loop that the candidate came to, where none of them led to a call."""
    return next(iter(run.trail.loops), None) if run.trail else None


def changed_argument(run: Run, name: str) -> Line | None:
    """The line after which an argument was deleted, or another than before."""
    return next((change.line for change in changes(run, ChangeKind.ARGUMENT) if change.name == name), None)
