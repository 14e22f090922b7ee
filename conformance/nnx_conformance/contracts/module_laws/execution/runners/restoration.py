"""Runners that restore a module's state: in the live module, in a new one, and in a new process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnx_conformance.contracts.module_laws.evidence import Side
from nnx_conformance.contracts.module_laws.execution import operations
from nnx_conformance.contracts.module_laws.execution.runners import checkpoints, handover
from nnx_conformance.contracts.module_laws.execution.snapshots import side, transplant, tree
from nnx_conformance.contracts.module_laws.program.language import OTHER

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

LAW = "checkpoint-resumes"


def save(run: Execution) -> Any:
    """Continue with a new module that loads the saved state; in eval mode, compare one that sets its mode later."""
    saved = operations.save(run.module)
    late, run.module = (_restored(run, saved, mode_again) for mode_again in (True, False))
    if run.twin.evaluating:
        _compare(run, "restored before eval()", late)
    return run.plainly()


def _compare(run: Execution, name: str, module: Any) -> None:
    """Call a restored module, which must end with the twin's outputs and state."""
    got = side(module, run.harness.call(module, run.word.input))
    run.compare(LAW, name, got, side(run.twin.module, run.wanted))


def _restored(run: Execution, saved: bytes, mode_again: bool) -> Any:
    """A module from another seed with the saved state; its mode is set before loading, with `mode_again` after too."""
    fresh = _like(run, run.program.seed + OTHER)
    operations.load(fresh, saved)
    if mode_again:
        _set_mode(run, fresh)
    return fresh


def _set_mode(run: Execution, module: Any) -> None:
    if run.twin.evaluating:
        module.eval()
    elif any(kind == "mode" for kind, _ in run.twin.history):
        module.train()


def _like(run: Execution, seed: int) -> Any:
    """A new module in the twin's mode. If its first call creates Variables, it is called once: they must exist."""
    fresh = run.harness.make(seed)
    _set_mode(run, fresh)
    if run.harness.lazy(run.word.input):
        run.harness.call(fresh, run.word.input)
    return fresh


def reload(run: Execution) -> Any:
    """Load the saved state into the module itself."""
    saved = operations.save(run.module)
    before = tree(run.harness.call(run.module, run.word.input))
    operations.load(run.module, saved)
    outputs = run.plainly()
    run.compare(LAW, "called again from its own saved state", Side(tree(outputs)), Side(before))
    return outputs


def restart(run: Execution) -> Any:
    """Continue, in a new process, from the checkpoints of the process before."""
    with handover.unpacked(run.request.files) as folder:
        forms = handover.forms(folder)
        run.notes["forms"] = forms
        written = {form.name for form in forms if not form.value}
        modules = {form.name: _from_disk(run, form, folder) for form in checkpoints.FORMS if form.name in written}
    first, *others = modules
    for name in others:
        _compare(run, f"restored from a checkpoint of {name}", modules[name])
    run.module = modules[first]
    return run.plainly()


def _from_disk(run: Execution, form: checkpoints.CheckpointForm, folder: Any) -> Any:
    fresh = _like(run, run.program.seed + OTHER)
    checkpoints.restore(fresh, form.read(folder / form.name, checkpoints.arrays(fresh)))
    return fresh


def graft(run: Execution) -> Any:
    """Continue with a new module that gets the state, Variable by Variable."""
    run.module = grafted(run)
    return run.plainly()


def grafted(run: Execution) -> Any:
    """A new module with the state of the program's module."""
    fresh = _like(run, run.program.seed)
    transplant(run.module, fresh)
    _set_mode(run, fresh)
    return fresh
