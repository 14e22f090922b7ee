"""`grade --engine ray` on a real cluster of this machine: the same verdicts, and nothing lost when a worker is."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'nnx-conformance[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
WRONG = GOOD.replace("return jnp.array([read(model.count)", "return jnp.array([read(model.count) + 1")
CRASHES = "def mutability_increment_count(seed, x, n_calls):\n    import os\n    os._exit(0)\n"
FAST = ("--max-examples", "5", "--no-shrink", "--timeout", "60")
COMMAND = (sys.executable, "-m", "nnx_conformance")


def grade(folder: Path, results: Path, *options: object) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "grade", str(folder), "--results", str(results), *FAST, *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=400)


def statuses(results: Path) -> dict[str, str]:
    listed = subprocess.run([*COMMAND, "results", str(results), "--format", "csv"], capture_output=True, text=True)
    return {row["id"]: row["status"] for row in csv.DictReader(io.StringIO(listed.stdout))}


def hand_in(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        source = (GOOD, WRONG, CRASHES)[number % 3]
        (folder / f"{number}.py").write_text(f"{source}\n# {number}\n")
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster, started as its owner would start it."""
    ray = str(Path(sys.executable).with_name("ray"))
    port = free_port()
    options = ["--head", f"--port={port}", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats"]
    os.environ["RAY_AUTH_MODE"] = "disabled"  # this cluster listens for this test alone
    os.environ["RAY_raylet_start_wait_time_s"] = "240"  # noqa: SIM112 - Ray spells it so; a busy machine needs over 30 s
    subprocess.run([ray, "start", *options], check=True, stdout=subprocess.DEVNULL, timeout=300)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([ray, "stop", "--force"], stdout=subprocess.DEVNULL, timeout=120)
        del os.environ["RAY_AUTH_MODE"]


def judges() -> list[int]:
    """The processes of the cluster's judges: Ray names an actor's process after its class."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(found[1]) for line in listed.splitlines() if (found := re.match(r"\s*(\d+) ray::Judge", line))]


def test_a_cluster_comes_to_the_same_verdicts_with_a_worker_killed_on_the_way(cluster: str, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", 12)
    command = [*COMMAND, "grade", str(folder), "--results", str(tmp_path / "ray"), *FAST]
    grading = subprocess.Popen([*command, "--engine", "ray", "--address", cluster], stdout=subprocess.DEVNULL)
    try:
        wait_for_the_first_results(tmp_path / "ray")
        os.kill(judges()[0], signal.SIGKILL)
        assert grading.wait(timeout=300) == 1
    finally:
        grading.kill()
        grading.wait()
    assert grade(folder, tmp_path / "local", "--engine", "local").returncode == 1
    found = statuses(tmp_path / "ray")
    assert found == statuses(tmp_path / "local")
    assert sorted(set(found.values())) == ["conforms", "crashed", "does not conform"]
    assert len(found) == 12


def wait_for_the_first_results(results: Path) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        if results.exists() and sum(status != "not run" for status in statuses(results).values()) >= 2:
            return
        time.sleep(0.2)
    raise AssertionError("no results came")


def test_a_cluster_is_started_where_no_address_is_given(tmp_path: Path) -> None:
    done = grade(hand_in(tmp_path / "in", 3), tmp_path / "r", "--engine", "ray", "--jobs", 1)
    assert done.returncode == 1, done.stderr
    assert sorted(statuses(tmp_path / "r").values()) == ["conforms", "crashed", "does not conform"]


def test_an_address_where_nobody_listens_is_misuse_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    address = f"127.0.0.1:{free_port()}"
    done = grade(hand_in(tmp_path / "in", 1), tmp_path / "r", "--engine", "ray", "--address", address)
    assert done.returncode == 2
    told = f"Expected the address of a Ray cluster that can be reached but got --address={address!r} (type=str). "
    assert done.stderr.startswith(f"nnx-conformance: {told}Connection refused. Start a cluster with `ray start --head`")
    assert time.monotonic() - started < 60
