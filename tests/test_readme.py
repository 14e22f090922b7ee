"""The README stays short enough to be read; tests/test_docs.py runs what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(not README.exists(), reason="the tests run without the checkout")
def test_the_readme_is_read_in_a_minute() -> None:
    text = README.read_text()

    assert len(text.split()) <= 700
    assert len(text.splitlines()) <= 120
