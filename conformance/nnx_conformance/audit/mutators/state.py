"""Operators on state: its wrapper, its type and its lifetime."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from libcst import matchers as m

from nnx_conformance.audit.mutators.edit import Edit, ParsedSource

#: Types that all supported Flax versions have. An optimiser changes a `Param`; the others behave like `Variable`.
TYPES = ("Param", "BatchStat", "Cache", "Intermediate")
OWN = m.Attribute(value=m.Name("self"))
#: A call whose name begins with a capital, so that it is a class: `nnx.Variable`, `nnx.BatchStat`, a type of its own.
WRAPPED = m.Call(
    func=m.OneOf(m.Attribute(attr=m.Name(m.MatchRegex("[A-Z].*"))), m.Name(m.MatchRegex("[A-Z].*"))),
    args=[m.Arg(keyword=None), m.ZeroOrMore()],
)
MAKES = m.Assign(targets=[m.AssignTarget(target=OWN)], value=WRAPPED)
CONTENTS = m.OneOf(
    m.Attribute(value=OWN, attr=m.OneOf(m.Name("value"), m.Name("raw_value"))),
    m.Subscript(value=OWN, slice=[m.SubscriptElement(slice=m.Index(value=m.Ellipsis()))]),
)
WRITES = m.Expr(
    value=m.Call(
        func=m.Attribute(value=OWN, attr=m.OneOf(m.Name("copy_from"), m.Name("set_value"))), args=[m.Arg(keyword=None)]
    )
)


def drop_wrapper(source: ParsedSource) -> Iterator[Edit]:
    """Replace a Variable by its bare value: in `__init__`, or by assigning to the attribute."""
    for assign in source.find(cst.Assign):
        if m.matches(assign, MAKES) and isinstance(assign.value, cst.Call):
            yield Edit(assign.value, assign.value.args[0].value)
        for target in assign.targets:
            if m.matches(target.target, CONTENTS) and isinstance(target.target, (cst.Attribute, cst.Subscript)):
                yield Edit(target, target.with_changes(target=target.target.value))
    for write in source.find(cst.Expr):
        if m.matches(write, WRITES):
            call = cst.ensure_type(write.value, cst.Call)
            attribute, value = cst.ensure_type(call.func, cst.Attribute).value, call.args[0].value
            if isinstance(value, cst.Call) and m.matches(value, WRAPPED):
                value = value.args[0].value
            target = cst.AssignTarget(cst.ensure_type(attribute, cst.Attribute))
            yield Edit(write, cst.Assign([target], value))


def change_type(source: ParsedSource) -> Iterator[Edit]:
    """Use another type for an attribute's Variable, and for the Variables that are copied into it."""
    for assign in source.find(cst.Assign):
        if not m.matches(assign, MAKES) or not isinstance(assign.value, cst.Call):
            continue
        attribute = assign.targets[0].target
        copied = [value for target, value in _copied(source) if target.deep_equals(attribute)]
        for name in TYPES:
            if not source.code(assign.value.func).endswith(name):
                kind = cst.parse_expression(f"nnx.{name}")
                alike = [(call, call.with_changes(func=kind)) for call in copied]
                yield Edit(assign.value, assign.value.with_changes(func=kind), "from flax import nnx", alike=alike)


def _copied(source: ParsedSource) -> Iterator[tuple[cst.BaseExpression, cst.Call]]:
    """The attributes into which a new Variable is copied, with the calls that make it."""
    for write in source.find(cst.Expr):
        if m.matches(write, WRITES):
            call = cst.ensure_type(write.value, cst.Call)
            value = call.args[0].value
            if isinstance(value, cst.Call) and m.matches(value, WRAPPED):
                yield cst.ensure_type(call.func, cst.Attribute).value, value


def hoist_to_class(source: ParsedSource) -> Iterator[Edit]:
    """Make state once in the class body, so that all instances share it."""
    for owner in source.find(cst.ClassDef):
        for method in source.find(cst.FunctionDef, owner):
            for line in source.find(cst.SimpleStatementLine, method):
                if m.matches(line, m.SimpleStatementLine(body=[MAKES])) and not _local(source, method, line):
                    assign = cst.ensure_type(line.body[0], cst.Assign)
                    name = cst.ensure_type(assign.targets[0].target, cst.Attribute).attr
                    description = f"`{source.code(line)}` moves into the body of `{owner.name.value}`"
                    yield Edit(owner, _with_class_attribute(owner, line, name), description=description)


def _with_class_attribute(owner: cst.ClassDef, line: cst.SimpleStatementLine, name: cst.Name) -> cst.CSTNode:
    assign = cst.ensure_type(line.body[0], cst.Assign)
    above = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(name)], assign.value)])
    without = owner.deep_replace(line, line.with_changes(body=[cst.Pass()]))
    body = cst.ensure_type(cst.ensure_type(without, cst.ClassDef).body, cst.IndentedBlock)
    return owner.with_changes(body=body.with_changes(body=[above, *body.body]))


def _local(source: ParsedSource, method: cst.FunctionDef, line: cst.SimpleStatementLine) -> bool:
    """Whether a line uses a parameter of its method."""
    assign = cst.ensure_type(line.body[0], cst.Assign)
    used = {name.value for name in source.find(cst.Name, assign.value)}
    return bool(used & {parameter.name.value for parameter in method.params.params})


def hoist_to_module(source: ParsedSource) -> Iterator[Edit]:
    """Make a model once, on first use, and keep it in a global."""
    own = {definition.name.value for definition in source.find(cst.ClassDef)}
    for function in source.functions(source.entry):
        for assign in source.find(cst.Assign, function):
            called = assign.value.func if isinstance(assign.value, cst.Call) else None
            if isinstance(called, cst.Name) and called.value in own:
                code = f'_KEPT.get("{called.value}") or _KEPT.setdefault("{called.value}", {source.code(assign.value)})'
                kept = assign.with_changes(value=cst.parse_expression(code))
                yield Edit(assign, kept, "_KEPT = {}", f"`{source.code(assign)}` is made once, and kept by the module")
