"""How a command ends that cannot finish: by a signal, without a reader, on a full disk, in a folder that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("interruptible")

CANDIDATES = Path(__file__).parent / "candidates"
SUBJECT = "flax.nnx:BatchNorm"
GOOD = CANDIDATES / "good.py"
COMMAND = (sys.executable, "-m", "nnx_conformance")
#: Root may write everywhere by the capability of this number; by this option it gives one up for good.
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}


def joined(words: object) -> str | None:
    return " ".join(words) if isinstance(words, tuple) else None


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command in a group of its own, whose temporary files lie below a folder of its own."""
    (folder / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(folder / "temporary"), "COLUMNS": "80"}
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def processes_of(folder: Path) -> list[str]:
    """The processes whose temporary files lie below a folder."""
    found, mark = [], f"TMPDIR={folder / 'temporary'}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has just ended, or is another's
    return found


def ended(folder: Path, process: subprocess.Popen[str], number: signal.Signals, wait_for: str) -> str:
    """Send a signal to the whole group once a file is there, as a terminal does; what the command wrote as errors."""
    deadline = time.monotonic() + 120
    while not list(folder.glob(wait_for)):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert list((folder / "temporary").iterdir()) == []
    assert processes_of(folder) == []
    return said


FORK_SERVER = "temporary/nnx-conformance-*"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_check_with_one_line_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process = started(tmp_path, "check", str(GOOD))

    assert ended(tmp_path, process, number, FORK_SERVER) == f"nnx-conformance: {WORDS[number]}; no verdict\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", [*WORDS])
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("explore", SUBJECT), id="explore"),
        pytest.param(("audit", "running-mean", "--by-hand", "--jobs", "2"), id="audit"),
    ],
)
def test_a_signal_ends_a_long_command(tmp_path: Path, arguments: tuple[str, ...], number: signal.Signals) -> None:
    process = started(tmp_path, *arguments)

    assert ended(tmp_path, process, number, FORK_SERVER) == f"nnx-conformance: {WORDS[number]}; no verdict\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_grading_which_keeps_what_it_has(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "handed-in").mkdir()
    for name in ("ada", "ben", "cem"):
        (tmp_path / "handed-in" / f"{name}.py").write_text(f"{GOOD.read_text()}\n# {name}\n")
    process = started(tmp_path, "grade", "handed-in", "--jobs", "2")

    said = ended(tmp_path, process, number, FORK_SERVER)

    assert said == f"nnx-conformance: {WORDS[number]}; the results are kept; the same command continues\n"


def ran(*arguments: str, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 120, **options}
    return subprocess.run([*COMMAND, *arguments], cwd=folder, **given)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("contracts",), 0), (("explain", "wrapper-kept"), 0), (("explain", "nothing"), 2)],
    ids=joined,
)
def test_nobody_reads_and_the_status_is_what_it_would_be(
    tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        done = ran(*arguments, folder=tmp_path, stdout=writes, stderr=writes)
    finally:
        os.close(writes)

    assert done.returncode == status


def test_a_closed_standard_output_is_no_failure(tmp_path: Path) -> None:
    command = " ".join((*COMMAND, "contracts", ">&-"))
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [("contracts",), ("explain", "wrapper-kept"), ("doctor",)], ids=joined)
def test_a_full_disk_is_reported_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = ran(*arguments, folder=tmp_path, stdout=full)

    assert (done.returncode, done.stderr) == (2, "nnx-conformance: cannot write: No space left on device.\n")


@pytest.mark.medium
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_report_that_cannot_be_written_names_its_option(tmp_path: Path) -> None:
    options = ("--max-examples", "1", "--check", "returns-pair", "--format", "json", "--output", "/dev/full")
    done = ran("check", str(GOOD), *options, folder=tmp_path)

    expected = "Expected a file that can be written but got --output='/dev/full' (type=str). No space left on device."
    assert (done.returncode, done.stderr) == (2, f"nnx-conformance: {expected}\n")


@pytest.mark.parametrize("arguments", [("check", "solution.py"), ("contracts",), ("grade", ".")], ids=joined)
def test_a_folder_that_is_gone_is_reported_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "gone").mkdir()
    command = " ".join(("cd gone && rmdir ../gone && exec", *COMMAND, *arguments))
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    gone = "The current folder no longer exists. Change into one that does, `cd`."
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"nnx-conformance: {gone}\n")


#: Lets root keep to the permissions of files, and becomes the command that it is given.
GIVE_UP_WRITING = f"""
import ctypes, os, sys
from nnx_conformance.sandbox import linux
if os.geteuid() == 0:
    linux.prctl({PR_CAPBSET_DROP}, ctypes.c_ulong({CAP_DAC_OVERRIDE}))
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("init", "solution.py", "--yes"),
            "pyproject.toml cannot be used: Permission denied.",
        ),
        (
            ("grade", "."),
            "unable to open database file. The stored results are kept: fix this, and the same command continues.",
        ),
        (("new-contract", "mine"), "mine cannot be written: Permission denied. Name another folder by --into."),
    ],
    ids=["init", "grade", "new-contract"],
)
def test_a_folder_that_cannot_be_written_is_reported_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "solution.py").write_text(GOOD.read_text())
    tmp_path.chmod(0o555)
    command = [sys.executable, "-c", GIVE_UP_WRITING, *COMMAND, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    tmp_path.chmod(0o755)

    assert done.returncode == 2
    assert done.stderr.endswith(f"{said}\n") and done.stderr.count("\n") == 1


def test_a_terminal_without_utf_8_is_written_to_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "größer漢.py").write_text("")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = ran("init", "größer漢.py", "--dry-run", folder=tmp_path, env=environment, encoding="latin-1")

    assert (done.returncode, done.stderr) == (0, "")
    assert 'candidates = ["größer\\u6f22.py"]' in done.stdout


INTERRUPTED_WITHIN = """
import signal, nnx_conformance

def candidate(seed, x, n_calls):
    signal.raise_signal(signal.SIGINT)

try:
    nnx_conformance.check(candidate, max_examples=2)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.medium
def test_ctrl_c_in_a_candidate_of_this_process_is_not_its_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WITHIN], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n")
