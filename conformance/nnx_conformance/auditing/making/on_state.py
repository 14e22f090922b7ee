"""Operators on where state lives: its wrapper, its type, and how long it lives."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from libcst import matchers as m

from nnx_conformance.auditing.making.edit import Edit, Reading

#: On every Flax that is supported. `Param` is what an optimiser would change; the others are as good as `Variable`.
TYPES = ("Param", "BatchStat", "Cache", "Intermediate")
OWN = m.Attribute(value=m.Name("self"))
#: A capital begins the name of a class; `nnx.Variable`, `nnx.BatchStat`, an own type.
WRAPPED = m.Call(
    func=m.OneOf(m.Attribute(attr=m.Name(m.MatchRegex("[A-Z].*"))), m.Name(m.MatchRegex("[A-Z].*"))),
    args=[m.Arg(keyword=None), m.ZeroOrMore()],
)
MAKES = m.Assign(targets=[m.AssignTarget(target=OWN)], value=WRAPPED)
CONTENTS = m.OneOf(
    m.Attribute(value=OWN, attr=m.OneOf(m.Name("value"), m.Name("raw_value"))),
    m.Subscript(value=OWN, slice=[m.SubscriptElement(slice=m.Index(value=m.Ellipsis()))]),
)


def drop_wrapper(reading: Reading) -> Iterator[Edit]:
    """Hold the bare value where a Variable was: from the start, or by assigning to the attribute."""
    for assign in reading.find(cst.Assign):
        if m.matches(assign, MAKES) and isinstance(assign.value, cst.Call):
            yield Edit(assign.value, assign.value.args[0].value)
        for target in assign.targets:
            if m.matches(target.target, CONTENTS) and isinstance(target.target, (cst.Attribute, cst.Subscript)):
                yield Edit(target, target.with_changes(target=target.target.value))


def change_type(reading: Reading) -> Iterator[Edit]:
    """Another Variable type."""
    for assign in reading.find(cst.Assign):
        if not m.matches(assign, MAKES) or not isinstance(assign.value, cst.Call):
            continue
        for name in TYPES:
            if not reading.code(assign.value.func).endswith(name):
                kind = cst.parse_expression(f"nnx.{name}")
                yield Edit(assign.value, assign.value.with_changes(func=kind), imports="from flax import nnx")


def hoist_to_class(reading: Reading) -> Iterator[Edit]:
    """State made once for the class, and shared by all that it makes."""
    for owner in reading.find(cst.ClassDef):
        for method in reading.find(cst.FunctionDef, owner):
            for line in reading.find(cst.SimpleStatementLine, method):
                if m.matches(line, m.SimpleStatementLine(body=[MAKES])) and not _local(reading, method, line):
                    assign = cst.ensure_type(line.body[0], cst.Assign)
                    name = cst.ensure_type(assign.targets[0].target, cst.Attribute).attr
                    told = f"`{reading.code(line)}` moves into the body of `{owner.name.value}`"
                    yield Edit(owner, _with_class_attribute(owner, line, name), told=told)


def _with_class_attribute(owner: cst.ClassDef, line: cst.SimpleStatementLine, name: cst.Name) -> cst.CSTNode:
    assign = cst.ensure_type(line.body[0], cst.Assign)
    above = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(name)], assign.value)])
    without = owner.deep_replace(line, line.with_changes(body=[cst.Pass()]))
    body = cst.ensure_type(cst.ensure_type(without, cst.ClassDef).body, cst.IndentedBlock)
    return owner.with_changes(body=body.with_changes(body=[above, *body.body]))


def _local(reading: Reading, method: cst.FunctionDef, line: cst.SimpleStatementLine) -> bool:
    """Whether a line needs what only the method knows."""
    assign = cst.ensure_type(line.body[0], cst.Assign)
    used = {name.value for name in reading.find(cst.Name, assign.value)}
    return bool(used & {found.name.value for found in method.params.params})


def hoist_to_module(reading: Reading) -> Iterator[Edit]:
    """A model made once, on first use, and kept for whatever runs later."""
    own = {found.name.value for found in reading.find(cst.ClassDef)}
    for function in reading.functions(reading.entry):
        for assign in reading.find(cst.Assign, function):
            called = assign.value.func if isinstance(assign.value, cst.Call) else None
            if isinstance(called, cst.Name) and called.value in own:
                code = (
                    f'_KEPT.get("{called.value}") or _KEPT.setdefault("{called.value}", {reading.code(assign.value)})'
                )
                kept = assign.with_changes(value=cst.parse_expression(code))
                yield Edit(assign, kept, "_KEPT = {}", f"`{reading.code(assign)}` is made once, and kept by the module")
