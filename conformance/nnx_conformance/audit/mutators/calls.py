"""Operators on calls, their number, and results."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from libcst import matchers as m

from nnx_conformance.audit.mutators.edit import Edit, ParsedSource

#: The rounds at which a loop stops; for fewer calls it is right.
STOPS = (1, 2, 8, 16, 31, 48)
CALL = m.SimpleStatementLine(body=[m.OneOf(m.Expr(value=m.Call()), m.Assign(value=m.Call()))])
BARE_CALL = m.SimpleStatementLine(body=[m.Expr(value=m.Call())])
DTYPES = ("float16", "bfloat16", "int32")


def shift_loop(source: ParsedSource) -> Iterator[Edit]:
    """Run a loop once more, or once less."""
    for call in _ranges(source):
        end = source.code(call.args[0].value)
        for shifted in (f"{end} - 1", f"{end} + 1"):
            yield Edit(call, cst.parse_expression(f"range({shifted})"))


def stop_loop(source: ParsedSource) -> Iterator[Edit]:
    """Stop a loop after a number of rounds, so that it is wrong from the next one on."""
    for call in _ranges(source):
        for most in STOPS:
            yield Edit(call, cst.parse_expression(f"range(min({source.code(call.args[0].value)}, {most}))"))


def _ranges(source: ParsedSource) -> Iterator[cst.Call]:
    for call in source.find(cst.Call):
        if m.matches(call, m.Call(func=m.Name("range"), args=[m.Arg(keyword=None)])):
            yield call


def drop_call(source: ParsedSource) -> Iterator[Edit]:
    """Drop a call: the whole statement, or replace `f(x)` or `x.f()` by `x`."""
    for statement in _call_statements(source):
        if m.matches(statement, BARE_CALL) or _in_loop(source, statement):
            yield Edit(statement, statement.with_changes(body=[cst.Pass()]))
    for call in source.find(cst.Call):
        if m.matches(call, m.Call(func=m.Attribute(), args=[])) and isinstance(call.func, cst.Attribute):
            yield Edit(call, call.func.value)
        elif m.matches(call, m.Call(func=m.Name(), args=[m.Arg(keyword=None, star="")])):
            yield Edit(call, call.args[0].value)


def double_call(source: ParsedSource) -> Iterator[Edit]:
    """Call twice where it was called once."""
    for statement in _call_statements(source):
        yield Edit(statement, (statement, statement.deep_clone()))


def _call_statements(source: ParsedSource) -> Iterator[cst.SimpleStatementLine]:
    for function in source.find(cst.FunctionDef):
        for statement in source.find(cst.SimpleStatementLine, function):
            if m.matches(statement, CALL):
                yield statement


def _in_loop(source: ParsedSource, statement: cst.SimpleStatementLine) -> bool:
    return any(statement in list(source.find(cst.SimpleStatementLine, loop)) for loop in source.find(cst.For))


def swap_results(source: ParsedSource) -> Iterator[Edit]:
    """Exchange the first two parts of a result."""
    for parts in _results(source):
        first, second, *others = parts.elements
        swapped = (first.with_changes(value=second.value), second.with_changes(value=first.value), *others)
        yield Edit(parts, parts.with_changes(elements=swapped))


def answer_from_arguments(source: ParsedSource) -> Iterator[Edit]:
    """Return an argument, or its sum, instead of a computed part of the result."""
    parameters = [param.name.value for function in source.functions(source.entry) for param in function.params.params]
    for parts in _results(source):
        for element in parts.elements:
            for name in parameters:
                for text in (name, f"{name}.sum()"):
                    if text != source.code(element.value):
                        yield Edit(element, element.with_changes(value=cst.parse_expression(text)))


def _results(source: ParsedSource) -> Iterator[cst.List | cst.Tuple]:
    for function in source.functions(source.entry):
        for returned in source.find(cst.Return, function):
            results: list[cst.List | cst.Tuple] = [*source.find(cst.List, returned), *source.find(cst.Tuple, returned)]
            yield from (parts for parts in results if len(parts.elements) > 1)


def cast(source: ParsedSource) -> Iterator[Edit]:
    """Return another dtype, from the function and from a module's call."""
    for name in (source.entry, "__call__"):
        for function in source.functions(name):
            for returned in source.find(cst.Return, function):
                if returned.value is not None:
                    code = source.code(returned.value)
                    for dtype in DTYPES:
                        yield Edit(returned.value, cst.parse_expression(f'({code}).astype("{dtype}")'))


def compile_call(source: ParsedSource) -> Iterator[Edit]:
    """Compile the module's call with `jax.jit` or `nnx.jit`, or the function with `jax.jit`."""
    for name, transforms in (("__call__", ("jax.jit", "nnx.jit")), (source.entry, ("jax.jit",))):
        for function in source.functions(name):
            for transform in transforms:
                decorator = cst.Decorator(cst.parse_expression(transform))
                imports = "import jax" if transform == "jax.jit" else "from flax import nnx"
                decorated = function.with_changes(decorators=[decorator, *function.decorators])
                yield Edit(function, decorated, imports, f"`{name}` is decorated with `@{transform}`")


def change_number(source: ParsedSource) -> Iterator[Edit]:
    """Increase a number by one, or subtract instead of adding."""
    for fraction in source.find(cst.Float):
        yield Edit(fraction, cst.Float(repr(float(fraction.value) + 1.0)))
    for whole in source.find(cst.Integer):
        yield Edit(whole, cst.Integer(str(int(whole.value, 0) + 1)))
    for operation in source.find(cst.BinaryOperation):
        if isinstance(operation.operator, cst.Add):
            yield Edit(operation, operation.with_changes(operator=cst.Subtract()))
