"""Golden reports: what the kit says of every implementation of the reference, stored and compared.

    python tests/golden/golden.py make               # all contracts, on the installed Flax: about an hour of one core
    python tests/golden/golden.py compare            # the same, against what is stored; prints each difference
    python tests/golden/golden.py compare --only one # the implementations with "one" in their names
    python tests/golden/golden.py sample             # a few that show most checks violated and held; what CI compares

One file a contract and Flax version, one line an implementation. Seconds, versions, paths and scripts are left out.
Each check is its status and a digest of its counts and reason; a finding is stored in clear, but for long parts (case,
timeline), which are digests. Candidates are judged as `grade` judges them, with few cases and without shrinking: a
search for the smallest case ends by the clock on a busy machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import flax

import nnx_reference
from nnx_reference import Implementation

HOME = Path(__file__).parent
CONTRACTS = ("mutability", "split-merge", "lifted", "running-mean", "module-laws")
EXAMPLES = 12
#: A loaded machine must not decide what is stored.
LIMITS = ("--case-timeout", "120", "--timeout", "900")
DIGESTED = ("case", "timeline")
#: A script imports its candidate from a temporary folder.
LEFT_OUT = ("replay", "excerpt", "smallest", "run", "assertion", "script")


def implementations(contract: str, only: str) -> list[Implementation]:
    """What the installed Flax allows, and nothing else is missing for."""
    found = [*nnx_reference.rights(contract), *nnx_reference.mutants(contract)]
    return [one for one in found if one.applies_to(flax.__version__) and not one.missing() and only in name(one)]


def name(implementation: Implementation) -> str:
    """`right/vmap_of_scan`."""
    return f"{implementation.path.parent.name}/{implementation.path.stem}"


def judged(contract: str, chosen: Iterable[Implementation], jobs: int) -> Iterator[dict[str, Any]]:
    """The golden form of each implementation's report, in the order of names."""
    with tempfile.TemporaryDirectory() as folder:
        listed, output = Path(folder, "candidates.jsonl"), Path(folder, "reports.jsonl")
        listed.write_text(
            "".join(json.dumps({"id": name(one), "source": one.path.read_text()}) + "\n" for one in chosen)
        )
        command = [sys.executable, "-m", "nnx_conformance", "grade", str(listed), "--complete", "--contract", contract]
        command += ["--max-examples", str(EXAMPLES), "--no-shrink", "--jobs", str(jobs), *LIMITS]
        command += ["--results", str(Path(folder, "results.sqlite3")), "--format", "jsonl", "--output", str(output)]
        run = subprocess.run(command, env={**os.environ, "JAX_PLATFORMS": "cpu"}, check=False)
        if not output.exists():
            sys.exit(f"`grade` wrote no reports and ended with status {run.returncode}.")
        rows = sorted(map(json.loads, output.read_text().splitlines()), key=lambda row: row["id"])
    return map(golden, rows)


def golden(row: dict[str, Any]) -> dict[str, Any]:
    """What is stored of one candidate."""
    report = row["report"]
    if report is None:
        return {"id": row["id"], "status": row["status"], "reason": row["reason"].strip().splitlines()[-1]}
    return {
        "id": row["id"],
        "status": row["status"],
        "verdict": report["verdict"],
        "failure": report["failure"],
        "checks": {check["id"]: _result(check) for check in report["checks"]},
        "findings": list(map(_finding, report["findings"])),
    }


def _result(check: dict[str, Any]) -> str:
    counts = [check[key] for key in ("cases_evaluated", "cases_violated", "blocked_by", "reason")]
    return f"{check['status']} {_digest(counts)}"


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in finding.items() if key not in LEFT_OUT and value not in ("", [], None)}
    kept["what"] = re.sub(r"\d{5,} bytes", "many bytes", kept["what"])  # how facts are written decides how many
    return {key: _digest(value) if key in DIGESTED else value for key, value in kept.items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def file(contract: str) -> Path:
    """Where the golden reports of a contract lie, for the installed Flax."""
    return HOME / f"{contract}-flax{flax.__version__}.jsonl"


def stored(contract: str) -> dict[str, dict[str, Any]]:
    """The golden reports of a contract by implementation; empty if there are none for this Flax."""
    if not file(contract).exists():
        return {}
    return {row["id"]: row for row in map(json.loads, file(contract).read_text().splitlines())}


def sample(contract: str, most: int) -> list[str]:
    """At most so many implementations by which as many checks as possible are violated, and held: a greedy cover."""
    shows = {
        id: {(check, text.split()[0]) for check, text in row.get("checks", {}).items()}
        for id, row in stored(contract).items()
    }
    wanted = {(check, status) for shown in shows.values() for check, status in shown if status in ("violated", "held")}
    chosen: list[str] = []
    while wanted and len(chosen) < most:
        best = max(sorted(shows), key=lambda id: len(shows[id] & wanted))
        chosen.append(best)
        wanted -= shows[best]
    return chosen


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Each place where two golden forms differ, in a line."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}".removeprefix("."))
    elif isinstance(old, list) and isinstance(new, list) and path == "findings":
        by_check = [{finding["check"]: finding for finding in side} for side in (old, new)]
        yield from differences(by_check[0], by_check[1], "finding")
        if by_check[0].keys() == by_check[1].keys() and list(by_check[0]) != list(by_check[1]):
            yield f"order of findings: {list(by_check[0])} -> {list(by_check[1])}"
    elif old != new:
        yield f"{path}: {old!r} -> {new!r}"


def main() -> int:
    """Make, or compare; exit status 1 if a report differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=("make", "compare", "sample"))
    parser.add_argument("--contract", choices=CONTRACTS, action="append", default=[])
    parser.add_argument("--only", default="", help="only implementations with this in `right/name` or `mutants/name`")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--most", type=int, default=6, help="implementations of each contract in a sample")
    options = parser.parse_args()
    failed = False
    for contract in options.contract or CONTRACTS:
        chosen, known = implementations(contract, options.only), stored(contract)
        if options.act != "make" and not known:
            print(f"{contract}: no golden reports on Flax {flax.__version__}; `golden.py make` stores them", flush=True)
            continue
        if options.act == "sample":
            few = sample(contract, options.most)
            chosen = [one for one in chosen if name(one) in few]
        if not chosen:
            continue
        found = list(judged(contract, chosen, options.jobs))
        if options.act == "make":
            merged = (
                {**known, **{row["id"]: row for row in found}} if options.only else {row["id"]: row for row in found}
            )
            file(contract).write_text("".join(json.dumps(merged[id]) + "\n" for id in sorted(merged)))
            continue
        for row in found:
            for difference in differences(known.get(row["id"], {}), row):
                print(f"{contract} {row['id']} {difference}")
                failed = True
        print(f"{contract}: {len(found)} reports compared on Flax {flax.__version__}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
