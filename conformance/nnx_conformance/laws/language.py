"""Programs: a seed and a sequence of operations, as the arguments of a case, and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nnx_conformance.case import Case, numpy, python


@dataclass(frozen=True)
class Operation:
    """Something that a program does with its subject.

    Attributes:
        name: how programs and reports call it.
        law: the check that its comparison belongs to.
        calls: whether it calls the subject, so that it takes an input.
        exact: whether the arithmetic is that of plain Python, so that results are equal to the last bit.
        warm: whether it needs a subject that was called before: one whose state is all there.
    """

    name: str
    law: str
    calls: bool = True
    exact: bool = False
    warm: bool = False


#: By position: the numbers stand in stored cases, so new ones are added at the end.
OPERATIONS = (
    Operation("call", "calls-return", exact=True),
    Operation("jit", "jit-agrees"),
    Operation("split", "split-merge-agrees", exact=True),
    Operation("copy", "split-merge-agrees", exact=True),
    Operation("clone", "clone-independent", exact=True),
    Operation("save", "checkpoint-resumes", exact=True, warm=True),
    Operation("reload", "checkpoint-resumes", exact=True, warm=True),
    Operation("scan", "scan-agrees", warm=True),
    Operation("vmap", "vmap-agrees", warm=True),
    Operation("grad", "grad-clean", warm=True),
    Operation("remat", "remat-agrees", warm=True),
    Operation("cond", "cond-agrees", warm=True),
    Operation("optimize", "optimizer-safe", warm=True),
    Operation("eval", "eval-frozen", calls=False, exact=True),
    Operation("train", "eval-frozen", calls=False, exact=True),
    Operation("pair", "instances-independent", exact=True),
    Operation("graft", "no-hidden-state", exact=True, warm=True),
    Operation("rerun", "rng-reproducible", exact=True),
    Operation("reseed", "rng-reproducible", exact=True, warm=True),
    Operation("endure", "state-precision", exact=True, warm=True),
    Operation("original", "clone-independent", exact=True, warm=True),
    Operation("restart", "checkpoint-resumes", exact=True, warm=True),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}
_CODES = {operation.name: code for code, operation in enumerate(OPERATIONS)}

#: Seeds of other modules are this far from the program's own.
OTHER = 1000
#: Inputs are numbered within the pool; from here on, the same inputs as NumPy arrays.
AS_NUMPY = 8
GRAPH, TREE = "graph", "tree"


@dataclass(frozen=True)
class Word:
    """One operation of a program, on the input of this number."""

    operation: Operation
    input: int

    def __str__(self) -> str:
        if not self.operation.calls:
            return self.operation.name
        return f"{self.operation.name}[{input_text(self.input)}]"


def input_text(number: int) -> str:
    """How an input is named: `0`, or `0 as numpy`."""
    return f"{number - AS_NUMPY} as numpy" if number >= AS_NUMPY else str(number)


@dataclass(frozen=True)
class Program:
    """A seed for the Rngs, a mode of Flax, and operations."""

    seed: int
    mode: str
    words: tuple[Word, ...]

    def __str__(self) -> str:
        mode = " in tree mode" if self.mode == TREE else ""
        return " ".join([f"make({self.seed}){mode}", *map(str, self.words)])


def words(text: str) -> tuple[Word, ...]:
    """Operations from their text: `call jit:1 eval`; without a number, on the first input."""
    parts = (part.partition(":") for part in text.split())
    return tuple(Word(BY_NAME[name], int(number or 0)) for name, _, number in parts)


def case(domain: str, seed: int, operations: Iterable[Word], mode: str = GRAPH) -> Case:
    """The case that stands for a program."""
    done = tuple(operations)
    program = np.array([(_CODES[word.operation.name], word.input) for word in done], np.int32).reshape(-1, 2)
    arguments = (python("seed", seed), python("tree", mode == TREE), numpy("program", program))
    return Case(domain, arguments, str(Program(seed, mode, done)))


#: What the arguments of a case are called.
ARGUMENTS = ("seed", "tree", "program")


def program(found: Case) -> Program:
    """The program that a case stands for.

    Raises:
        ValueError: if it stands for none.
    """
    codes = found["program"]
    if codes.ndim != 2 or codes.shape[1:] != (2,) or codes.dtype.kind != "i":
        raise ValueError("no program")
    if not all(0 <= code < len(OPERATIONS) and 0 <= number < 2 * AS_NUMPY for code, number in codes.tolist()):
        raise ValueError("a program with an operation that there is not")
    done = tuple(Word(OPERATIONS[code], number) for code, number in codes.tolist())
    return Program(int(found["seed"]), TREE if found["tree"] else GRAPH, done)
