"""The constructions and calls of a test session as plain data: Python expressions that repeat them."""

from __future__ import annotations

import dataclasses
import enum
import pickle
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnx_conformance.core.errors import Misuse

#: The placeholder for a seed in an expression: each array of a subject has a seed of its own.
SEED = "@SEED@"
#: The most calls of one form and one shape that we keep, with different numbers.
ALIKE = 2
#: The construction of an instance that no constructor made; of one whose construction cannot be written.
UNKNOWN, REFUSED = -1, -2


def quoted(value: Any) -> str:
    """The `repr` of a plain value, with text in double quotes."""
    text = repr(value)
    return f'"{value}"' if isinstance(value, str) and text == f"'{value}'" and '"' not in value else text


def identifier(module: str) -> str:
    """The name of a module in Python code. The name of a script such as `01_train.py` is no identifier."""
    return module if all(part.isidentifier() for part in module.split(".")) else "script_" + re.sub(r"\W", "_", module)


@dataclass(frozen=True)
class Expression:
    """A Python expression for a value like a recorded one.

    Attributes:
        text: the expression.
        modules: dotted names of the modules to import for it.
        arrays: the arrays that it reads from a file, with their keys.
        shape: shapes, dtypes and static parts: JAX compiles again if they differ.
        flags: the static choices among its parts: booleans, text, None, functions.
        traced: whether the value was a tracer, so that its numbers are not known.
    """

    text: str
    modules: frozenset[str] = frozenset()
    arrays: tuple[tuple[str, np.ndarray], ...] = field(default=(), compare=False)
    shape: str = ""
    flags: str = ""
    traced: bool = False


@dataclass(frozen=True)
class RecordedArguments:
    """The arguments of a call: positional ones, then keywords."""

    positional: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()

    @property
    def all(self) -> tuple[Expression, ...]:
        """All arguments in order."""
        return (*self.positional, *(value for _, value in self.named))

    @property
    def text(self) -> str:
        """Their text between the parentheses of a call."""
        return ", ".join(
            [*(value.text for value in self.positional), *(f"{name}={value.text}" for name, value in self.named)]
        )

    @property
    def flags(self) -> str:
        """Their static choices."""
        return repr([value.flags for value in self.all])

    @property
    def shape(self) -> str:
        """Their shapes, dtypes and static parts."""
        return repr([value.shape for value in self.all])

    @property
    def form(self) -> tuple[int, tuple[str, ...]]:
        """The number of positional arguments, and the names of the keywords."""
        return len(self.positional), tuple(name for name, _ in self.named)


@dataclass(frozen=True)
class Construction:
    """One way in which the session constructed a class.

    Attributes:
        arguments: of its constructor.
        line: such as `tests/test_layer.py:12`.
        setup: the methods that the session called before the instance's first call, with their arguments.
    """

    arguments: RecordedArguments
    line: str
    setup: tuple[tuple[str, RecordedArguments], ...] = ()


class CallEffect(enum.Enum):
    """The effect of a call on the state of its instance: none, changed, or added to."""

    NONE = enum.auto()
    MOVES = enum.auto()
    ADDS = enum.auto()


@dataclass(frozen=True)
class RecordedCall:
    """One way in which the session called an instance of a class.

    Attributes:
        method: the method's name.
        arguments: of the call.
        line: such as `tests/test_layer.py:12`.
        construction: the index of the instance's construction; `UNKNOWN`, or `REFUSED` if it cannot be written.
        takes_arrays, returns_arrays: whether the arguments, or the outputs, include an array.
        effect: on the state of the instance.
    """

    method: str
    arguments: RecordedArguments
    line: str
    construction: int
    takes_arrays: bool
    returns_arrays: bool
    effect: CallEffect = CallEffect.NONE

    @property
    def computes(self) -> bool:
        """Whether it computes outputs or state from arrays."""
        return self.takes_arrays and (self.returns_arrays or self.effect is CallEffect.MOVES)

    @property
    def sets_up(self) -> bool:
        """Whether it only adds state for later calls, such as an empty cache."""
        return self.effect is CallEffect.ADDS and not (self.takes_arrays or self.returns_arrays)

    @property
    def traced(self) -> bool:
        """Whether an argument was a tracer."""
        return any(value.traced for value in self.arguments.all)

    def is_like(self, other: RecordedCall) -> bool:
        """Whether JAX compiles both calls to the same code."""
        mine, others = self.arguments, other.arguments
        return (self.method, self.construction, mine.form, mine.shape, mine.flags) == (
            other.method,
            other.construction,
            others.form,
            others.shape,
            others.flags,
        )


