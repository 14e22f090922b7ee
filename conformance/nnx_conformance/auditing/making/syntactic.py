"""The reference with one change in its syntax, for each operator and each place in it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from nnx_conformance.auditing.making import on_calls, on_state
from nnx_conformance.auditing.making.edit import Edit, Reading
from nnx_conformance.auditing.subject import Subject

#: By the name that their mutants have.
OPERATORS: dict[str, Callable[[Reading], Iterator[Edit]]] = {
    "drop-wrapper": on_state.drop_wrapper,
    "change-type": on_state.change_type,
    "hoist-to-class": on_state.hoist_to_class,
    "hoist-to-module": on_state.hoist_to_module,
    "shift-loop": on_calls.shift_loop,
    "stop-loop": on_calls.stop_loop,
    "drop-call": on_calls.drop_call,
    "double-call": on_calls.double_call,
    "swap-results": on_calls.swap_results,
    "answer-from-arguments": on_calls.answer_from_arguments,
    "cast": on_calls.cast,
    "compile-call": on_calls.compile_call,
    "change-number": on_calls.change_number,
}


def syntactic(source: str, entry: str) -> Iterator[Subject]:
    """The mutants of a reference solution; no two of the same code, and none of the reference's own.

    Args:
        source: the reference.
        entry: the name of its function.
    """
    reading = Reading(source, entry)
    seen = {ast.dump(ast.parse(source))}
    for operator, places in OPERATORS.items():
        for number, edit in enumerate(places(reading), 1):
            made = reading.made(edit)
            if (form := ast.dump(ast.parse(made))) not in seen:
                seen.add(form)
                yield Subject(f"{operator}-{number}", "made", reading.told(edit), made.encode())
