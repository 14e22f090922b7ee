"""The candidate's process: loads one target and answers the judge's questions about it with plain data.

The fork server forks it, and it enters its jail first. It holds no expected value and no verdict.
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

from nnx_conformance.sandbox import compile_cache

if TYPE_CHECKING:
    from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded
    from nnx_conformance.core.candidate.target import Target
    from nnx_conformance.core.plan import Request
    from nnx_conformance.process.messages import Answer, Load, Observed, Question

#: The most bytes of the candidate's output that an answer holds.
OUTPUT_BYTES = 4096
#: JAX's caches are cleared when compiled code takes more than 1/FULL of the memory that was free.
FULL = 3


def warm_up() -> None:
    """Import everything that serving needs, once for all candidates; starts no backend."""
    from nnx_conformance.core import plain_text, wire
    from nnx_conformance.core.candidate import ownership
    from nnx_conformance.observe import flax_versions, functions
    from nnx_conformance.process import messages

    assert all((functions, messages, plain_text, wire))
    flax_versions.versions()
    ownership.editable()


def serve(read: int, write: int, home: str) -> None:
    """Answer questions until the judge closes its pipe.

    Args:
        read, write: descriptors of the two pipes.
        home: the private folder.
    """
    from nnx_conformance.core import wire
    from nnx_conformance.observe import flax_versions
    from nnx_conformance.process.messages import Answer, Question

    reader = os.fdopen(read, "rb", buffering=0)
    writer = os.fdopen(write, "wb", buffering=0)
    _take_output()  # the output of importing JAX is not the candidate's
    _write(writer, wire.dumps(Answer(0, flax_versions.versions())))
    serving = _Serving(home)
    while (head := _read(reader, wire.HEAD.size)) is not None:
        text, body = wire.sizes(head)
        question = wire.loads(Question, _read(reader, text) or b"", _read(reader, body) or b"")
        _write(writer, wire.dumps(serving.answer(question)))


class _Serving:
    """Loads the candidate of this process, and observes it."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._compiled = compile_cache.OwnCache(home)
        self._candidate: Any = None
        self._code: Any = None
        self._room: Any = None

    def answer(self, question: Question) -> Answer:
        """The answer to a question; a failure of the kit is an answer, too."""
        from nnx_conformance.process.messages import Answer, Failure, Load

        content = question.content
        try:
            return Answer(question.number, self._load(content) if isinstance(content, Load) else self._observe(content))
        except BaseException:  # noqa: BLE001 - the judge must know of any failure
            return Answer(question.number, Failure(traceback.format_exc()[-4000:]))

    def _load(self, content: Load) -> Loaded | NotLoaded:
        from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded
        from nnx_conformance.observe import flax_versions

        sys.dont_write_bytecode = True  # leave nothing in the candidate's folder
        if content.devices > 1:
            flax_versions.set_devices(content.devices)  # before the candidate's code may start a backend
        self._code = importlib.import_module(content.code)
        devices = {"devices": content.devices} if content.devices > 1 else {}
        result = self._code.load(self._written_out(content.target), content.entry, content.parameters, **devices)
        output = _take_output()
        if isinstance(result, NotLoaded):
            return dataclasses.replace(result, output=output)
        self._candidate, loaded = result
        assert isinstance(loaded, Loaded)
        _start_backend()  # only now, because importing the candidate may configure JAX
        _take_output()
        self._room = _Room()
        gc.freeze()  # the objects of JAX and Flax stay, so garbage collection can skip them
        return dataclasses.replace(loaded, output=output)

    def _written_out(self, target: Target) -> Target:
        """The target, whose file is written first if the target holds its source."""
        if target.source is None:
            return target
        path = os.path.join(self._home, target.path)
        with open(path, "wb") as file:
            file.write(base64.b64decode(target.source))
        return dataclasses.replace(target, path=path)

    def _observe(self, request: Request) -> Observed:
        from nnx_conformance.core.wire import Later
        from nnx_conformance.process.messages import Observed

        self._room.make()
        self._compiled.keep_small()
        facts = self._code.observe(self._candidate, request)
        return Observed(Later(dataclasses.replace(facts, output=_take_output())))


class _Room:
    """Limits the memory that compiled code of earlier cases takes."""

    def __init__(self) -> None:
        self._limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
        self._least = _data()

    def make(self) -> None:
        """Clear JAX's caches if data grew by more than 1/FULL of the memory that was free after the last clearing."""
        if self._limit == resource.RLIM_INFINITY or _data() < self._least + (self._limit - self._least) // FULL:
            return
        import jax

        jax.clear_caches()  # type: ignore[no-untyped-call]
        gc.collect()
        self._least = _data()


def _data() -> int:
    """The bytes that count against the limit of data memory; 0 if the system does not report them."""
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


def _take_output() -> str:
    """The output to stdout and stderr since the last call. Empties the file that holds it."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except BaseException:  # noqa: BLE001 - the candidate may have replaced or closed the stream
            continue
    from nnx_conformance.core.plain_text import plain

    try:
        size = os.fstat(1).st_size
        text = os.pread(1, OUTPUT_BYTES, 0).decode("utf-8", "replace") if size else ""
        os.ftruncate(1, 0)
        os.lseek(1, 0, os.SEEK_SET)  # stdout and stderr share their position
    except OSError:
        return "(it closed its standard output)"
    return plain(text) + (f"... ({size} bytes in all)" if size > OUTPUT_BYTES else "")
