"""Frames: what is sent arrives to the last bit, and what is no frame is refused in one way, whatever it is."""

from __future__ import annotations

import dataclasses
import struct
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reports
from nnx_conformance.core import wire
from nnx_conformance.core.candidate.loaded import End, Loaded, NotLoaded, Versions
from nnx_conformance.core.facts import (
    ArgumentAfter,
    Call,
    Facts,
    Intervention,
    Line,
    Module,
    Raised,
    Rerun,
    RngsBuilt,
    Run,
    Slot,
    Snapshot,
    Value,
    Warned,
    Write,
)
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.plan import Changed, Moment
from nnx_conformance.core.report import Finding
from nnx_conformance.process.messages import Answer, Failure, Observed

# The first example imports and compiles what the others use.
QUICK = settings(deadline=None, max_examples=25, derandomize=True)

texts = st.text(st.characters(exclude_categories=()), max_size=8)
counts = st.integers(0, 2**31)
numbers = st.floats() | st.none()


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Arrays of every dtype that may be sent, of up to three dimensions, made of any bytes."""
    dtype = wire.dtype(draw(st.sampled_from(sorted(wire.DTYPES))))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)


def several(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=2).map(tuple)


booleans = st.booleans()
lines = st.builds(Line, texts, counts, texts)
some_line = st.none() | lines
raised = st.builds(Raised, texts, texts, some_line, several(lines), booleans)
things = st.builds(Value, texts, st.none() | arrays(), texts)
snapshots = st.builds(Snapshot, counts, several(numbers), several(counts))
slots = st.builds(Slot, texts, texts, booleans, booleans, booleans)
modules = st.builds(Module, texts, booleans, booleans, some_line, st.none() | snapshots, st.none() | snapshots)
calls = st.builds(Call, counts, some_line, booleans, booleans, snapshots, st.none() | snapshots, st.none() | counts)
writes = st.builds(Write, some_line, texts, texts, texts, booleans, booleans, st.integers(-1, 9))
rngs = st.builds(RngsBuilt, several(several(st.integers(-(2**70), 2**70))), booleans, counts)
warned = st.builds(Warned, texts, texts, some_line, texts)
left = st.builds(ArgumentAfter, texts, booleans, st.none() | arrays())
runs = st.builds(
    Run,
    counts,
    st.none() | things,
    st.none() | raised,
    several(modules),
    several(calls),
    several(several(slots)),
    several(things),
    several(writes),
    several(rngs),
    several(warned),
    several(left),
)
outcomes = st.builds(Rerun, st.none() | things, st.none() | raised)
shifts = st.builds(
    Intervention, st.sampled_from(Changed), st.sampled_from(Moment), st.integers(), booleans, outcomes, several(numbers)
)
observations = st.builds(
    Facts, runs, st.none() | outcomes, st.none() | runs, several(shifts), several(numbers), booleans, texts
)
answers = st.builds(
    Answer,
    counts,
    st.builds(Versions, texts, texts, texts, texts)
    | st.builds(Loaded, texts, texts, texts, several(warned))
    | st.builds(NotLoaded, booleans, texts, texts, st.none() | raised, texts)
    | st.builds(Observed, st.builds(wire.Later, observations))
    | st.builds(Failure, texts),
)


def read(frame: bytes) -> Answer | None:
    """What the judge makes of a frame; None if it waits for more."""
    head = wire.HEAD.size
    if len(frame) < head:
        return None
    text, body = wire.sizes(frame[:head])
    if len(frame) < head + text + body:
        return None
    answer = wire.loads(Answer, frame[head : head + text], frame[head + text : head + text + body])
    if not isinstance(answer.content, Observed):
        return answer
    return dataclasses.replace(answer, content=Observed(wire.Later(wire.parsed(Facts, answer.content.facts))))


def bits(value: Any) -> Any:
    """A value in a form that is equal only if all of it is, NaN payloads and signs of zero included."""
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.shape, value.tobytes()
    if isinstance(value, float):
        return struct.pack(">d", value) if value == value else "nan"  # JSON has one NaN
    if isinstance(value, tuple):
        return tuple(map(bits, value))
    if dataclasses.is_dataclass(value):
        return type(value), tuple(bits(getattr(value, field.name)) for field in dataclasses.fields(value))
    return type(value), value


def fits(kind: Any, value: Any) -> bool:
    """Whether a value is of a type, to its last part; an int may stand for a float."""
    if get_origin(kind) in (Union, types.UnionType):
        return any(fits(one, value) for one in get_args(kind))
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(fits(get_args(kind)[0], item) for item in value)
    if kind is wire.Later:
        return type(value) is wire.Later and fits(Facts, value.data)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return type(value) is kind and all(fits(hints[name], getattr(value, name)) for name in hints)
    return type(value) in {float: (float, int)}.get(kind, (kind,))


@QUICK
@given(answers)
def test_what_is_sent_arrives_to_the_last_bit(answer: Answer) -> None:
    arrived = read(wire.dumps(answer))
    assert bits(arrived) == bits(answer)
    assert fits(Answer, arrived)


@pytest.mark.parametrize("name", sorted(wire.DTYPES))
def test_every_dtype_arrives_with_its_bytes(name: str) -> None:
    dtype = wire.dtype(name)
    data = np.frombuffer(bytes(range(8 * dtype.itemsize)), dtype)[::2].reshape(2, 2)
    frame = wire.dumps(Value("", data, ""))
    text, _ = wire.sizes(frame[: wire.HEAD.size])
    arrived = wire.loads(Value, frame[wire.HEAD.size : wire.HEAD.size + text], frame[wire.HEAD.size + text :])
    assert arrived.array is not None
    assert (arrived.array.dtype, arrived.array.tobytes()) == (data.dtype, data.tobytes())


def assert_refused_or_right(frame: bytes) -> None:
    """No other exception than `Malformed` gets out, and no value of another type."""
    try:
        arrived = read(frame)
    except wire.Malformed as error:
        assert str(error)
    else:
        assert arrived is None or fits(Answer, arrived)


@QUICK
@given(answers.map(wire.dumps), st.data())
def test_a_frame_cut_short_is_waited_for(frame: bytes, data: st.DataObject) -> None:
    assert read(frame[: data.draw(st.integers(0, len(frame) - 1))]) is None


@QUICK
@given(answers.map(wire.dumps), st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_are_refused_or_give_the_right_type(frame: bytes, flips: list[tuple[int, int]]) -> None:
    broken = bytearray(frame)
    for position, mask in flips:
        broken[position % len(broken)] ^= mask
    assert_refused_or_right(bytes(broken))


@QUICK
@given(st.binary(max_size=64), st.binary(max_size=64))
def test_random_bytes_in_a_right_head_are_refused(text: bytes, body: bytes) -> None:
    with pytest.raises(wire.Malformed):
        read(wire.HEAD.pack(wire.MAGIC, len(text), len(body)) + text + body)


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(sorted(wire.DTYPES)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=12,
)


@QUICK
@given(json_data, st.binary(max_size=32))
def test_any_json_is_refused_or_gives_the_right_type(data: Any, body: bytes) -> None:
    import json

    for kind in (Facts, Value, Snapshot, Line):
        try:
            assert fits(kind, wire.loads(kind, json.dumps(data).encode(), body))
        except wire.Malformed as error:
            assert str(error).startswith(f"no {kind.__name__}: ")


@QUICK
@given(st.binary(min_size=wire.HEAD.size, max_size=wire.HEAD.size).filter(lambda head: head[:4] != wire.MAGIC))
def test_bytes_that_begin_no_frame_are_refused(head: bytes) -> None:
    with pytest.raises(wire.Malformed, match=r"^the bytes do not begin a frame$"):
        wire.sizes(head)


@pytest.mark.parametrize(
    ("text", "body"), [(wire.MAX_BYTES + 1, 0), (0, wire.MAX_BYTES + 1), (wire.MAX_BYTES, 1), (2**32 - 1, 2**32 - 1)]
)
def test_a_frame_that_announces_too_much_is_refused(text: int, body: int) -> None:
    with pytest.raises(wire.Malformed, match=f"^a frame of {text + body} bytes; at most {wire.MAX_BYTES} are read$"):
        wire.sizes(wire.HEAD.pack(wire.MAGIC, text, body))


def test_the_largest_frame_is_not_refused() -> None:
    largest = wire.MAX_TEXT, wire.MAX_BYTES - wire.MAX_TEXT
    assert wire.sizes(wire.HEAD.pack(wire.MAGIC, *largest)) == largest


def test_more_json_than_any_observation_has_is_refused() -> None:
    message = f"^a frame with {wire.MAX_TEXT + 1} bytes of JSON; at most {wire.MAX_TEXT} are read$"
    with pytest.raises(wire.Malformed, match=message):
        wire.sizes(wire.HEAD.pack(wire.MAGIC, wire.MAX_TEXT + 1, 0))


@QUICK
@given(texts)
def test_a_text_from_a_candidate_can_be_printed_and_stored(text: str) -> None:
    frame = wire.dumps(Answer(1, Failure(text)))
    body = wire.HEAD.size
    answer, trusted = (wire.loads(Answer, frame[body:], b"", trusted=kit) for kit in (False, True))
    assert isinstance(answer.content, Failure) and isinstance(trusted.content, Failure)
    assert answer.content.traceback == plain(text)
    assert trusted.content.traceback == text
    assert not {char for char in answer.content.traceback if not char.isprintable()} - set("\n\t")


@pytest.mark.parametrize("kind", ["Line", "Snapshot"])
def test_a_number_that_no_float_holds_is_refused(kind: str) -> None:
    data = {"Line": f'["f",{10**400},"s"]', "Snapshot": f"[0,[{10**400}],[]]"}[kind]
    with pytest.raises(wire.Malformed, match="int too large to convert to float"):
        wire.loads({"Line": Line, "Snapshot": Snapshot}[kind], data.encode(), b"")


def test_a_whole_number_where_a_float_is_meant_becomes_one() -> None:
    assert repr(wire.loads(Snapshot, b"[0,[1],[],[]]", b"").numbers) == "(1.0,)"


@pytest.mark.parametrize(
    "array",
    [
        pytest.param('["float32",[2],0]', id="longer than the body"),
        pytest.param('["float32",[1],4]', id="beyond the body"),
        pytest.param('["float32",[1],-4]', id="before the body"),
        pytest.param('["float32",[-1],0]', id="negative size"),
        pytest.param('["float32",[true],0]', id="size that is no number"),
        pytest.param('["float32",[4611686018427387904,4611686018427387904],0]', id="huge"),
        pytest.param('["float32",[0,4611686018427387904],0]', id="huge and empty"),
        pytest.param(f'["float32",{[1] * 100},0]', id="too many dimensions"),
        pytest.param('["object",[1],0]', id="Python objects"),
        pytest.param('["S4",[1],0]', id="bytes"),
        pytest.param('[["float32"],[1],0]', id="dtype that is no name"),
        pytest.param('["float32",[1]]', id="too short"),
    ],
)
def test_an_array_that_cannot_be_is_refused(array: str) -> None:
    with pytest.raises(wire.Malformed, match=r"^no Value: "):
        wire.loads(Value, f'["jax.Array",{array},""]'.encode(), b"\0" * 4)


def test_deeply_nested_data_are_refused() -> None:
    with pytest.raises(wire.Malformed):
        wire.loads(Line, b"[" * 100_000, b"")


def test_a_head_that_is_too_short_is_refused() -> None:
    with pytest.raises(wire.Malformed):
        wire.sizes(wire.MAGIC)


def test_a_check_of_types_that_finds_nothing_would_be_seen() -> None:
    assert not fits(Line, Line("a", 1.5, "b"))  # type: ignore[arg-type]
    assert not fits(Snapshot, Snapshot(0, (1.0, "2"), ()))  # type: ignore[arg-type]
    assert not fits(Value, Value("", [1.0], ""))  # type: ignore[arg-type]
    assert bits(Snapshot(0, (0.0,), ())) != bits(Snapshot(0, (-0.0,), ()))


@pytest.mark.parametrize("content", ["3", "[]", "[0]", '["0",[]]', "[5,[]]", "[-1,[]]", "[true,[]]", "[4,[1]]", "null"])
def test_an_answer_that_is_none_of_its_kinds_is_refused(content: str) -> None:
    with pytest.raises(wire.Malformed, match=r"^no Answer: "):
        wire.loads(Answer, f"[1,{content}]".encode(), b"")


def test_an_end_arrives_as_what_it_is_and_no_other_word_does() -> None:
    finding = reports.finding(end=End.TIMED_OUT)
    assert wire.whole(Finding, wire.dumps(finding)).end is End.TIMED_OUT
    with pytest.raises(wire.Malformed, match="'late' is not a valid End"):
        wire.whole(Finding, wire.dumps(dataclasses.replace(finding, end="late")))  # type: ignore[arg-type]
