"""Makes and calls subjects again in a process of their own, to find the recorded calls that fit, and traits.

`python -m nnx_conformance.adopt.trial FILE ANSWERS NAME...` forks a process for each subject of the file and writes one
line of JSON for each. The process of the tests would not do: they changed its state.

A trait that would excuse a fault (a call writes a Param, state grows) is only suggested; a person decides.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nnx_conformance.contracts.module_laws.evidence import LeafFacts
from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.loading import draws
from nnx_conformance.contracts.module_laws.execution.pool import pool_of
from nnx_conformance.contracts.module_laws.execution.snapshots import state, tree
from nnx_conformance.core.candidate.subject import Subject
from nnx_conformance.observe.flax_versions import NODE
from nnx_conformance.observe.load import import_file
from nnx_conformance.observe.source import Source

#: The limits of one subject in seconds: processor time and wall-clock time.
SECONDS, WALL = 120, 600.0
MESSAGE = 200


@dataclasses.dataclass
class TraitEvidence:
    """The evidence from making and calling a subject again.

    Attributes:
        failure: why it cannot be made, or none of its calls fits; empty if one does.
        bad: the indices of inputs on which a call raised.
        draws: whether outputs change if only the random streams differ.
        evaluates: whether `eval()` has an effect, makes calls deterministic and stops updates.
        moves_in_eval: the paths that a call changed after an `eval()` that has an effect.
        rewrites: the Params that a call changed.
        grows: the state that a second call on the same input added.
    """

    failure: str = ""
    bad: list[int] = dataclasses.field(default_factory=list)
    draws: bool = False
    evaluates: bool = False
    moves_in_eval: list[str] = dataclasses.field(default_factory=list)
    rewrites: list[str] = dataclasses.field(default_factory=list)
    grows: list[str] = dataclasses.field(default_factory=list)


def examined(subject: Subject) -> TraitEvidence:
    """The evidence from making and calling a subject."""
    evidence = TraitEvidence()
    try:
        module = Harness(subject, pool_of(subject), Source("<none>"), "").make(0)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return TraitEvidence(failure=f"making it again raised {_text(error)}")
    if not isinstance(module, NODE):
        return TraitEvidence(failure=f"its constructor gave a {type(module).__name__}")
    first_error = ""
    for index, (way, _) in enumerate(_inputs(subject)):
        single = _with_inputs(subject, {index})
        harness = Harness(single, pool_of(single), Source("<none>"), "")
        try:
            harness.call(harness.make(0), 0)
        except Exception as error:  # noqa: BLE001 - as above
            evidence.bad.append(index)
            first_error = first_error or f"a call of `{way or 'it'}` on what was recorded raised {_text(error)}"
    fitting = {index for index in range(len(list(_inputs(subject)))) if index not in evidence.bad}
    if not fitting:
        return dataclasses.replace(evidence, failure=f"{first_error}: was it altered after it was made?")
    subject = _with_inputs(subject, fitting)
    _traits(Harness(subject, pool_of(subject).without_ours(), Source("<none>"), ""), evidence)
    return evidence


def _traits(harness: Harness, evidence: TraitEvidence) -> None:
    numbers = range(len(harness.pool.inputs))
    evidence.draws = any(draws(harness, number) for number in numbers)
    module = harness.make(0)
    for number in numbers:
        harness.call(module, number)
        before = state(module)
        harness.call(module, number)
        after = state(module)
        evidence.rewrites += _moved(before, after, lambda leaf: leaf.param)
        evidence.grows += sorted({leaf.path for leaf in after if leaf.state} - {leaf.path for leaf in before})
    with contextlib.suppress(Exception):  # a module without an eval mode may raise
        _mode(harness, evidence)


def _mode(harness: Harness, evidence: TraitEvidence) -> None:
    """Note whether `eval()` has an effect, and what calls still change after it."""
    effect = False
    for number in range(len(harness.pool.inputs)):
        training, evaluated = harness.make(0), harness.make(0)
        for module in (training, evaluated):
            harness.call(module, number)
        evaluated.eval()
        before = state(evaluated)
        output, still = (tree(harness.call(evaluated, number)) for _ in range(2))
        after = state(evaluated)
        was = state(training)
        trained = tree(harness.call(training, number))
        moved = _moved(before, after, lambda leaf: not leaf.rng)
        effect |= bool(
            _moved(trained, output) or (not moved and _moved(was, state(training), lambda leaf: not leaf.rng))
        )
        evidence.moves_in_eval += moved or (["its output"] if _moved(output, still) else [])
        evidence.moves_in_eval += sorted({leaf.path for leaf in after} - {leaf.path for leaf in before})
    evidence.evaluates = effect and not evidence.moves_in_eval
    if not effect:
        evidence.moves_in_eval = []


def _moved(before: tuple[LeafFacts, ...], after: tuple[LeafFacts, ...], among: Any = lambda _: True) -> list[str]:
    old = {leaf.path: leaf for leaf in before}
    return [
        leaf.path or "its output"
        for leaf in after
        if among(leaf) and leaf.path in old and _differ(old[leaf.path], leaf)
    ]


def _differ(leaf: LeafFacts, other: LeafFacts) -> bool:
    if leaf.array is None or other.array is None:
        return leaf.text != other.text
    return leaf.array.shape != other.array.shape or not np.array_equal(
        leaf.array, other.array, equal_nan=leaf.array.dtype.kind in "fc"
    )


def _inputs(subject: Subject) -> Iterator[tuple[str, Any]]:
    """The inputs of all ways of calling, each with the way's name, in the order of the text."""
    if not subject.calls:
        yield from (("", each) for each in subject.inputs)
    for name, call in subject.calls.items():
        yield from ((name, each) for each in call["inputs"])


