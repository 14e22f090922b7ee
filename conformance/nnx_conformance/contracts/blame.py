"""The line to blame for a violation, from the trail of a run; None if the run was not followed line by line."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.core.facts import Call, Line, Run
from nnx_conformance.core.trail import Change, ChangeKind, Steps

STATE, OUTLIVING = ChangeKind.STATE, ChangeKind.OUTLIVING


def changes(run: Run, kind: ChangeKind) -> Iterator[Change]:
    """The changes of one kind."""
    return (change for change in (run.trail.changes if run.trail else ()) if change.kind == kind)


def returned(run: Run) -> Line | None:
    """The line that returned the result of a run."""
    return run.trail.returned if run.trail else None


def steps(run: Run, call: Call) -> Steps | None:
    """The lines of one call of the run; None without a trail."""
    if run.trail is None or call not in run.calls:
        return None
    position = next(number for number, other in enumerate(run.calls) if other is call)
    return run.trail.calls[position] if position < len(run.trail.calls) else None


def loop(run: Run, call: Call) -> Line | None:
    """The loop around a call; without one, the line of the call."""
    lines = steps(run, call)
    return (lines.loop if lines else None) or call.line


def output(run: Run, call: Call) -> Line | None:
    """The line that returned a call's output; without a trail, the line of the call."""
    lines = steps(run, call)
    return (lines.output if lines else None) or call.line


def entered(*runs: Run | None) -> Line | None:
    """The first line that passed a module's call to a transform."""
    lines = (call.entered for run in runs if run and run.trail for call in run.trail.calls)
    return next(filter(None, lines), None)


def moved_at(run: Run, path: str, *, inside: bool) -> Line | None:
    """The line that changed the value at a path, inside the module's calls or outside of them."""
    name, builders = _named(path), {module.line for module in run.modules}
    moves = (change for change in changes(run, STATE) if change.inside is inside and _named(change.name) == name)
    return next((change.line for change in moves if change.before != "nothing" and change.line not in builders), None)


def moved_by(run: Run, path: str, last: float) -> Line | None:
    """The last line that set the value at a path to this number."""
    moves = [change for change in changes(run, STATE) if _named(change.name) == _named(path) and change.last == last]
    return moves[-1].line if moves else None


def written_at(run: Run) -> Line | None:
    """The line that writes to the contents of a Variable in a module call, whether or not they change."""
    return next((change.line for change in changes(run, ChangeKind.CONTENTS) if change.inside), None)


def constructed_at(run: Run, path: str) -> Line | None:
    """The line that put a Variable at a path; if unknown, the line that made the first module."""
    name = _named(path)
    born = [change for change in changes(run, STATE) if _named(change.name) == name and change.before != change.after]
    if born:
        return born[-1].line
    return next((module.line for module in run.modules), None)


def _named(path: str) -> str:
    """The attribute in a path, `counts` for `tally.counts[0]`."""
    return path.partition("[")[0].rpartition(".")[2]


def keeper(run: Run) -> Change | None:
    """The change to an object that outlives the call; preferably to one that holds a module."""
    outliving = list(changes(run, OUTLIVING))
    names = {module.name for module in run.modules}
    return next((change for change in outliving if change.after in names), next(iter(outliving), None))


def written(run: Run) -> Change | None:
    """The first assignment to the contents of a Variable."""
    return next(changes(run, ChangeKind.CONTENTS), None)


def counted_at(run: Run) -> Change | None:
    """The change, inside the calls, of a count that no Variable holds: of a plain attribute or an outliving object."""
    state = [change for change in changes(run, STATE) if change.inside and "Variable" not in change.after]
    kept = [change for change in changes(run, OUTLIVING) if change.inside]
    return next((change for change in (*state, *kept) if change.first is not None or change.kind is OUTLIVING), None)


def replaced_at(run: Run, target: str, before: str, after: str) -> Line | None:
    """The line that replaced a Variable of type `before` by a value of type `after`."""
    for change in changes(run, STATE):
        if (change.before, change.after) == (before, after) and _named(change.name) == _named(target):
            return change.line
    return None


def empty_loop(run: Run) -> Line | None:
    """The first loop that ran, if no module call was made."""
    return next(iter(run.trail.loops), None) if run.trail else None


def changed_argument(run: Run, name: str) -> Line | None:
    """The line that deleted or changed an argument."""
    return next((change.line for change in changes(run, ChangeKind.ARGUMENT) if change.name == name), None)
