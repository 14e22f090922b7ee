"""The candidate's process: loads one target and answers questions about it with plain data.

It is forked from the zygote and has entered its jail. It holds no expected value and no verdict.
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import importlib
import os
import resource
import sys
import traceback
from typing import TYPE_CHECKING, Any, BinaryIO

from nnx_conformance import compile_cache

if TYPE_CHECKING:
    from nnx_conformance.target import Target

#: How much of what it writes to stdout and stderr is handed back.
OUTPUT_BYTES = 4096
#: What was compiled is forgotten when it takes one of so many parts of the memory that was free.
FULL = 3
WITHOUT_FUNCTION = "the file does not hold the function that the contract asks for"


def warm_up() -> None:
    """Import all that serving needs, once for all candidates; starts no backend."""
    from nnx_conformance import flax_versions, functions, messages, plain_text, wire

    assert all((functions, messages, plain_text, wire))
    flax_versions.versions()


def serve(read: int, write: int, home: str) -> None:
    """Answer questions until the judge hangs up.

    Args:
        read, write: descriptors of the two pipes.
        home: the private directory.
    """
    from nnx_conformance import flax_versions, wire
    from nnx_conformance.messages import Answer, Question

    reader = os.fdopen(read, "rb", buffering=0)
    writer = os.fdopen(write, "wb", buffering=0)
    _written()  # what importing JAX wrote is not the candidate's
    _write(writer, wire.dumps(Answer(0, versions=flax_versions.versions())))
    serving = _Serving(home)
    while (head := _read(reader, wire.HEAD.size)) is not None:
        text, body = wire.sizes(head)
        question = wire.loads(Question, _read(reader, text) or b"", _read(reader, body) or b"")
        _write(writer, wire.dumps(serving.answer(question)))


class _Serving:
    """The candidate of this process, once it is loaded."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._compiled = compile_cache.OwnCache(home)
        self._candidate: Any = None
        self._code: Any = None
        self._room: Any = None

    def answer(self, question: object) -> object:
        """The answer to one question; a failure of the kit is an answer too."""
        from nnx_conformance.messages import Answer, Question

        assert isinstance(question, Question)
        try:
            if question.target is not None:
                return self._load(question)
            return self._observe(question)
        except BaseException:  # noqa: BLE001 - whatever it is, the judge must be told
            return Answer(question.number, failure=traceback.format_exc()[-4000:])

    def _load(self, question: object) -> object:
        from nnx_conformance.loaded import NotLoaded
        from nnx_conformance.messages import Answer, Question

        assert isinstance(question, Question) and question.target is not None
        sys.dont_write_bytecode = True  # leave nothing in the candidate's folder
        self._code = importlib.import_module(question.code)
        made = self._code.load(self._written_out(question.target), question.entry, question.parameters)
        written = _written()
        if isinstance(made, NotLoaded):
            if question.target.source is not None:  # whoever asked has named a file among many, not a function in it
                made = dataclasses.replace(made, misuse=False, cause=made.cause or WITHOUT_FUNCTION)
            return Answer(question.number, not_loaded=dataclasses.replace(made, output=written))
        self._candidate, loaded = made
        _start_backend()  # only now: importing the candidate may have configured JAX
        _written()
        self._room = _Room()
        gc.freeze()  # what JAX and Flax made at import stays; collecting garbage need not look at it again and again
        return Answer(question.number, loaded=dataclasses.replace(loaded, output=written))

    def _written_out(self, target: Target) -> Target:
        """The target, its file written if it came with its source."""
        if target.source is None:
            return target
        path = os.path.join(self._home, target.path)
        with open(path, "wb") as file:
            file.write(base64.b64decode(target.source))
        return dataclasses.replace(target, path=path)

    def _observe(self, question: object) -> object:
        from nnx_conformance.messages import Answer, Question
        from nnx_conformance.wire import Later

        assert isinstance(question, Question) and question.request is not None
        self._room.make()
        self._compiled.keep_small()
        seen = self._code.observe(self._candidate, question.request)
        return Answer(question.number, observation=Later(dataclasses.replace(seen, output=_written())))


class _Room:
    """Keeps what earlier cases have compiled from taking the memory that is allowed."""

    def __init__(self) -> None:
        self._limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
        self._least = _data()

    def make(self) -> None:
        """Forget what was compiled if it takes too much of what was free when that was done the last time."""
        if self._limit == resource.RLIM_INFINITY or _data() < self._least + (self._limit - self._least) // FULL:
            return
        import jax

        jax.clear_caches()  # type: ignore[no-untyped-call]
        gc.collect()
        self._least = _data()


def _data() -> int:
    """The bytes that count against the limit of data memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[5]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _start_backend() -> None:
    import jax.numpy as jnp

    jnp.zeros(1).sum().block_until_ready()


def _read(stream: BinaryIO, size: int) -> bytes | None:
    """Exactly `size` bytes; None at the end of the stream."""
    parts = bytearray()
    while len(parts) < size:
        part = stream.read(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _write(stream: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]


def _written() -> str:
    """What was written to stdout and stderr since the last time; the file is emptied."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except BaseException:  # noqa: BLE001 - the candidate may have put anything there, or closed it
            continue
    from nnx_conformance.plain_text import plain

    try:
        size = os.fstat(1).st_size
        text = os.pread(1, OUTPUT_BYTES, 0).decode("utf-8", "replace") if size else ""
        os.ftruncate(1, 0)
        os.lseek(1, 0, os.SEEK_SET)  # stdout and stderr share the place at which they write
    except OSError:
        return "(it closed its standard output)"
    return plain(text) + (f"... ({size} bytes in all)" if size > OUTPUT_BYTES else "")
