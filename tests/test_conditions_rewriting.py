"""The rewritten source does what the source does: results, order of side effects, exceptions, lines of tracebacks."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from nnx_conformance.observe.conditions.recorder import ConditionRecorder
from nnx_conformance.observe.conditions.syntax import rewritten
from programs import PRELUDE, Programs


def ran(source: str, *, records: bool) -> tuple[str, list[str]]:
    """What calling `main` comes to, and the log: what was evaluated, and each exception with its lines."""
    with warnings.catch_warnings(action="ignore"):
        code = compile(rewritten(source, "program.py")[0] if records else source, "program.py", "exec")
    names: dict[str, Any] = {"__name__": "program", **(ConditionRecorder().functions() if records else {})}
    exec(code, names)
    # As text: what is logged logs that it is compared.
    return repr(names["main"]()).split(" at 0x")[0], list(map(repr, names["log"]))


def _same(first: int, count: int) -> None:
    """Compare so many programs, without those that the grammar forbids for reasons that the drawing does not know."""
    compared = evaluated = raised = 0
    for seed in range(first, first + 10 * count):
        source = Programs(seed).program()
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(source, "program.py", "exec")
        except SyntaxError:
            continue
        plain, recorded = ran(source, records=False), ran(source, records=True)
        assert recorded == plain, f"seed {seed}:\n{source}"
        raised += sum("Error" in entry for entry in plain[1])
        compared, evaluated = compared + 1, evaluated + len(plain[1])
        if compared == count:
            break
    assert compared == count and evaluated > 10 * count and raised > count


@pytest.mark.parametrize(
    "statement", ["a = not (Odd(29) and b)", "if not (Odd(29) and b): a = 1", "a = not (3 < 2 < 1)"]
)
def test_truth_is_asked_for_as_often(statement: str) -> None:
    source = f"{PRELUDE}\ndef main(a=1, b=2):\n    {statement}\n    return a\n"

    assert ran(source, records=True) == ran(source, records=False)


@pytest.mark.medium
def test_a_rewritten_program_does_the_same() -> None:
    _same(0, 60)


@pytest.mark.slow
def test_many_rewritten_programs_do_the_same() -> None:
    _same(1000, 1500)
