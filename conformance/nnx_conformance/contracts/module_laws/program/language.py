"""Programs: a seed and a sequence of operations, as the arguments of a case, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from nnx_conformance.core.candidate.subject import DEVICES
from nnx_conformance.core.case import Case, numpy, python


@dataclass(frozen=True)
class Operation:
    """Something that a program does with its subject.

    Attributes:
        name: how programs and reports call it.
        law: the check that its comparison belongs to.
        calls: whether it calls the subject, so that it takes an input.
        exact: whether the arithmetic is that of plain Python, so that results are equal to the last bit.
        warm: whether it needs a subject that was called before: one whose state is all there.
        devices: how many devices it needs.
    """

    name: str
    law: str
    calls: bool = True
    exact: bool = False
    warm: bool = False
    devices: int = 1


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
    Operation("watch", "updates-kept", exact=True, warm=True),
    Operation("derive", "param-trained", exact=True, warm=True),
    Operation("remake", "start-defined", exact=True),
    Operation("lend", "state-owned", exact=True),
    Operation("abstract", "abstract-agrees", exact=True),
    Operation("tree", "pytree-agrees", exact=True),
    Operation("plainjit", "pytree-agrees"),
    Operation("deepcopy", "deepcopy-agrees", exact=True),
    Operation("pickle", "pickles", exact=True),
    Operation("second", "instances-share-compilation", warm=True),
    Operation("keys", "keys-used-once", exact=True, warm=True),
    Operation("again", "no-hidden-state", exact=True),
    Operation("afresh", "no-hidden-state"),
    Operation("far", "rng-advances", exact=True, warm=True),
    Operation("bounds", "indices-in-bounds", exact=True, warm=True),
    Operation("switch", "switch-agrees", warm=True),
    Operation("fori_loop", "loop-agrees", warm=True),
    Operation("while_loop", "loop-agrees", warm=True),
    Operation("custom_vjp", "custom-vjp-agrees", warm=True),
    Operation("vjp", "vjp-agrees", warm=True),
    Operation("jvp", "vjp-agrees", warm=True),
    Operation("donate", "donation-safe"),
    Operation("refer", "reference-agrees"),
    Operation("types", "dtype-policy", exact=True, warm=True),
    Operation("modes", "eval-declared", exact=True, warm=True),
    Operation("rows", "rows-independent", warm=True),
    Operation("slopes", "gradients-agree", exact=True, warm=True),
    Operation("represent", "represents", exact=True),
    Operation("trace", "no-hidden-state", exact=True),
    Operation("shard", "sharded-agrees", warm=True, devices=DEVICES),
    Operation("place", "sharded-agrees", warm=True, devices=DEVICES),
    Operation("shardmap", "shard-map-agrees", warm=True, devices=DEVICES),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}
_CODES = {operation.name: code for code, operation in enumerate(OPERATIONS)}

#: What calls the module several times in one operation calls it so often.
CALLS = 3
#: Seeds of other modules are this far from the program's own.
OTHER = 1000
#: How the comparisons of `far` are called: another call of the same module, a call with another seed's keys.
AGAIN, OTHER_SEED = "called again", "with the keys of another seed"
#: How those of `modes` are called.
ONCE_MORE, IN_EVAL_MODE = "called once more", "called in eval mode"
#: A program names so many inputs by their numbers; from `AS_NUMPY` on, the same inputs as NumPy arrays.
INPUTS, AS_NUMPY = 4, 8
#: How the comparison of `place` is called that looks at a module made on the mesh.
MADE = "made on the mesh"
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

    @property
    def devices(self) -> int:
        """How many devices it needs."""
        return max((word.operation.devices for word in self.words), default=1)

    @property
    def parts(self) -> tuple[Program, ...]:
        """In tree mode, the short programs that it is made of: each begins with plain calls, of a new module."""
        starts = [0]
        for at, word in enumerate(self.words[1:], 1):
            if word.operation.name == "call" and self.words[at - 1].operation.name != "call":
                starts.append(at)
        ends = [*starts[1:], len(self.words)]
        return tuple(replace(self, words=self.words[at:end]) for at, end in zip(starts, ends, strict=True))

    def __str__(self) -> str:
        mode = " in tree mode" if self.mode == TREE else ""
        return " ".join([f"make({self.seed}){mode}", *map(str, self.words)])


def words(text: str) -> tuple[Word, ...]:
    """Operations from their text: `call jit:1 eval`; without a number, on the first input."""
    parts = (part.partition(":") for part in text.split())
    return tuple(Word(BY_NAME[name], int(number or 0)) for name, _, number in parts)


def case(domain: str, seed: int, operations: Iterable[Word], mode: str = GRAPH) -> Case:
    """The case that stands for a program."""
    words = tuple(operations)
    codes = np.array([(_CODES[word.operation.name], word.input) for word in words], np.int32).reshape(-1, 2)
    arguments = (python("seed", seed), python("tree", mode == TREE), numpy("program", codes))
    return Case(domain, arguments, str(Program(seed, mode, words)))


#: What the arguments of a case are called.
ARGUMENTS = ("seed", "tree", "program")


def program(case: Case) -> Program:
    """The program that a case stands for.

    Raises:
        ValueError: if it stands for none.
    """
    codes = case["program"]
    if codes.ndim != 2 or codes.shape[1:] != (2,) or codes.dtype.kind != "i":
        raise ValueError("no program")
    if not all(0 <= code < len(OPERATIONS) and 0 <= number < 2 * AS_NUMPY for code, number in codes.tolist()):
        raise ValueError("a program with an operation that there is not")
    words = tuple(Word(OPERATIONS[code], number) for code, number in codes.tolist())
    return Program(int(case["seed"]), TREE if case["tree"] else GRAPH, words)


def smaller(drawn: Case) -> Iterator[Case]:
    """The programs that a program becomes without some of its operations, or on simpler input, the smallest first."""
    todo = program(drawn)
    length = len(todo.words)
    size = length // 2
    while size:
        for start in range(0, length - size + 1, size):
            yield case(drawn.domain, todo.seed, todo.words[:start] + todo.words[start + size :], todo.mode)
        size //= 2
    if todo.seed:
        yield case(drawn.domain, 0, todo.words, todo.mode)
    for number in sorted({word.input for word in todo.words if word.operation.calls and word.input}):
        for simple in (0, number - AS_NUMPY):
            if 0 <= simple < number:
                renamed = (replace(word, input=simple if word.input == number else word.input) for word in todo.words)
                yield case(drawn.domain, todo.seed, renamed, todo.mode)
