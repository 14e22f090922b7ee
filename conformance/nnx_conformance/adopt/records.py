"""What a test session did with its modules, as plain data: Python expressions that do it again."""

from __future__ import annotations

import enum
import pickle
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnx_conformance.core.errors import Misuse

#: Stands in an expression where a seed goes: each array of a subject is drawn from one of its own.
SEED = "@SEED@"
#: So many calls of one form and one shape are kept: their numbers differ.
ALIKE = 2
#: The construction of an instance that no constructor made, and of one whose construction cannot be written down.
UNKNOWN, REFUSED = -1, -2


def quoted(value: Any) -> str:
    """The `repr` of a plain value, text in double quotes as formatters have it."""
    text = repr(value)
    return f'"{value}"' if isinstance(value, str) and text == f"'{value}'" and '"' not in value else text


def spoken(module: str) -> str:
    """What Python code calls a module; a script such as `01_train.py` has a name that is none of Python's."""
    return module if all(part.isidentifier() for part in module.split(".")) else "script_" + re.sub(r"\W", "_", module)


@dataclass(frozen=True)
class Expression:
    """A Python expression that gives a value like one that was recorded.

    Attributes:
        text: the expression.
        modules: dotted names of the modules that it needs imported.
        arrays: the arrays that it takes from a file, by the key that it takes them by.
        shape: what decides whether two values make JAX compile anew: shapes, dtypes, and what is static.
        flags: the static choices among its parts: booleans, text, None, functions.
        traced: whether the value was a tracer, of which the numbers are not known.
    """

    text: str
    modules: frozenset[str] = frozenset()
    arrays: tuple[tuple[str, np.ndarray], ...] = field(default=(), compare=False)
    shape: str = ""
    flags: str = ""
    traced: bool = False


@dataclass(frozen=True)
class RecordedArguments:
    """The arguments of a call: by position, then by keyword."""

    positional: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()

    @property
    def all(self) -> tuple[Expression, ...]:
        """All of them, in order."""
        return (*self.positional, *(value for _, value in self.named))

    @property
    def text(self) -> str:
        """As they stand between the parentheses of a call."""
        return ", ".join(
            [*(value.text for value in self.positional), *(f"{name}={value.text}" for name, value in self.named)]
        )

    @property
    def flags(self) -> str:
        """The static choices in them."""
        return repr([value.flags for value in self.all])

    @property
    def shape(self) -> str:
        """Their shapes, dtypes and static parts."""
        return repr([value.shape for value in self.all])

    @property
    def form(self) -> tuple[int, tuple[str, ...]]:
        """How many stand by position, and the names of the others."""
        return len(self.positional), tuple(name for name, _ in self.named)


@dataclass(frozen=True)
class Construction:
    """One way in which a class was constructed, and the methods that were called before it was used.

    Attributes:
        arguments: of its constructor.
        line: where, `tests/test_layer.py:12`.
        setup: the methods that were called on it before its first call, with their arguments.
    """

    arguments: RecordedArguments
    line: str
    setup: tuple[tuple[str, RecordedArguments], ...] = ()


class CallEffect(enum.Enum):
    """What a call did to the state of its instance: it added some, or only moved what was there."""

    NONE = enum.auto()
    MOVES = enum.auto()
    ADDS = enum.auto()


@dataclass(frozen=True)
class RecordedCall:
    """One way in which an instance of a class was called.

    Attributes:
        method: its name.
        arguments: of the call.
        line: where.
        construction: which of the class's constructions made the instance; `UNKNOWN`, or `REFUSED` where that one could
            not be written down.
        takes_arrays, returns_arrays: whether an array is among the arguments, and among what it returned.
        effect: what it did to the state of the instance.
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
        """Whether it makes something of arrays: another array, or state."""
        return self.takes_arrays and (self.returns_arrays or self.effect is CallEffect.MOVES)

    @property
    def sets_up(self) -> bool:
        """Whether it only makes state for later calls, such as an empty cache."""
        return self.effect is CallEffect.ADDS and not (self.takes_arrays or self.returns_arrays)

    @property
    def traced(self) -> bool:
        """Whether a value among its arguments was a tracer."""
        return any(value.traced for value in self.arguments.all)

    def is_like(self, other: RecordedCall) -> bool:
        """Whether JAX compiles the same for both."""
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
    """What is known of one class.

    Attributes:
        module, name: where it is found, `package.layers` and `Layer`.
        source: the file of its module.
        constructions, calls: the distinct ones, the first first.
        callable: whether its instances are called; else its methods stand for calls.
        refused: why other constructions and calls could not be written down, each with its line.
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
        """How a program names it once its module is imported."""
        return f"{spoken(self.module)}.{self.name}"

    def keep(self, call: RecordedCall) -> None:
        """Keep a call that differs from those that are kept, in its form, its shapes or its numbers."""
        alike = [known for known in self.calls if known.is_like(call)]
        concrete = [known for known in alike if not known.traced]
        if call.traced and alike:
            return
        if not call.traced and not concrete:  # better than what was traced, of which the numbers are not known
            self.calls[:] = [known for known in self.calls if not known.is_like(call)]
        if len(concrete) < ALIKE and not any(known.arguments == call.arguments for known in alike):
            self.calls.append(call)


Records = dict[str, ClassRecord]


def merged(several: Iterable[Records]) -> Records:
    """The records of several processes of one session; each names its constructions by numbers of its own."""
    together: Records = {}
    for records in several:
        for key, record in records.items():
            known = together.setdefault(key, ClassRecord(record.module, record.name, record.source, record.callable))
            numbers = [_place(known.constructions, construction) for construction in record.constructions]
            for call in record.calls:
                number = numbers[call.construction] if call.construction >= 0 else call.construction
                moved = RecordedCall(**{**vars(call), "construction": number})
                if moved not in known.calls:
                    known.calls.append(moved)
            known.refused = {**record.refused, **known.refused}
    return together


def _place(constructions: list[Construction], construction: Construction) -> int:
    for number, known in enumerate(constructions):
        if (known.arguments, known.setup) == (construction.arguments, construction.setup):
            return number
    constructions.append(construction)
    return len(constructions) - 1


@dataclass
class Recording:
    """What one process recorded.

    Attributes:
        records: of each class, by its dotted name.
        unnamed: why classes that no import finds are not recorded.
        others: top-level packages of classes that were left out, as they lie in another package than was asked for.
    """

    records: Records = field(default_factory=dict)
    unnamed: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)


def merged_sessions(sessions: Iterable[Recording]) -> Recording:
    """What all processes of one session recorded."""
    several = list(sessions)
    return Recording(
        merged(session.records for session in several),
        {name: why for session in several for name, why in session.unnamed.items()},
        {name for session in several for name in session.others},
    )


def save(session: Recording, path: Path) -> None:
    """Write what was recorded where another process of the same session reads it."""
    path.write_bytes(pickle.dumps(session))


def read(path: Path) -> Recording:
    """What another process of the same session has saved.

    Raises:
        Misuse: if the file is damaged.
    """
    try:
        session: Any = pickle.loads(path.read_bytes())
    except (OSError, pickle.UnpicklingError, EOFError) as error:
        raise Misuse(f"What a worker recorded cannot be read: {error}. Run again.") from error
    assert isinstance(session, Recording)
    return session
