"""The runner `pair`: calls the module beside another one of the same factory, and notes what the two have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import Keeper, Side
from nnx_conformance.contracts.module_laws.execution.snapshots import classes, nodes, state, variables
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.lines.outliving import at_class_level, keeper, outliving
from nnx_conformance.observe.lines.trail import Followed

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution


def pair(run: Execution) -> Any:
    """Call it beside another one."""
    other = run.harness.make(run.program.seed)
    run.notes["shared"] = shared = _shared(run.module, other)
    before = Side(state=state(other))
    kept = at_class_level(classes(run.module), run.harness.source)
    prints = [each.take() for each in kept]
    outputs = run.plainly()
    changed = [each for each, old in zip(kept, prints, strict=True) if each.take() != old]
    if shared:
        common = [value for value in _objects(run.module) if any(value is its for its in _objects(other))]
        followed = [*kept, *outliving(run.harness.subject.make, run.harness.source)]
        changed = [found] if (found := keeper(followed, common)) else []
    run.notes["keepers"] = tuple(_named(run, each) for each in changed)
    run.compare("instances-independent", "another instance", Side(state=state(other)), before)
    return outputs


def _named(run: Execution, followed: Followed) -> Keeper:
    return Keeper(followed.name, run.harness.source.line(*followed.home) if followed.home else None)


def _objects(module: Any) -> list[Any]:
    """The nodes and Variables of a module, and Variables of its classes."""
    attributes = [value for cls in classes(module) for value in vars(cls).values() if isinstance(value, nnx.Variable)]
    return [*(node for _, node in nodes(module)), *variables(module).values(), *attributes]


def _shared(module: Any, other: Any) -> tuple[str, ...]:
    """The Variables that two modules have in common, and those that are attributes of their classes; of one, itself."""
    if module is other:
        return ("",)
    others = {id(variable) for variable in variables(other).values()}
    common = [plain(path) for path, variable in variables(module).items() if id(variable) in others]
    members = ((cls.__name__, *item) for cls in classes(module) for item in vars(cls).items())
    common += [f"{cls}.{name}" for cls, name, value in members if isinstance(value, nnx.Variable)]
    return tuple(dict.fromkeys(common))
