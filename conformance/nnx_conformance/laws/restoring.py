"""Acts that save a module's state and go on from it: in the live module, in a new one, and in a new process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnx_conformance.laws import checkpoints, handing, operations
from nnx_conformance.laws.language import OTHER
from nnx_conformance.laws.seen import Pair, Side
from nnx_conformance.laws.snapshots import state, tree
from nnx_conformance.laws.transplants import transplant

if TYPE_CHECKING:
    from nnx_conformance.laws.running import Run

LAW = "checkpoint-resumes"


def save(run: Run) -> Any:
    """Go on with a new module that holds the saved state; its mode is set before that is loaded, and after."""
    saved = operations.save(run.module)
    late, run.module = (_restored(run, saved, early) for early in (False, True))
    if run.twin.evaluating:
        _compare(run, "restored before eval()", late)
    return run.plainly()


def _compare(run: Run, what: str, module: Any) -> None:
    """Call a module that was restored, which must come to what the twin has come to."""
    got = Side(tree(run.bench.call(module, run.word.input)), state(module), None)
    wanted = Side(tree(run.wanted), state(run.twin.module), None)
    run.notes.pairs.append(Pair(LAW, what, got, wanted))


def _restored(run: Run, saved: bytes, early: bool) -> Any:
    """A module made from another seed, with the saved state; its mode is set before that is loaded, or after."""
    fresh = _like(run, run.todo.seed + OTHER)
    if early:
        _set_mode(run, fresh)
    operations.load(fresh, saved)
    if not early:
        _set_mode(run, fresh)
    return fresh


def _set_mode(run: Run, module: Any) -> None:
    if run.twin.evaluating:
        module.eval()
    elif any(what == "mode" for what, _ in run.twin.history):
        module.train()


def _like(run: Run, seed: int) -> Any:
    """A new module, called once if its first call makes Variables: state that is made lazily is restored after that."""
    fresh = run.bench.make(seed)
    _set_mode(run, fresh)
    if run.bench.lazy(run.word.input):
        run.bench.call(fresh, run.word.input)
    return fresh


def reload(run: Run) -> Any:
    """Load the saved state into the module itself."""
    saved = operations.save(run.module)
    before = tree(run.bench.call(run.module, run.word.input))
    operations.load(run.module, saved)
    outputs = run.plainly()
    sides = Side(tree(outputs), (), None), Side(before, (), None)
    run.notes.pairs.append(Pair(LAW, "called again from its own saved state", *sides))
    return outputs


def restart(run: Run) -> Any:
    """Go on, in a new process, from the checkpoints that an earlier one has handed over."""
    with handing.unpacked(run.request.files) as folder:
        run.notes.forms = handing.forms(folder)
        written = [told.name for told in run.notes.forms if not told.value]
        modules = {form.name: _from_disk(run, form, folder) for form in checkpoints.FORMS if form.name in written}
    first, *others = modules
    for name in others:
        _compare(run, f"restored from a checkpoint of {name}", modules[name])
    run.module = modules[first]
    return run.plainly()


def _from_disk(run: Run, form: checkpoints.Form, folder: Any) -> Any:
    fresh = _like(run, run.todo.seed + OTHER)
    checkpoints.restore(fresh, form.read(folder / form.name, checkpoints.arrays(fresh)))
    return fresh


def graft(run: Run) -> Any:
    """Go on with a new module that holds the state, Variable by Variable."""
    run.module = grafted(run)
    return run.plainly()


def grafted(run: Run, seed: int | None = None, keys: bool = True) -> Any:
    """A new module that holds the state of this one."""
    fresh = _like(run, run.todo.seed if seed is None else seed)
    transplant(run.module, fresh, keys=keys)
    _set_mode(run, fresh)
    return fresh
