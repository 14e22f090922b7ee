"""The observer's code in the candidate's process: runs a program on a subject and, in plain Python, on its twin."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import numpy as np

from nnx_conformance.contracts.module_laws.evidence import Entry, LeafFacts, Pair, Side
from nnx_conformance.contracts.module_laws.execution import meshes, skip_reasons
from nnx_conformance.contracts.module_laws.execution.harness import Harness, History, Transforms, Twin, broken
from nnx_conformance.contracts.module_laws.execution.loading import Unfit
from nnx_conformance.contracts.module_laws.execution.loading import adopt as adopt
from nnx_conformance.contracts.module_laws.execution.loading import load as load
from nnx_conformance.contracts.module_laws.execution.pool import is_state, leaves
from nnx_conformance.contracts.module_laws.execution.rounding import distances, moved_twin
from nnx_conformance.contracts.module_laws.execution.runners import handover, round_trips
from nnx_conformance.contracts.module_laws.execution.runners.runners import RUNNERS, Counterpart, run_twin
from nnx_conformance.contracts.module_laws.execution.snapshots import state, trainable, tree
from nnx_conformance.contracts.module_laws.execution.subject_context import subject_context
from nnx_conformance.contracts.module_laws.execution.tracing.trace_evidence import drawn
from nnx_conformance.contracts.module_laws.execution.write_lines import Follower, Making
from nnx_conformance.contracts.module_laws.facts import Input, ProgramFacts, ProgramPart, StepFacts
from nnx_conformance.contracts.module_laws.program.language import TREE, Program, Word, program
from nnx_conformance.core.candidate.subject import DTYPES, Subject
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.plan import File, Request
from nnx_conformance.observe.flax_versions import is_key


def observe(harness: Harness | Unfit, request: Request) -> ProgramFacts:
    """The facts of running the requested program."""
    if isinstance(harness, Unfit):
        return ProgramFacts((), (), (), (), program(request.case).mode, harness.reason, harness.where, ())
    subject = harness.subject
    traits = {name: value for name, value in subject.traits.items() if name != DTYPES} | {"horizon": subject.horizon}
    traits |= {f"{DTYPES}.{part}": dtype for part, dtype in subject.dtypes.items()}
    traits |= {f"variables.{kind}": count for kind, count in subject.variables.items()}
    if subject.mesh:
        traits["mesh"] = ", ".join(f"{axis}={size}" for axis, size in subject.mesh.items())
    if subject.context is not None:
        traits["context"] = "given"
    if own := subject.trained:
        traits["trainable"] = ", ".join(kind.__name__ for kind in own)
    entries = tuple(Entry(name, str(value)) for name, value in traits.items())
    todo = program(request.case)
    if reason := skip_reasons.missing(todo.mode):
        return ProgramFacts((), (), entries, (), todo.mode, reason, harness.where, harness.warnings)
    tree_or_graph = skip_reasons.mode(todo.mode)
    with subject_context(subject), tree_or_graph, trainable(subject.trained), warnings.catch_warnings():
        # Steps record warnings themselves. Outside of steps, a filter could turn the subject's warnings into errors.
        warnings.simplefilter("ignore")
        transforms = harness.transforms(todo.mode, request.plan.compile_anew)
        programs = todo.parts if todo.mode == TREE else (todo,)
        results = [_run_program(harness, transforms, each, request) for each in programs]
    steps = [step for part, _ in results for step in part.steps]
    numbers = {word.input for word in todo.words if word.operation.calls}
    numbers |= {number for step in steps for number in step.inputs}
    pool = harness.pool
    inputs = tuple(
        Input(number, plain(pool.text(number)), pool.source(number), pool.streams(number)) for number in sorted(numbers)
    )
    facts = ProgramFacts((), (), entries, inputs, todo.mode, "", harness.where, harness.warnings)
    if todo.mode == TREE:
        return dataclasses.replace(facts, parts=tuple(part for part, _ in results))
    (part, files), *_ = results
    return dataclasses.replace(facts.of_part(part), files=files)


def _run_program(
    harness: Harness, transforms: Transforms, todo: Program, request: Request
) -> tuple[ProgramPart, tuple[File, ...]]:
    """The facts of a program, and the files from which a new process continues it."""
    try:
        run = Execution(harness, transforms, todo, request)
    except Exception as error:
        if request.done:  # the factory worked in the process before, so this is our failure
            raise
        return ProgramPart(make_error=harness.source.raised(error)), ()
    start, twin_start = state(run.module), state(run.twin.module)
    steps = tuple(run.steps())
    return ProgramPart(start, steps, twin_start, made=run.made), run.handed_over


class Execution:
    """One running program.

    Attributes:
        module: the subject's module; operations such as `clone` replace it.
        twin: does the same in plain Python.
        counterparts: the modules that `clone` and other operations replaced.
        shapes: the key of the last input's shapes.
        request: has the files of the process before this one, if there was one.
        handed_over: the files from which the next process continues; empty if the program ends in this one.
        word: the operation that runs.
        wanted: what the twin's call returned in it.
        notes: further fields of its facts.
        pairs: further sides to compare.
        made: the lines that set the module's attributes, if we followed its making.
        reimported: the subject of a new import of its file, for the operation that runs.
        differed: whether subject and twin differed after the operation before.
    """

    def __init__(self, harness: Harness, transforms: Transforms, todo: Program, request: Request) -> None:
        self.harness = harness
        self.program = todo
        self.transforms = transforms
        self.request = request
        self.handed_over: tuple[File, ...] = ()
        history, self.shapes = handover.twin_of(request.files) if request.done else ((), "")
        making = Making(harness.source)
        with self.on_one_device(), making.following() if request.plan.follow else nullcontext():
            self.twin = Twin(harness, todo.seed, history)
        self.made = making.writes(self.twin.module)
        self.module = harness.make(todo.seed)
        self.counterparts: list[Counterpart] = []
        self.word: Word = Word(todo.words[0].operation, 0) if todo.words else None  # type: ignore[assignment]
        self.wanted: Any = None
        self.notes: dict[str, Any] = {}
        self.pairs: list[Pair] = []
        self.reimported: Subject | None = None
        self.differed = False

    def steps(self) -> Iterator[StepFacts]:
        """Run one operation after the other, up to the first that raises."""
        done = self.request.done
        for number, word in enumerate(self.program.words[done:], done):
            restarts = word.operation.name == "restart" and not (done and number == done)
            if reason := skip_reasons.skipped(self, word) or (self._hand_over() if restarts else ""):
                yield StepFacts(word.operation.name, reason)
            elif restarts:
                return  # a new process continues from here
            else:
                step = self._step(word)
                if step.subject.raised and not step.twin.raised and (reason := broken(word.operation.name)):
                    step = StepFacts(word.operation.name, reason)
                yield step
                if step.skipped or step.subject.raised or step.twin.raised:
                    return

    def _hand_over(self) -> str:
        """Why the state cannot be handed over to a new process; empty if it is."""
        try:
            self.handed_over = handover.packed(self.module, self.twin, self.shapes)
        except Exception as error:  # noqa: BLE001 - `save` reports a module that cannot be saved at all
            return f"its state was not written to disk: {error}"
        return ""

    def _step(self, word: Word) -> StepFacts:
        self.word, self.wanted, self.notes, self.pairs = word, None, {}, []
        history, traces = self.twin.history, self.transforms.traces
        follower = self._follower() if self.request.plan.follow else None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with follower.following() if follower else nullcontext(), self.on_one_device():
                twin, self.wanted = self._outcome(lambda: run_twin(self))
            subject = twin if twin.raised else self._outcome(lambda: RUNNERS[word.operation.name](self))[0]
        if not twin.raised:
            twin = dataclasses.replace(twin, state=state(self.twin.module))
            subject = dataclasses.replace(subject, state=state(self.module))
            self._compare_counterparts()
        if subject.raised and word.operation.name in round_trips.WAYS:
            self.notes["differing"] = round_trips.refusing(self.module, word.operation.name)
        noise = self._noise(history, subject, twin)
        if word.operation.calls:
            self.shapes = self.notes["shapes"] = self.harness.pool.shapes(word.input)
        return StepFacts(
            word.operation.name,
            "",
            subject,
            twin,
            noise,
            tuple(self.pairs),
            warnings=self.harness.warned(caught),
            traces=self.transforms.traces - traces,
            draws=self._drawn() if follower else None,
            writes=follower.writes if follower else (),
            outliving=follower.outliving if follower else (),
            **self.notes,
        )

    def _follower(self) -> Follower:
        return Follower(self.harness.source, self.twin.module, self.harness.subject.make)

    def _drawn(self) -> Line | None:
        """The line that draws, of a module that declares so."""
        if not self.word.operation.calls or not self.harness.subject.declares("draws_randomness"):
            return None
        return drawn(self.harness, self.twin.module, self.word.input)

    def _outcome(self, runner: Callable[[], Any]) -> tuple[Side, Any]:
        """What a runner returned or raised, as facts; and the returned value itself."""
        try:
            outputs = runner()
            return Side(tree(outputs)), outputs
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - the module's own code may raise anything
            return Side(raised=self.harness.source.raised(error)), None

    def on_one_device(self) -> AbstractContextManager[None]:
        """The context of the twin: if the program needs several devices, JAX reports one to the twin."""
        return meshes.one_device() if self.program.devices > 1 else nullcontext()

    def plainly(self) -> Any:
        """Call the subject in plain Python."""
        return self.on_input(lambda *arguments: self.harness.invoke(self.module, *arguments))

    def on_input(self, call: Callable[..., Any]) -> Any:
        """What `call` returns on the operation's input; notes which arguments it changed."""
        pool, number = self.harness.pool, self.word.input
        arguments = pool.arguments(number)
        outputs = call(*arguments)
        self.notes["touched"] = _touched(arguments, pool.arguments(number))
        return outputs

    def compare(self, law: str, name: str, got: Side, wanted: Side, *, unlike: bool = False) -> None:
        """Add two sides that must agree, or differ if `unlike`."""
        self.pairs.append(Pair(law, name, got, wanted, unlike))

    def _compare_counterparts(self) -> None:
        for counterpart in self.counterparts:
            now = Side(state=state(counterpart.module))
            if not _same(now.state, counterpart.state.state):
                self.compare(counterpart.law, counterpart.name, now, counterpart.state)
                counterpart.state = now

    def _noise(self, history: History, subject: Side, twin: Side) -> tuple[float, ...]:
        """How far each of the twin's leaves moves when its input and state move in the last bit.

        If the sides differed before this step, their state still does. Then the inputs of all steps move, too.
        Empty if subject and twin are equal, or one of them raised.
        """
        alike = _same(subject.outputs, twin.outputs) and _same(subject.state, twin.state)
        differed, self.differed = self.differed, not alike
        if alike or subject.raised or twin.raised:
            return ()
        added = [number for kind, number in self.twin.history[len(history) :] if kind == "call"]
        starts = [lambda: Twin(self.harness, self.twin.seed, history)]
        if differed:
            starts.append(lambda: moved_twin(self.harness, self.twin.seed, history))
        moves = [distances(start, added, twin) for start in starts]
        return tuple(map(max, zip(*moves, strict=True))) if all(moves) else ()


