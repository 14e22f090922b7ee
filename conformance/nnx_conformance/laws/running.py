"""Carrying out a program: on the subject by its operations, and on its twin in plain Python."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nnx_conformance.laws import flax_modes, handing, measuring
from nnx_conformance.laws.acts import ACTS, Kept, Notes, refused, twin_does
from nnx_conformance.laws.bench import Bench, Transforms, Twin
from nnx_conformance.laws.language import Program, Word, program
from nnx_conformance.laws.lines import Follower
from nnx_conformance.laws.observing import FRESH
from nnx_conformance.laws.seen import Given, Observation, Pair, Side, Step, Told
from nnx_conformance.laws.snapshots import state, tree
from nnx_conformance.plain_text import plain
from nnx_conformance.request import LINES, File, Request

NOTHING = Side((), (), None)


def observe(bench: Bench, request: Request) -> Observation:
    """Carry out the program that a case stands for."""
    told = tuple(Told(name, str(value)) for name, value in bench.subject.traits.items())
    told += (Told("horizon", str(bench.subject.horizon)),)
    todo = program(request.case)
    if reason := flax_modes.missing(todo.mode):
        return Observation(NOTHING, (), told, (), todo.mode, reason, bench.where, bench.warnings, "")
    # Steps write down what the subject warns of. Elsewhere it is called, too, where a filter may make errors of it.
    with flax_modes.mode(todo.mode), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = Run(bench, bench.transforms(todo.mode, FRESH in request.probes), todo, request)
        start, beside = Side((), state(run.module), None), state(run.twin.module)
        steps = tuple(run.steps())
    numbers = {word.input for word in todo.words if word.operation.calls} | {
        one for step in steps for one in step.inputs
    }
    inputs = tuple(Given(one, plain(bench.pool.text(one)), bench.pool.source(one)) for one in sorted(numbers))
    return Observation(start, steps, told, inputs, todo.mode, "", bench.where, bench.warnings, "", run.handed, beside)


class Run:
    """One program under way.

    Attributes:
        module: the subject, or what it has become.
        twin: what does the same in plain Python.
        kept: what was left behind.
        shapes: those of the last call's input.
        request: what was asked; it has the files of the process before this one, if there was one.
        handed: what the next process is to go on from; empty if there is to be none.
        word: the operation under way; `wanted` is what the twin returned in it, `notes` what is to be told of it.
    """

    def __init__(self, bench: Bench, transforms: Transforms, todo: Program, request: Request) -> None:
        self.bench = bench
        self.todo = todo
        self.transforms = transforms
        self.request = request
        self.handed: tuple[File, ...] = ()
        history, self.shapes = handing.twin_of(request.files) if request.done else ((), "")
        self.twin = Twin(bench, todo.seed, history)
        self.module = bench.make(todo.seed)
        self.kept: list[Kept] = []
        self.word: Word = Word(todo.words[0].operation, 0) if todo.words else None  # type: ignore[assignment]
        self.wanted: Any = None
        self.notes = Notes()

    def steps(self) -> Iterator[Step]:
        """Carry out one operation after the other, as far as that goes."""
        done = self.request.done
        for at, word in enumerate(self.todo.words[done:], done):
            restarts = word.operation.name == "restart" and not (done and at == done)
            step = self._handed_over(word) if restarts else self._step(word)
            if step is None:
                return
            yield step
            if step.subject.raised or step.twin.raised:
                return

    def _handed_over(self, word: Word) -> Step | None:
        """None if a new process is to go on from here, else the step that is skipped, with the reason."""
        if reason := refused(self, word):
            return Step(word.operation.name, reason, NOTHING, NOTHING)
        try:
            self.handed = handing.packed(self.module, self.twin, self.shapes)
        except Exception as error:  # noqa: BLE001 - what cannot be saved at all, `save` shows
            return Step(word.operation.name, f"its state was not written to disk: {error}", NOTHING, NOTHING)
        return None

    def _step(self, word: Word) -> Step:
        name = word.operation.name
        if reason := refused(self, word):
            return Step(name, reason, NOTHING, NOTHING)
        self.word, self.notes = word, Notes()
        before = self.twin.history
        traces = self.transforms.traces
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.wanted = None
            with self._followed():
                twin, self.wanted = self._tried(lambda: twin_does(self))
            subject = twin if twin.raised else self._tried(lambda: ACTS[name](self))[0]
        if not twin.raised:
            twin = dataclasses.replace(twin, state=state(self.twin.module))
            subject = dataclasses.replace(subject, state=state(self.module))
            self._look_at_kept()
        noise = self._noise(before, subject, twin)
        traces = self.transforms.traces - traces
        more = self.notes.told()
        if word.operation.calls:
            more["shapes"] = self.shapes = self.bench.pool.shapes(word.input)
        warned = measuring.warned(caught, self.bench.source)
        return Step(name, "", subject, twin, noise=noise, traces=traces, warnings=warned, **more)

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Follow the twin line by line, where that is asked for."""
        if LINES not in self.request.probes:
            yield
            return
        follower = Follower(self.bench.source, self.twin.module)
        with follower.following():
            yield
        self.notes.wrote = list(follower.wrote)

    def plainly(self) -> Any:
        """Call the subject as it is."""
        given = self.bench.pool.held(self.word.input)
        outputs = self.bench.subject.call(self.module, *given)
        self.notes.touched = measuring.touched(given, self.bench.pool.held(self.word.input))
        return outputs

    def _tried(self, act: Callable[[], Any]) -> tuple[Side, Any]:
        """What a module did, and its outputs as they are."""
        try:
            outputs = act()
            return Side(tree(outputs), (), None), outputs
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - the module's own code may raise anything
            return Side((), (), self.bench.source.raised(error)), None

    def _look_at_kept(self) -> None:
        for kept in self.kept:
            now = Side((), state(kept.module), None)
            if not measuring.same(now.state, kept.then.state):
                self.notes.pairs.append(Pair(kept.law, kept.what, now, kept.then))
                kept.then = now

    def _noise(self, history: tuple[tuple[str, Any], ...], subject: Side, twin: Side) -> tuple[float, ...]:
        """How far the twin moves when its input moves in the last bit; measured where the two differ."""
        alike = measuring.same(subject.outputs, twin.outputs) and measuring.same(subject.state, twin.state)
        if alike or subject.raised or twin.raised:
            return ()
        added = [number for what, number in self.twin.history[len(history) :] if what == "call"]
        try:
            other = Twin(self.bench, self.twin.seed, history)
            outputs = [other.call(number, moved=True) for number in added]
        except Exception:  # noqa: BLE001 - without it, the tolerance is that of the dtypes
            return ()
        found = tree(outputs if len(added) > 1 else outputs[0]) if outputs else ()
        wanted = twin.outputs + twin.state
        return measuring.distances(found + state(other.module), wanted)
