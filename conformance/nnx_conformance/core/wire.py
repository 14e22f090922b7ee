"""The wire format: dataclasses as JSON for structure and raw buffers for arrays. Nothing is unpickled.

Parsing checks data from a candidate's process against the types of the dataclasses, and raises `Malformed` if they do
not fit.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import re
import struct
import types
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from nnx_conformance.core.plain_text import plain

T = TypeVar("T")

MAGIC = b"NNXC"
HEAD = struct.Struct(">4sII")
MAX_BYTES = 256 * 1024 * 1024
#: Parsed JSON takes up to twenty times the memory of its text. Facts of a thousand calls take a few 100 KiB of text.
MAX_TEXT = 8 * 1024 * 1024
#: The bytes in JSON that may become a character unsafe to print. We write ASCII, so no others can.
_ODD = re.compile(rb"\\[bfru]|[^\x20-\x7e]")

_SIZED = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
DTYPES = frozenset([*_SIZED, "bool", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"])


@dataclasses.dataclass(frozen=True, eq=False)
class Later:
    """A dataclass inside a frame that is left unparsed, because only the reader knows its kind; see `parsed`.

    Attributes:
        data: the dataclass when sent, JSON data when read.
        body: the frame's array bytes.
    """

    data: Any
    body: bytes = b""


SCALARS = frozenset([type(None), str, bool, int, float])


class Malformed(ValueError):
    """Bytes that are no frame, or a frame whose content does not fit the expected types."""


def dumps(value: Any) -> bytes:
    """A dataclass as one frame: head, JSON, array bytes."""
    buffers: list[bytes] = []
    text = json.dumps(_plain(value, buffers), separators=(",", ":")).encode("utf-8", "backslashreplace")
    body = b"".join(buffers)
    return HEAD.pack(MAGIC, len(text), len(body)) + text + body


def sizes(head: bytes) -> tuple[int, int]:
    """The sizes of JSON and array bytes in a frame's head.

    Raises:
        Malformed: if it is no head, or a size exceeds `MAX_BYTES`, or `MAX_TEXT` for JSON.
    """
    if len(head) != HEAD.size:
        raise Malformed("the head of a frame is cut short")
    magic, text, body = HEAD.unpack(head)
    if magic != MAGIC:
        raise Malformed("the bytes do not begin a frame")
    if text + body > MAX_BYTES:
        raise Malformed(f"a frame of {text + body} bytes; at most {MAX_BYTES} are read")
    if text > MAX_TEXT:
        raise Malformed(f"a frame with {text} bytes of JSON; at most {MAX_TEXT} are read")
    return text, body


def loads(kind: type[T], text: bytes, body: bytes, *, trusted: bool = True) -> T:
    """The dataclass `kind` from a frame's two parts.

    Args:
        text, body: the JSON and the array bytes.
        trusted: whether a process without candidate code wrote them; if not, texts are made safe to print and store.

    Raises:
        Malformed: if they hold anything else.
    """
    try:
        data = json.loads(text)
        data = _printable(data) if not trusted and _ODD.search(text) else data
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no {kind.__name__}: {error}") from error
    return parsed(kind, Later(data, body))


def parsed(kind: type[T], later: Later) -> T:
    """The dataclass `kind` from data that were left unparsed.

    Raises:
        Malformed: if they are anything else.
    """
    try:
        return _parser(kind)(later.data, later.body)  # type: ignore[no-any-return, arg-type]
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise Malformed(f"no {kind.__name__}: {error}") from error


def whole(kind: type[T], frame: bytes) -> T:
    """The dataclass `kind` from one whole frame.

    Raises:
        Malformed: if it holds anything else.
    """
    head = HEAD.size
    text, body = sizes(frame[:head])
    if len(frame) != head + text + body:
        raise Malformed("the frame is not as long as its head says")
    return loads(kind, frame[head : head + text], frame[head + text :])


def _printable(data: Any) -> Any:
    """JSON data with every text made plain."""
    if isinstance(data, list):
        return [_printable(item) for item in data]
    return plain(data) if isinstance(data, str) else data


def _plain(value: Any, buffers: list[bytes]) -> Any:
    if type(value) in SCALARS:
        return value
    if isinstance(value, tuple):
        return [_plain(item, buffers) for item in value]
    if isinstance(value, Later):
        return _plain(value.data, buffers)
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray):
        start = sum(map(len, buffers))
        buffers.append(np.ascontiguousarray(value).tobytes())
        return [value.dtype.name, list(value.shape), start]
    values, kind = value.__dict__, type(value)
    data = [_plain(values[name], buffers) for name in _fields(kind)]  # type: ignore[arg-type]
    for position, name, kinds in _choices(kind):  # type: ignore[arg-type]
        data[position] = [kinds.index(type(values[name])), data[position]]
    return data


@functools.cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@functools.cache
def _choices(kind: type) -> tuple[tuple[int, str, tuple[type, ...]], ...]:
    """A dataclass's fields of several kinds: position, name, kinds. On the wire the kind's index precedes the value."""
    hints = get_type_hints(kind)
    fields = [(position, name, _alternatives(hints[name])) for position, name in enumerate(_fields(kind))]
    return tuple(field for field in fields if len(field[2]) > 1)


def _alternatives(kind: Any) -> tuple[type, ...]:
    union = get_origin(kind) in (Union, types.UnionType)
    return tuple(argument for argument in get_args(kind) if argument is not type(None)) if union else ()


@functools.cache
def _parser(kind: Any) -> Callable[[Any, bytes], Any]:
    """A function that parses JSON data and the frame's array bytes into a `kind`."""
    if kind is Later:
        return Later
    if dataclasses.is_dataclass(kind):
        return _dataclass_parser(kind)
    if kind is np.ndarray:
        return _array
    if get_origin(kind) is tuple:
        return _tuple_parser(get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        return _optional_parser(kind) if len(_alternatives(kind)) == 1 else _union_parser(_alternatives(kind))
    if get_origin(kind) is Literal:
        return _scalar_parser((str,))
    if isinstance(kind, enum.EnumType):
        return lambda data, _: kind(data)
    if kind is float:
        return _float
    return _int if kind is int else _scalar_parser((kind,))


def _dataclass_parser(kind: Any) -> Callable[[Any, bytes], Any]:
    hints = get_type_hints(kind)
    parsers = [_parser(hints[name]) for name in _fields(kind)]

    def parse(data: Any, body: bytes) -> Any:
        return kind(*[parser(item, body) for parser, item in zip(parsers, _list(data), strict=True)])

    return parse


def _tuple_parser(arguments: tuple[Any, ...]) -> Callable[[Any, bytes], Any]:
    parser = _parser(arguments[0])  # only tuple[X, ...] is used
    return lambda data, body: tuple([parser(item, body) for item in _list(data)])


def _optional_parser(kind: Any) -> Callable[[Any, bytes], Any]:
    parser = _parser(*_alternatives(kind))
    return lambda data, body: None if data is None else parser(data, body)


def _union_parser(kinds: tuple[type, ...]) -> Callable[[Any, bytes], Any]:
    parsers = list(map(_parser, kinds))

    def parse(data: Any, body: bytes) -> Any:
        number, content = _list(data)
        if type(number) is not int or not 0 <= number < len(parsers):
            raise Malformed(f"expected one of {len(parsers)} kinds, got {number!r}")
        return parsers[number](content, body)

    return parse


def _scalar_parser(kinds: tuple[type, ...]) -> Callable[[Any, bytes], Any]:
    def parse(data: Any, body: bytes) -> Any:
        if type(data) not in kinds:
            raise Malformed(f"expected {kinds[0].__name__}, got {type(data).__name__}")
        return data

    return parse


def _float(data: Any, _: bytes) -> float:
    if type(data) not in (int, float):
        raise Malformed(f"expected float, got {type(data).__name__}")
    return float(data)


def _int(data: Any, _: bytes) -> int:
    if type(data) is not int:
        raise Malformed(f"expected int, got {type(data).__name__}")
    float(data)  # raises for a number too large for a float, which no check could compute with
    return data


def _array(data: Any, body: bytes) -> np.ndarray:
    name, shape, start = _list(data)
    if name not in DTYPES or not all(type(size) is int and size >= 0 for size in _list(shape)):
        raise Malformed(f"no array of dtype {name!r} and shape {shape!r}")
    if type(start) is not int or start < 0:
        raise Malformed("an array out of bounds")
    if not (count := math.prod(shape)):
        return np.zeros(shape, dtype(name))
    return np.frombuffer(body, dtype(name), count=count, offset=start).reshape(shape)


def dtype(name: str) -> np.dtype[Any]:
    """A NumPy dtype by name, bfloat16 included."""
    if name == "bfloat16":
        import ml_dtypes

        name = ml_dtypes.bfloat16
    kind: np.dtype[Any] = np.dtype(name)
    return kind


def _list(data: Any) -> list[Any]:
    if type(data) is not list:
        raise Malformed(f"expected a list, got {type(data).__name__}")
    return data
