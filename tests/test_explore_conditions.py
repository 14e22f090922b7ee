"""`explore` starts from conditions, keeps those that it did not meet, and says what a later search met anew."""

from __future__ import annotations

from pathlib import Path

from nnx_conformance.core.facts import Line
from nnx_conformance.core.search.conditions import Conditions, Unmet
from nnx_conformance.explore.conditions import since_earlier

FIRST, SECOND = (Unmet(Line("norm.py", number, "if ...:"), text, "true") for number, text in ((7, "a > 1"), (9, "b")))


def test_a_search_says_which_conditions_it_met_anew_and_which_it_still_did_not(tmp_path: Path) -> None:
    before = since_earlier(tmp_path / "kept", Conditions(3, (FIRST, SECOND)))
    later = since_earlier(tmp_path / "kept", Conditions(3, (SECOND,)))

    assert (before.newly_met, before.unmet) == ((), ("norm.py:7  a > 1", "norm.py:9  b"))
    assert (later.newly_met, later.unmet) == (("norm.py:7  a > 1",), ("norm.py:9  b",))


def test_a_search_that_came_to_no_condition_forgets_none(tmp_path: Path) -> None:
    since_earlier(tmp_path, Conditions(1, (FIRST,)))
    assert since_earlier(tmp_path, Conditions()).newly_met == ()
    assert since_earlier(tmp_path, Conditions(1)).newly_met == ("norm.py:7  a > 1",)


def test_what_is_no_record_of_conditions_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "conditions.json").write_text("{")
    assert since_earlier(tmp_path, Conditions(1, (FIRST,))).newly_met == ()
