"""Results in one SQLite file, written as they come: a grading that is killed loses none, and goes on where it was."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance import wire
from nnx_conformance.errors import expected
from nnx_conformance.grading.outcome import FINAL, STATUSES, Outcome, Status
from nnx_conformance.report import Report

APPLICATION = 0x6E6E7863  # "nnxc"
VERSION = 1
NOT_RUN = "not run"
BUSY_SECONDS = 30.0
MEND = "Name another file with --results; this one is left as it is."

TABLES = """
CREATE TABLE candidates (id TEXT PRIMARY KEY, key TEXT NOT NULL, source BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE outcomes (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, seconds REAL NOT NULL, reason TEXT NOT NULL, report BLOB,
    at REAL NOT NULL
);
CREATE TABLE violated (check_id TEXT, key TEXT, PRIMARY KEY (check_id, key)) WITHOUT ROWID;
CREATE INDEX candidates_by_key ON candidates (key);
"""


@dataclass(frozen=True)
class Row:
    """One candidate with its result.

    Attributes:
        violates: the ids of the checks that it violates.
    """

    id: str
    key: str
    status: Status
    seconds: float
    reason: str
    violates: tuple[str, ...]


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
            raise expected("a results file of nnx-conformance", "results", where, f"It is none. {MEND}")
        elif version != VERSION:
            raise expected(f"a results file of version {VERSION}", "results", where, f"It is {version}. {MEND}")
        self._database.execute("PRAGMA synchronous = NORMAL")

    def enlist(self, candidates: Iterable[tuple[str, str, bytes]]) -> None:
        """Take in candidates: id, key and source. One that was known by this id is replaced, its old result kept."""
        with self._clearly(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO candidates VALUES (?, ?, ?)", candidates)

    def known(self) -> set[str]:
        """The keys that need not be judged again."""
        marks = ", ".join("?" * len(FINAL))
        with self._clearly():
            found = self._database.execute(f"SELECT key FROM outcomes WHERE status IN ({marks})", FINAL)
            return {key for (key,) in found}

    def add(self, outcome: Outcome) -> None:
        """Keep one result, at once and for good."""
        report = wire.dumps(outcome.report) if outcome.report else None
        row = (outcome.key, outcome.status, outcome.seconds, outcome.reason, report, time.time())
        violated = [(finding.check, outcome.key) for finding in outcome.report.findings] if outcome.report else []
        with self._clearly(), self._database:
            self._database.execute("BEGIN")
            self._database.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", row)
            self._database.executemany("INSERT OR REPLACE INTO violated VALUES (?, ?)", violated)

    def rows(self, ids: Iterable[str] | None = None, *, violates: str = "", status: str = "") -> Iterator[Row]:
        """Every candidate with its result, by id; those of some ids, of a violated check or of a status."""
        wanted = None if ids is None else set(ids)
        query = (
            "SELECT id, candidates.key, coalesce(status, ?), coalesce(seconds, 0), coalesce(reason, '') "
            "FROM candidates LEFT JOIN outcomes USING (key) ORDER BY id"
        )
        with self._clearly():
            broken = self._violated()
            for id, key, found, seconds, reason in self._database.execute(query, (NOT_RUN,)):
                row = Row(id, key, found, seconds, reason, broken.get(key, ()))
                listed = (wanted is None or id in wanted) and (not status or found == status)
                if listed and (not violates or violates in row.violates):
                    yield row

    def _violated(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for key, check in self._database.execute("SELECT key, check_id FROM violated ORDER BY key, check_id"):
            found[key] = (*found.get(key, ()), check)
        return found

    def stored(self, id: str) -> tuple[Report | None, bytes] | None:
        """The report and the source of one candidate; None if it is not known."""
        query = "SELECT report, source FROM candidates LEFT JOIN outcomes USING (key) WHERE id = ?"
        with self._clearly():
            found = self._database.execute(query, (id,)).fetchone()
        return found and (wire.whole(Report, found[0]) if found[0] else None, found[1])

    def counts(self) -> Counter[str]:
        """How many candidates have each status."""
        return Counter({status: 0 for status in STATUSES}) + Counter(row.status for row in self.rows())

    @contextlib.contextmanager
    def _clearly(self) -> Iterator[None]:
        """Say what is wrong with the file; what was stored before stays."""
        try:
            yield
        except sqlite3.Error as error:
            mend = f"{error}. What was stored before is kept: mend this, and the same command goes on."
            raise expected("a results file that can be used", "results", str(self._path), mend) from error