def _same(some: tuple[LeafFacts, ...], others: tuple[LeafFacts, ...]) -> bool:
    """Whether two states, or outputs, have the same arrays to the last bit; plain values do not count."""
    arrays = [[leaf for leaf in leaves if leaf.array is not None] for leaves in (some, others)]
    states = [[leaf for leaf in leaves if leaf.state] for leaves in arrays]
    first, second = ([*map(_bits, leaves)] for leaves in (states if any(states) else arrays))
    return first == second


def _bits(leaf: LeafFacts) -> tuple[Any, ...]:
    assert leaf.array is not None
    return leaf.path, leaf.array.dtype.name, leaf.array.shape, leaf.array.tobytes()


def _touched(arguments: Any, untouched: Any) -> tuple[str, ...]:
    """The arrays among the arguments that a call changed in place or deleted. State may change: a call owns it."""
    if str(jax.tree.structure(arguments, is_leaf=is_state)) != str(jax.tree.structure(untouched, is_leaf=is_state)):
        return ("the arguments were changed in place: they hold other entries",)
    pairs = zip(jax.tree_util.tree_flatten_with_path(arguments, is_leaf=is_state)[0], leaves(untouched), strict=True)
    named = [(jax.tree_util.keystr(path), leaf, old) for (path, leaf), old in pairs]
    touched = [(name, _change(leaf, old)) for name, leaf, old in named if isinstance(leaf, (jax.Array, np.ndarray))]
    return tuple(f"argument {name} was {change}" for name, change in touched if change)


def _change(leaf: Any, old: Any) -> str:
    if isinstance(leaf, jax.Array) and leaf.is_deleted():
        return "deleted (donated)"
    if is_key(leaf):
        return ""
    a, b = np.asarray(leaf), np.asarray(old)
    return "" if (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes()) else "changed in place"
