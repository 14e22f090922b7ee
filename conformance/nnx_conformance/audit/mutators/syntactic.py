"""The reference with one change in its syntax, for each operator and each node to which that applies."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from nnx_conformance.audit.mutators import calls, state
from nnx_conformance.audit.mutators.edit import Edit, ParsedSource
from nnx_conformance.audit.specimens import Specimen

#: By the names of their mutants.
OPERATORS: dict[str, Callable[[ParsedSource], Iterator[Edit]]] = {
    "drop-wrapper": state.drop_wrapper,
    "change-type": state.change_type,
    "hoist-to-class": state.hoist_to_class,
    "hoist-to-module": state.hoist_to_module,
    "shift-loop": calls.shift_loop,
    "stop-loop": calls.stop_loop,
    "drop-call": calls.drop_call,
    "double-call": calls.double_call,
    "swap-results": calls.swap_results,
    "answer-from-arguments": calls.answer_from_arguments,
    "cast": calls.cast,
    "compile-call": calls.compile_call,
    "change-number": calls.change_number,
}


def syntactic(source: str, entry: str) -> Iterator[Specimen]:
    """The mutants of a reference; no two have equal code, and none equals the reference.

    Args:
        source: the reference's.
        entry: the name of its function.
    """
    parsed = ParsedSource(source, entry)
    forms = {ast.dump(ast.parse(source))}
    for operator, edits in OPERATORS.items():
        for number, edit in enumerate(edits(parsed), 1):
            mutant = parsed.applied(edit)
            if (form := ast.dump(ast.parse(mutant))) not in forms:
                forms.add(form)
                yield Specimen(f"{operator}-{number}", "made", parsed.described(edit), mutant.encode())