def _with_inputs(subject: Subject, indices: set[int]) -> Subject:
    """The subject with only these of its inputs."""
    if not subject.calls:
        inputs = [each for index, each in enumerate(subject.inputs) if index in indices]
        return dataclasses.replace(subject, inputs=inputs)
    first, calls = 0, {}
    for name, call in subject.calls.items():
        kept = [each for index, each in enumerate(call["inputs"], first) if index in indices]
        first += len(call["inputs"])
        if kept:
            calls[name] = {**call, "inputs": kept}
    return dataclasses.replace(subject, calls=calls)


def _text(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:MESSAGE]}" if text else type(error).__name__


def _examined_in_child(path: str, name: str) -> dict[str, Any]:
    """The evidence of one subject, from a forked process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with contextlib.suppress(BaseException):
            os.write(writer, json.dumps(_in_child(path, name)).encode())
        os._exit(0)
    os.close(writer)
    os.set_blocking(reader, False)
    answer, until = b"", time.monotonic() + WALL
    while time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            if not (more := os.read(reader, 1 << 16)):
                break
            answer += more
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reader)
    if not answer:
        why = (
            "took too long"
            if time.monotonic() >= until or os.WTERMSIG(status) == signal.SIGXCPU
            else "ended its process"
        )
        return dataclasses.asdict(TraitEvidence(failure=f"making or calling it again {why}"))
    return json.loads(answer)  # type: ignore[no-any-return]


def _in_child(path: str, name: str) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    warnings.simplefilter("ignore")
    try:
        subject = getattr(import_file(path), name)
    except BaseException as error:  # noqa: BLE001 - as above
        return dataclasses.asdict(TraitEvidence(failure=f"importing it again raised {_text(error)}"))
    return dataclasses.asdict(examined(subject))


def main() -> None:
    """Examine the subjects that the command line names."""
    path, answers, *names = sys.argv[1:]
    with Path(answers).open("w") as file:
        for name in names:
            file.write(json.dumps({"name": name, **_examined_in_child(path, name)}) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
