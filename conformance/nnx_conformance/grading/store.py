"""Stores results in one SQLite file as they come: a killed grading loses none, and continues."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core import wire
from nnx_conformance.core.errors import expected
from nnx_conformance.core.report import Report
from nnx_conformance.grading.grade import FINAL, STATUSES, Grade, GradeStatus

APPLICATION = 0x6E6E7863  # "nnxc"
VERSION = 2
NOT_RUN = "not run"
BUSY_SECONDS = 30.0
FIX = "Name another file with --results; this one is left as it is."

TABLES = """
CREATE TABLE candidates (id TEXT PRIMARY KEY, key TEXT NOT NULL, source BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE outcomes (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, seconds REAL NOT NULL, reason TEXT NOT NULL, report BLOB,
    at REAL NOT NULL
);
CREATE TABLE violated (check_id TEXT, key TEXT, PRIMARY KEY (check_id, key)) WITHOUT ROWID;
CREATE INDEX candidates_by_key ON candidates (key);
"""

ROWS = (
    "SELECT id, candidates.key, coalesce(status, ?), coalesce(seconds, 0), coalesce(reason, '') "
    "FROM candidates LEFT JOIN outcomes USING (key)"
)


@dataclass(frozen=True)
class StoredGrade:
    """One candidate with its result.

    Attributes:
        violates: the ids of the checks that it violates and that decide.
        advice: those of the others that it violates.
    """

    id: str
    key: str
    status: GradeStatus
    seconds: float
    reason: str
    violates: tuple[str, ...]
    advice: tuple[str, ...] = ()


class Store:
    """A results file. One process writes; others may read meanwhile. A context manager.

    Raises:
        Misuse: from every method, if the file is none of ours, is of another version, or cannot be written.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        self._path = path
        if not create and not path.is_file():
            raise expected("a results file that exists", "results", str(path), "`nnx-conformance grade` writes one.")
        with self._clearly():
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            with self._clearly():
                self._open(create)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a last checkpoint leaves one file without companions."""
        self._database.close()

    def _open(self, create: bool) -> None:
        (application,), (version,) = (
            self._database.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        where = str(self._path)
        empty = not self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if empty and create:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.executescript(
                f"BEGIN; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; {TABLES} COMMIT;"
            )
        elif application != APPLICATION:
            raise expected("a results file of nnx-conformance", "results", where, f"It is none. {FIX}")
        elif version != VERSION:
            raise expected(f"a results file of version {VERSION}", "results", where, f"It is {version}. {FIX}")
        self._database.execute("PRAGMA synchronous = NORMAL")

    def enlist(self, candidates: Iterable[tuple[str, str, bytes]]) -> None:
        """Store candidates: id, key and source. Replaces a candidate of the same id, and keeps its old result."""
        with self._clearly(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO candidates VALUES (?, ?, ?)", candidates)

    def known(self) -> set[str]:
        """The keys that need not be judged again."""
        marks = ", ".join("?" * len(FINAL))
        with self._clearly():
            rows = self._database.execute(f"SELECT key FROM outcomes WHERE status IN ({marks})", FINAL)
            return {key for (key,) in rows}

    def add(self, grade: Grade) -> None:
        """Store one result, durably."""
        report = wire.dumps(grade.report) if grade.report else None
        row = (grade.key, grade.status, grade.seconds, grade.reason, report, time.time())
        violated = [(finding.check, grade.key) for finding in grade.report.findings] if grade.report else []
        with self._clearly(), self._database:
            self._database.execute("BEGIN")
            self._database.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", row)
            self._database.executemany("INSERT OR REPLACE INTO violated VALUES (?, ?)", violated)

    def rows(self, ids: Iterable[str] | None = None, *, violates: str = "", status: str = "") -> Iterator[StoredGrade]:
        """Every candidate with its result, by id; those of some ids, of a violated check or of a status."""
        wanted = None if ids is None else set(ids)
        with self._clearly():
            broken = self._violated("key IN (SELECT key FROM violated)")
            for id, key, outcome, seconds, reason in self._database.execute(f"{ROWS} ORDER BY id", (NOT_RUN,)):
                violated = broken.get(key, ((), ()))
                listed = (wanted is None or id in wanted) and (not status or outcome == status)
                if listed and (not violates or violates in violated[0] + violated[1]):
                    yield StoredGrade(id, key, outcome, seconds, reason, *violated)

    def row(self, id: str) -> StoredGrade | None:
        """One candidate with its result; None if it is not known."""
        with self._clearly():
            found = self._database.execute(f"{ROWS} WHERE id = ?", (NOT_RUN, id)).fetchone()
            if found is None:
                return None
            id, key, outcome, seconds, reason = found
            violated = self._violated("key = ? AND report IS NOT NULL", key).get(key, ((), ()))
        return StoredGrade(id, key, outcome, seconds, reason, *violated)

    def _violated(self, which: str, *values: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """By key, the violated checks that decide, and the others: the stored report says which are which."""
        query = f"SELECT key, report FROM outcomes WHERE {which}"
        violated = {}
        for key, text in self._database.execute(query, values):
            report = wire.whole(Report, text)
            decides = {finding.check: report.decides(finding.level) for finding in report.findings}
            split = [
                tuple(sorted(id for id, deciding in decides.items() if deciding is wanted)) for wanted in (True, False)
            ]
            violated[key] = (split[0], split[1])
        return violated

    def stored(self, id: str) -> tuple[Report | None, bytes] | None:
        """The report and the source of one candidate; None if it is not known."""
        query = "SELECT report, source FROM candidates LEFT JOIN outcomes USING (key) WHERE id = ?"
        with self._clearly():
            row = self._database.execute(query, (id,)).fetchone()
        return row and (wire.whole(Report, row[0]) if row[0] else None, row[1])

    def counts(self) -> Counter[str]:
        """How many candidates have each status."""
        return Counter({status: 0 for status in STATUSES}) + Counter(row.status for row in self.rows())

    @contextlib.contextmanager
    def _clearly(self) -> Iterator[None]:
        """Turn an error of SQLite into misuse; stored results stay."""
        try:
            yield
        except sqlite3.Error as error:
            fix = f"{error}. The stored results are kept: fix this, and the same command continues."
            raise expected("a results file that can be used", "results", str(self._path), fix) from error
