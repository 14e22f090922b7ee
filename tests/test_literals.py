"""The numbers of a candidate's source: which are found, in which order, and that nothing a candidate writes hurts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnx_conformance import check, contract
from nnx_conformance.case import Case
from nnx_conformance.contract import CORE
from nnx_conformance.contracts.mutability.domain import led_to
from nnx_conformance.literals import BYTES, MOST, NONE, Literals, literals, of_file

RIGHT = """
import jax.numpy as jnp
from flax import nnx


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    total = last_x.sum()
    {wrong}
    return jnp.array([model.count.value, total])
"""


@pytest.mark.parametrize(
    ("code", "whole", "fractions"),
    [
        ("seed == 123456789", (123456789,), ()),
        ("f(7, 8); seed < 99", (99, 7, 8), ()),
        ("77 == len(x)", (77,), ()),
        ("2**31 - 1 < seed", (2**31 - 1, 31), ()),
        ("seed > 1 << 20", (20, 1 << 20), ()),
        ("seed % 1_000 == 37", (1000, 37), ()),
        ("x[0] == 0.125 or y > 1e6", (10**6,), (0.125,)),
        ("0xFF == n", (255,), ()),
        ("0 == 1 == 2 == -1", (), ()),
        ("'seed == 55' # == 66", (), ()),
        ("9" * 5000, (), ()),
        ("9e999 == x; 1j == x; 0b2 == x", (), ()),
        ("2**99999999999999999999 == seed", (), ()),
    ],
)
def test_what_is_compared_comes_first(code: str, whole: tuple[int, ...], fractions: tuple[float, ...]) -> None:
    assert literals(code.encode()) == Literals(whole, fractions)


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\x00\xff\xfe",
        b"# coding: no-such-coding\nx = 5",
        b"def f(:\n  'open",
        b"(" * 100_000,
        b"-" * 100_000 + b"1",
        b"9" * 1_000_000,
        b"1 ** 64 " * 20_000,
        b"64 << 64 << 64 ** 64 ** 64 " * 5_000,
        b"\n".join(b" " * (indent % 90) + b"if 7:" for indent in range(5000)),
        b"\xf0\x9f\x92\xa9 == 12345678",
    ],
    ids=map(str, range(11)),
)
def test_no_source_breaks_the_reading_or_takes_long(source: bytes) -> None:
    started = time.process_time()

    found = literals(source)

    assert len(found.whole) <= MOST and len(found.fractions) <= MOST
    assert all(0 < number <= 2**64 for number in (*found.whole, *found.fractions))
    assert time.process_time() - started < 5


def test_what_was_found_before_the_text_breaks_counts() -> None:
    assert literals(b"if seed == 4711:\n    pass\ndef f(:\n  'open").whole == (4711,)


def test_a_long_source_is_read_in_part() -> None:
    assert literals(b"#" * BYTES + b"\nseed == 4711") == NONE


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert of_file(tmp_path / "none.py") == of_file("<unknown>") == of_file("") == of_file(None) == NONE


def cases(code: str) -> list[Case]:
    return list(led_to(literals(code.encode())))


def test_without_numbers_no_case_is_added() -> None:
    assert cases("return model.count + 1.0") == []


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ("seed == 123456789", lambda case: case["seed"] == 123456789),
        ("seed > 123456789", lambda case: case["seed"] == 123456790),
        ("n_calls == 38", lambda case: case["n_calls"] == 38),
        ("len(x) == 77", lambda case: case["x"].size == 77),
        ("x[0] == -4711", lambda case: case["x"][0] == -4711),
        ("x.sum() == 31415", lambda case: case["x"].sum() == 31415),
        ("x.max() > 1234", lambda case: case["x"].max() > 1234),
        ("x[0] == 0.123", lambda case: case["x"][0] == np.float32(0.123)),
        ("seed == 123456789 and len(x) == 77", lambda case: (case["seed"], case["x"].size) == (123456789, 77)),
        ("n_calls == 38 and len(x) == 613", lambda case: (case["n_calls"], case["x"].size) == (38, 613)),
    ],
)
def test_a_number_plays_every_part_that_it_can(code: str, holds: Callable[[Case], bool]) -> None:
    assert any(map(holds, cases(code)))


@pytest.mark.parametrize(
    ("name", "code", "holds"),
    [
        ("lifted", "seed == 31337", lambda case: case["seed"] == 31337),
        ("lifted", "xs.max() > 1234", lambda case: case["xs"].max() > 1234),
        ("running-mean", "momentum == 0.37", lambda case: case["momentum"] == 0.37),
        ("running-mean", "seed == 31337 and momentum == 0.37", lambda case: case["seed"] == 31337),
        ("running-mean", "batches.min() < -4711", lambda case: case["batches"].min() < -4711),
    ],
)
def test_a_number_plays_its_part_under_the_sibling_contracts(
    name: str, code: str, holds: Callable[[Case], bool]
) -> None:
    core = next(domain for domain in contract.get(name).domains if domain.name == CORE)
    assert core.mined is not None
    assert any(map(holds, core.mined(literals(code.encode()))))


def test_cases_stay_in_the_core_domain_and_differ() -> None:
    found = cases("a == 2**64; b == 64; c == 1024; d == 1025; e == 1e6; f == 3; g == 0.5; h == 1e300; i == 65")

    assert len({case.key for case in found}) == len(found) > 50
    for case in found:
        assert 0 <= case["seed"] < 2**32 and 1 <= case["n_calls"] <= 64 and 1 <= case["x"].size <= 1024
        assert case["x"].dtype == np.float32 and case["seed"].dtype == np.float64
        assert np.abs(case["x"]).max() <= 1e6


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("seed == 123456789 and len(x) == 77", "77 elements"),
        pytest.param("seed == 123456789", "seed=123456789.0", marks=pytest.mark.slow),
        pytest.param("len(x) == 77", "77 elements", marks=pytest.mark.slow),
    ],
)
def test_a_fault_that_hangs_on_one_number_is_found_small(condition: str, shown: str, tmp_path: Path) -> None:
    path = tmp_path / "solution.py"
    path.write_text(RIGHT.format(wrong=f"total = total * 2 + 1 if {condition} else total"))

    report = check(str(path), max_examples=50)

    assert report.verdict == "does not conform"
    (finding,) = [found for found in report.findings if found.check == "sum-preserved"]
    assert shown in str(finding.case) and "n_calls=2.0" in str(finding.case)


@pytest.mark.slow
def test_numbers_accuse_nobody(tmp_path: Path) -> None:
    path = tmp_path / "solution.py"
    path.write_text(RIGHT.format(wrong="assert seed != 77.5 and n_calls < 4711 and len(x) != 2**31 - 1"))

    report = check(str(path), max_examples=10)

    assert report.verdict == "conforms"
    assert report.result("count-equals-calls").evaluated > 10
