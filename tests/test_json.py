"""The JSON document: of the published form, strict JSON, and with an accounting that adds up."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from nnx_conformance.cli.group import cli
from nnx_conformance.reports.json import document, schema

CANDIDATES = Path(__file__).parent / "candidates"
NAMES = ("good", "replaces_nan", "import_fails")
STATUSES = ("held", "violated", "blocked", "waived", "not_applicable")


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document on a conforming candidate, a violating one and one that does not import, from the command line."""
    folder = tmp_path_factory.mktemp("json")
    output = folder / "report.json"
    options = ["--max-examples", "2", "--no-shrink", "--format", "json", "--output", str(output)]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.chdir(folder)
        cli(["check", *(str(CANDIDATES / f"{name}.py") for name in NAMES), *options], prog_name="nnx-conformance")
    assert left.value.code == 1
    data: dict[str, Any] = json.loads(output.read_text(), parse_constant=refuse)
    return data


@pytest.fixture(scope="module")
def reports(written: dict[str, Any]) -> dict[str, Any]:
    return dict(zip(NAMES, written["reports"], strict=True))


def test_the_document_has_the_published_form(written: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(written, schema(), jsonschema.Draft202012Validator)


def test_no_report_is_a_document_too() -> None:
    jsonschema.validate(json.loads(document([])), schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("spoil", ["verdict", "accounting", "checks", "findings", "extra"])
def test_the_published_form_refuses_what_is_none(written: dict[str, Any], spoil: str) -> None:
    spoilt = json.loads(json.dumps(written))
    spoilt["reports"][0][spoil] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, schema(), jsonschema.Draft202012Validator)


def test_each_candidate_has_its_verdict(reports: dict[str, Any]) -> None:
    verdicts = {name: report["verdict"] for name, report in reports.items()}
    bad = "does not conform"
    assert verdicts == {"good": "conforms", "replaces_nan": bad, "import_fails": bad}


def test_the_accounting_adds_up(reports: dict[str, Any]) -> None:
    for report in reports.values():
        accounting = report["accounting"]
        assert accounting["planned"] == sum(accounting[status] for status in STATUSES) == len(report["checks"]) == 27
        for status in STATUSES:
            assert accounting[status] == sum(check["status"] == status for check in report["checks"])


def test_a_check_that_held_was_evaluated(reports: dict[str, Any]) -> None:
    for report in reports.values():
        for check in report["checks"]:
            assert (check["status"] == "held") <= (check["cases_evaluated"] > 0), check["id"]
            assert (check["status"] == "violated") == (check["cases_violated"] > 0), check["id"]
            assert check["cases_violated"] <= check["cases_evaluated"] <= max(report["cases"], 1)
            assert (check["status"] == "blocked") <= bool(check["blocked_by"])


def test_each_violated_check_has_one_finding(reports: dict[str, Any]) -> None:
    for report in reports.values():
        violated = [check["id"] for check in report["checks"] if check["status"] == "violated"]
        assert sorted(found["check"] for found in report["findings"]) == sorted(violated)


def test_what_blocks_is_told_on_both_sides(reports: dict[str, Any]) -> None:
    (finding,) = reports["import_fails"]["findings"]
    blocked = [check for check in reports["import_fails"]["checks"] if check["status"] == "blocked"]
    assert finding["blocks"] == [check["id"] for check in blocked]
    assert {tuple(check["blocked_by"]) for check in blocked} == {("returns-pair",)}


def test_a_candidate_that_does_not_import_has_the_line_and_no_case(reports: dict[str, Any]) -> None:
    (finding,) = reports["import_fails"]["findings"]
    assert finding["case"] is None
    assert finding["line"]["source"] == "import no_such_helper"
    assert finding["what"].endswith("importing it raised ModuleNotFoundError: No module named 'no_such_helper'")
    assert reports["import_fails"]["cases"] == 0


def test_a_case_that_is_not_finite_survives(reports: dict[str, Any]) -> None:
    (finding,) = [found for found in reports["replaces_nan"]["findings"] if found["check"] == "non-finite-x"]
    (x,) = [argument for argument in finding["case"]["arguments"] if argument["name"] == "x"]
    data = np.frombuffer(base64.b64decode(x["base64"]), x["dtype"])
    assert not np.isfinite(data).all()
    assert x["text"] in finding["case"]["text"]
    assert x["shape"] == list(data.shape)