@dataclass
class ClassRecord:
    """The record of one class.

    Attributes:
        module, name: such as `package.layers` and `Layer`.
        source: the file of its module.
        constructions, calls: the distinct ones, in the session's order.
        callable: whether its instances have `__call__`; otherwise calls are those of its methods.
        refused: why other constructions and calls cannot be written, each with its line.
    """

    module: str
    name: str
    source: str
    callable: bool = True
    constructions: list[Construction] = field(default_factory=list)
    calls: list[RecordedCall] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def dotted(self) -> str:
        """Its name in a program that has imported its module."""
        return f"{identifier(self.module)}.{self.name}"

    def keep(self, call: RecordedCall) -> None:
        """Keep a call whose form, shapes or numbers differ from those of kept calls."""
        alike = [known for known in self.calls if known.is_like(call)]
        concrete = [known for known in alike if not known.traced]
        if call.traced and alike:
            return
        if not call.traced and not concrete:  # replaces a traced call, whose numbers are not known
            self.calls[:] = [known for known in self.calls if not known.is_like(call)]
        if len(concrete) < ALIKE and not any(known.arguments == call.arguments for known in alike):
            self.calls.append(call)


Records = dict[str, ClassRecord]


def merged(several: Iterable[Records]) -> Records:
    """The records of several processes of one session, with their constructions renumbered."""
    together: Records = {}
    for records in several:
        for key, record in records.items():
            known = together.setdefault(key, ClassRecord(record.module, record.name, record.source, record.callable))
            numbers = [_number_of(construction, known.constructions) for construction in record.constructions]
            for call in record.calls:
                number = numbers[call.construction] if call.construction >= 0 else call.construction
                renumbered = dataclasses.replace(call, construction=number)
                if renumbered not in known.calls:
                    known.calls.append(renumbered)
            known.refused = {**record.refused, **known.refused}
    return together


def _number_of(construction: Construction, constructions: list[Construction]) -> int:
    """The index of a construction in a list, to which it is added if it is new."""
    for number, known in enumerate(constructions):
        if (known.arguments, known.setup) == (construction.arguments, construction.setup):
            return number
    constructions.append(construction)
    return len(constructions) - 1


@dataclass
class Recording:
    """The records of one process.

    Attributes:
        records: of each class, by its dotted name.
        unnamed: for each class that no import finds, why.
        others: the top-level packages of classes outside the recorded package.
    """

    records: Records = field(default_factory=dict)
    unnamed: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)


def merged_sessions(sessions: Iterable[Recording]) -> Recording:
    """The recording of a session from those of its processes."""
    several = list(sessions)
    return Recording(
        merged(session.records for session in several),
        {name: why for session in several for name, why in session.unnamed.items()},
        {name for session in several for name in session.others},
    )


def save(session: Recording, path: Path) -> None:
    """Write a recording for another process of the same session."""
    path.write_bytes(pickle.dumps(session))


def read(path: Path) -> Recording:
    """The recording that another process of the same session saved.

    Raises:
        Misuse: if the file is damaged.
    """
    try:
        session: Any = pickle.loads(path.read_bytes())
    except (OSError, pickle.UnpicklingError, EOFError) as error:
        raise Misuse(f"What a worker recorded cannot be read: {error}. Run again.") from error
    assert isinstance(session, Recording)
    return session
