"""Programs: a seed and a sequence of operations, as the arguments of a case and as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from nnx_conformance.core.candidate.subject import DEVICES
from nnx_conformance.core.case import Case, numpy, python


@dataclass(frozen=True)
class Operation:
    """One thing that a program does with its subject.

    Attributes:
        name: its name in programs and reports.
        law: the check that compares its result.
        calls: whether it calls the subject, and so takes an input.
        exact: whether it computes as plain Python does, so that results must be equal to the last bit.
        warm: whether the subject must have been called before, so that all of its state exists.
        devices: how many devices it needs.
    """

    name: str
    law: str
    calls: bool = True
    exact: bool = False
    warm: bool = False
    devices: int = 1


#: Stored cases hold positions in this tuple, so new operations go to the end.
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

#: The calls of one operation, if it makes several.
CALLS = 3
#: Added to the program's seed for other modules.
OTHER = 1000
#: The names of the comparisons of `far`: another call of the same module, a call with another seed's keys.
AGAIN, OTHER_SEED = "called again", "with the keys of another seed"
#: The names of the comparisons of `modes`.
ONCE_MORE, IN_EVAL_MODE = "called once more", "called in eval mode"
#: The number of inputs. Input `AS_NUMPY + i` is input `i` as NumPy arrays.
INPUTS, AS_NUMPY = 4, 8
#: The name of the comparison in `place` of a module that was made on the mesh.
MADE = "made on the mesh"
GRAPH, TREE = "graph", "tree"


@dataclass(frozen=True)
class Word:
    """One operation of a program, and the number of its input."""

    operation: Operation
    input: int

    def __str__(self) -> str:
        if not self.operation.calls:
            return self.operation.name
        return f"{self.operation.name}[{input_text(self.input)}]"


def input_text(number: int) -> str:
    """An input's number as text: `0`, or `0 as numpy`."""
    return f"{number - AS_NUMPY} as numpy" if number >= AS_NUMPY else str(number)


@dataclass(frozen=True)
class Program:
    """A seed for the Rngs, a mode of Flax, and the operations."""

    seed: int
    mode: str
    words: tuple[Word, ...]

    @property
    def devices(self) -> int:
        """The number of devices that it needs."""
        return max((word.operation.devices for word in self.words), default=1)

    @property
    def parts(self) -> tuple[Program, ...]:
        """In tree mode, its short programs: each starts with plain calls of a new module."""
        starts = [0]
        for index, word in enumerate(self.words[1:], 1):
            if word.operation.name == "call" and self.words[index - 1].operation.name != "call":
                starts.append(index)
        ends = [*starts[1:], len(self.words)]
        return tuple(replace(self, words=self.words[start:end]) for start, end in zip(starts, ends, strict=True))

    def __str__(self) -> str:
        mode = " in tree mode" if self.mode == TREE else ""
        return " ".join([f"make({self.seed}){mode}", *map(str, self.words)])


def words(text: str) -> tuple[Word, ...]:
    """Operations from text such as `call jit:1 eval`; without a number, on input 0."""
    parts = (part.partition(":") for part in text.split())
    return tuple(Word(BY_NAME[name], int(number or 0)) for name, _, number in parts)


def case(domain: str, seed: int, operations: Iterable[Word], mode: str = GRAPH) -> Case:
    """The case of a program."""
    words = tuple(operations)
    codes = np.array([(_CODES[word.operation.name], word.input) for word in words], np.int32).reshape(-1, 2)
    arguments = (python("seed", seed), python("tree", mode == TREE), numpy("program", codes))
    return Case(domain, arguments, str(Program(seed, mode, words)))


#: The names of a case's arguments.
ARGUMENTS = ("seed", "tree", "program")


def program(case: Case) -> Program:
    """The program of a case.

    Raises:
        ValueError: if the case has none.
    """
    codes = case["program"]
    if codes.ndim != 2 or codes.shape[1:] != (2,) or codes.dtype.kind != "i":
        raise ValueError("no program")
    if not all(0 <= code < len(OPERATIONS) and 0 <= number < 2 * AS_NUMPY for code, number in codes.tolist()):
        raise ValueError("a program with an operation that there is not")
    words = tuple(Word(OPERATIONS[code], number) for code, number in codes.tolist())
    return Program(int(case["seed"]), TREE if case["tree"] else GRAPH, words)


def smaller(drawn: Case) -> Iterator[Case]:
    """Simpler programs: without some of the operations, with seed 0, or on a simpler input; the shortest first."""
    whole = program(drawn)
    length = len(whole.words)
    size = length // 2
    while size:
        for start in range(0, length - size + 1, size):
            yield case(drawn.domain, whole.seed, whole.words[:start] + whole.words[start + size :], whole.mode)
        size //= 2
    if whole.seed:
        yield case(drawn.domain, 0, whole.words, whole.mode)
    for number in sorted({word.input for word in whole.words if word.operation.calls and word.input}):
        for simple in (0, number - AS_NUMPY):
            if 0 <= simple < number:
                renamed = (replace(word, input=simple if word.input == number else word.input) for word in whole.words)
                yield case(drawn.domain, whole.seed, renamed, whole.mode)
