"""The laws of several devices, and what a subject says of the mesh that it needs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from lawful import X, judged
from nnx_conformance import Misuse, Subject, check_module
from nnx_conformance.core.contract import NotApplicable
from on_two_devices import CASES, Mean

HAS_SHARD_MAP = pytest.mark.skipif(not hasattr(nnx, "shard_map"), reason="this Flax has no nnx.shard_map")


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What the laws say of each case, in a process that has two devices."""
    file = Path(__file__).parent / "on_two_devices.py"
    done = subprocess.run([sys.executable, "-W", "ignore", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])  # JAX 0.12 prints of a split that is uneven
    assert found.keys() == CASES.keys()
    return found


@pytest.mark.parametrize(
    "name",
    ["a running mean", "a mask", "a peak that is pinned", "a peak that moves agrees"],
)
def test_a_module_that_is_the_same_on_two_devices_is_not_accused(said: dict[str, str], name: str) -> None:
    assert said[name] == "holds"


def test_a_call_that_asks_for_the_number_of_devices_is_reported(said: dict[str, str]) -> None:
    assert said["a number of devices"] == "the output differs after step 1, `call`"


def test_a_start_that_hangs_on_the_number_of_devices_is_reported(said: dict[str, str]) -> None:
    start = "made with the same seed, a module starts differently where there are two devices: the state `mean` differs"
    assert said["a start by devices"] == start


def test_an_axis_that_two_devices_cannot_split_is_reported_where_the_mesh_is_declared(said: dict[str, str]) -> None:
    assert " raised " in said["three in two"]
    assert "a call in plain Python returns" in said["three in two"]


def test_a_variable_that_does_not_stay_where_it_was_placed_is_reported(said: dict[str, str]) -> None:
    moved = "a compiled call moved `peak`, which its metadata places at P('model'), to P()"
    assert said["a peak that moves"] == moved


@HAS_SHARD_MAP
def test_a_state_that_no_shard_reduces_is_reported_where_a_mesh_or_the_trait_says_so(said: dict[str, str]) -> None:
    assert said["a mean of a shard"] == said["no state of each shard"] == "output[0] differs after step 2, `shardmap`"
    assert said["a mean over shards"] == "holds"


def test_what_cannot_be_asked_is_not_applicable_with_its_reason(said: dict[str, str]) -> None:
    assert said["an ordered callback"] == "its call has ordered effects, which JAX runs on one device only"
    assert said["a batch of odd length"] == "its batch of 3 rows cannot be split over two devices"
    assert said["two lengths"] == "its inputs share no first axis to split"
    assert said["no axis"] == "no Variable of it names an axis of a mesh"
    assert said["a state of each shard"] == "each shard has a state of its own on purpose"
    reason = "it declares no mesh over which to map shards"
    assert said["no mesh"] == (reason if hasattr(nnx, "shard_map") else said["no mesh"])


@pytest.mark.skipif(len(jax.devices()) > 1, reason="there are several devices")
def test_a_process_of_one_device_says_how_to_be_asked_on_two() -> None:
    found = judged(Mean, "sharded-agrees", "call shard")
    assert isinstance(found, NotApplicable)
    assert found.reason == (
        "this process has one device, and no mesh of 2: give the subject as a target, or JAX more devices"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mesh": {"data": 4}}, r"Expected a mesh of the 2 devices that we judge on but got mesh=\{'data': 4\}"),
        ({"mesh": ["data"]}, r"Expected a dict from the names of axes to their sizes but got mesh=\['data'\]"),
        ({"mesh": {"data": 0}}, r"Expected a mesh whose sizes are whole numbers >= 1 but got mesh=\{'data': 0\}"),
        ({"context": 1}, r"Expected a function that makes a context manager but got context=1"),
    ],
)
def test_a_mesh_or_context_that_cannot_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Misuse, match=message):
        Subject(Mean, [X], **fields)


def test_a_context_that_cannot_be_entered_is_refused() -> None:
    subject = Subject(Mean, [X], context=lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(Misuse, match="Expected a context that can be entered but it raised ZeroDivisionError"):
        check_module(subject)


class NeedsMesh(nnx.Module):
    def __call__(self, x: Any) -> Any:
        return jax.lax.with_sharding_constraint(x, jax.sharding.PartitionSpec("data"))


def test_a_module_that_needs_a_mesh_is_refused_with_the_field_to_declare() -> None:
    with pytest.raises(Misuse, match=r"mesh.* Declare the axes that it names, such as `mesh=\{'data': 2\}`"):
        check_module(Subject(lambda rngs: NeedsMesh(), [X]))


def test_a_subject_is_made_and_called_in_its_mesh_and_context() -> None:
    entered = []

    @contextlib.contextmanager
    def context() -> Iterator[None]:
        entered.append(True)
        yield
        entered.append(False)

    assert judged(lambda rngs: NeedsMesh(), "jit-agrees", "call jit", mesh={"data": 2}, context=context) is None
    assert entered == [True, False, True, False]  # tried out, and judged


@pytest.mark.slow
def test_a_target_is_judged_on_two_devices_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "norm.py"
    path.write_text(
        "import jax, numpy as np\n"
        "from flax import nnx\n"
        "class Scaled(nnx.Module):\n"
        "    def __call__(self, x):\n"
        "        return x / jax.device_count()\n"
        "subject = {'make': lambda rngs: Scaled(), 'inputs': [np.ones((4, 2), np.float32)]}\n"
    )
    report = check_module(f"{path}::subject", checks=("sharded-agrees", "jit-agrees"), max_examples=8)
    assert [finding.check for finding in report.findings] == ["sharded-agrees"]
    assert report.findings[0].cause == (
        "what it does depends on how many devices there are: its twin finds one, and it finds two"
    )


@pytest.mark.slow
def test_a_subject_that_does_not_load_on_two_devices_is_not_accused(tmp_path: Path) -> None:
    path = tmp_path / "alone.py"
    path.write_text(
        "import jax, numpy as np\n"
        "from flax import nnx\n"
        "if jax.device_count() > 1:\n"
        "    raise RuntimeError('one device alone')\n"
        "subject = {'make': lambda rngs: nnx.BatchNorm(2, rngs=rngs), 'inputs': [np.ones((4, 2), np.float32)]}\n"
    )
    report = check_module(f"{path}::subject", checks=("sharded-agrees", "jit-agrees"), max_examples=8)
    assert report.findings == ()
    assert "on 2 devices, importing it raised RuntimeError: one device alone" in str(report)


def test_an_array_of_numbers_is_made_of_the_rows_of_two_inputs() -> None:
    from nnx_conformance.contracts.module_laws.execution.pool import pool

    evened = pool([jnp.ones((3, 2)), jnp.zeros((3, 2))]).evened()
    assert [evened.rows(number) for number in range(2)] == [6, 6]
    assert evened.arguments(0)[0][:, 0].tolist() == [1, 1, 1, 0, 0, 0]
