"""Text of candidates in messages: one line, of bounded length, cut between words."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nnx_conformance.core.case import array_text
from nnx_conformance.core.plain_text import short


@given(st.text(), st.integers(8, 60))
def test_a_short_text_is_one_line_of_bounded_length(text: str, most: int) -> None:
    told = short(text, most)
    assert len(told) <= most
    assert len(told.splitlines()) <= 1


def test_a_long_text_is_cut_between_words() -> None:
    assert short("one two three four", 15) == "one two ..."
    assert short("one two\n three", 15) == "one two three"


def test_the_folder_of_the_kit_is_not_shown() -> None:
    assert (
        short("at /home/me/site-packages/nnx_conformance/laws/operations.py:35")
        == "at nnx_conformance/laws/operations.py:35"
    )


def test_a_long_array_is_shown_by_its_ends_with_its_shape() -> None:
    assert array_text(np.zeros((2, 6), np.float32)) == "[[0., 0., 0., 0., 0., 0.], [0., 0., 0., 0., 0., 0.]]"
    assert array_text(np.ones((4, 9), np.float32)).endswith(" (4 x 9 elements)")
    assert array_text(np.zeros(20, np.int32)) == "[0, 0, 0, ..., 0, 0, 0] int32 (20 elements)"
