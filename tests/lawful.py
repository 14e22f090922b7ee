"""Judging one program of the module laws, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnx_conformance import Subject
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.contracts.module_laws.observer import consistent
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core.contract import Judgement, Violation, judgement
from nnx_conformance.core.plan import Request, RunPlan

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def judged(make: Any, law: str, program: str, *, follow: bool = False, **fields: Any) -> Judgement:
    """What a law says of one program; `follow`: with its line, for which calls are followed line by line."""
    subject = Subject(make, fields.pop("inputs", [X, 2 * X]), **fields)
    loaded = execution.adopt(subject, "mine", ())
    assert isinstance(loaded, tuple), loaded
    drawn = case(law, 0, words(program))
    request = Request(drawn, RunPlan(follow=follow), 0)
    reading = CONTRACT.read(drawn, consistent(execution.observe(loaded[0], request), request))
    return judgement(CONTRACT.check(law), drawn, reading)


def violation(*arguments: Any, **fields: Any) -> Violation:
    """The violation that a law reports of one program."""
    found = judged(*arguments, **fields)
    assert isinstance(found, Violation), found
    return found


def read(variable: Any) -> Any:
    """The contents of a Variable, on each Flax."""
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def write(variable: Any, value: Any) -> None:
    """Write the contents of a Variable, on each Flax."""
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)
