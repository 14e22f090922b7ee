"""Checkpoints for real: written to disk in each form by one process, and restored by a new one."""

from __future__ import annotations

import contextlib
import dataclasses
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import Subject
from nnx_conformance.contracts.module_laws.execution import run as subjects
from nnx_conformance.contracts.module_laws.execution.runners import checkpoints, handover
from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import Violation
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.judging.client import Client
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.session import Ended
from nnx_conformance.project import stored_findings
from nnx_conformance.project.replay import replay
from nnx_conformance.sandbox.jail import LEVELS, Jail

CONTRACT = contracts.get("module-laws")
LAW = CONTRACT.check("checkpoint-resumes")
FORMS = ["pickle", "flax.serialization", "Orbax"]
RIGHT = """
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx

    class Module(nnx.Module):
        def __init__(self, rngs):
            self.dropout = nnx.Dropout(0.5, rngs=rngs)
            self.norm = nnx.BatchNorm(4, dtype=jnp.bfloat16, param_dtype=jnp.bfloat16, rngs=rngs)

        def __call__(self, x):
            return self.dropout(self.norm(x))

    subject = {
        "make": Module,
        "inputs": [np.ones((2, 4), np.float32), np.arange(8, dtype=np.float32).reshape(2, 4)],
        "traits": {"draws_randomness": True, "has_eval_mode": True},
    }
"""
NAMED = """
    import uuid
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx

    run = uuid.uuid4().hex

    class Module(nnx.Module):
        def __init__(self, rngs):
            self.name = f"count_{run}"
            setattr(self, self.name, nnx.Variable(jnp.zeros(())))

        def __call__(self, x):
            count = getattr(self, self.name)
            count.value = count.value + 1
            return x * count.value

    subject = {"make": Module, "inputs": [np.ones(3, np.float32)], "traits": {}}
"""


@contextlib.contextmanager
def asking(path: Path, source: str, level: Any = "") -> Iterator[Client]:
    """A subject in a file, loaded and ready to be asked."""
    path.write_text(textwrap.dedent(source))
    target, clock = parse(str(path)), Clock(Limits())
    with ForkServer(Jail(level=level)) as fork_server:

        def opener() -> Process:
            return Process(target, clock, fork_server)

        session = opener()
        session.load(CONTRACT.entry, CONTRACT.parameters, CONTRACT.observer)
        found = Client(CONTRACT, session, opener)
        try:
            yield found
        finally:
            found.close()


def request(program: str) -> Request:
    return Request(case("core", 0, words(program)), RunPlan(), 1)


def seen(asking: Client, program: str) -> ProgramFacts:
    asking.submit(request(program))
    return asking.collect()  # type: ignore[no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_a_new_process_goes_on_from_each_form_of_checkpoint(tmp_path: Path, level: str) -> None:
    program = "call:1 eval restart:1 train call restart jit:1"
    with asking(tmp_path / "subject.py", RIGHT, level) as ready:
        found = seen(ready, program)
    assert [step.operation for step in found.steps] == [word.partition(":")[0] for word in program.split()]
    for at in (2, 5):
        assert [(told.name, told.value) for told in found.steps[at].forms] == [(form, "") for form in FORMS]
        assert [pair.name for pair in found.steps[at].pairs] == [
            f"restored from a checkpoint of {f}" for f in FORMS[1:]
        ]
    drawn = request(program).case
    reading = CONTRACT.read(drawn, found)
    assert [check.judge(drawn, reading) for check in (LAW, CONTRACT.check("jit-agrees"))] == [None, None]


@pytest.mark.medium
def test_what_only_a_new_process_shows_is_told(tmp_path: Path) -> None:
    with asking(tmp_path / "subject.py", NAMED) as ready:
        found = seen(ready, "call restart call")
    assert [step.operation for step in found.steps] == ["call", "restart"]
    drawn = request("call restart call").case
    violation = LAW.judge(drawn, CONTRACT.read(drawn, found))
    assert isinstance(violation, Violation)
    what = "step 2, `restart`: a new process cannot go on from the checkpoint, ValueError: only "
    assert violation.what.startswith(what)
    assert "has a leaf ['count_" in violation.what


def test_a_python_object_cannot_be_made_in_a_new_process() -> None:
    subject = Subject(lambda rngs: nnx.BatchNorm(4, rngs=rngs), [np.ones((2, 4), np.float32)], {"has_eval_mode": True})
    candidate, _ = subjects.adopt(subject, "subject", ())  # type: ignore[misc]
    found = subjects.observe(candidate, request("call restart call"))
    reason = "it was given as a Python object, which no new process can make: judge it as a target"
    assert [step.skipped for step in found.steps] == ["", reason, ""]
    assert not found.files


@pytest.mark.slow
def test_a_finding_of_a_new_process_is_replayed_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "subject.py"
    path.write_text(textwrap.dedent(NAMED))
    finding = stored_findings.StoredFinding(
        str(path), "module-laws", LAW.id, "", case(LAW.id, 0, words("call restart"))
    )
    assert replay(finding).outcome == "still violated"
    path.write_text(textwrap.dedent(NAMED.replace("{run}", "er")))
    assert replay(finding).outcome == "fixed"


FORGES = """
    import jax.numpy as jnp
    import numpy as np
    from flax import nnx
    from nnx_conformance.contracts.module_laws.execution.runners import handover
    from nnx_conformance.core.plan import File

    class Module(nnx.Module):
        def __init__(self, rngs):
            self.count = nnx.Variable(jnp.zeros(()))

        def __call__(self, x):
            return x

    handover.packed = lambda *_: (File({path!r}, np.zeros(3, np.uint8)),)
    subject = {{"make": Module, "inputs": [np.ones(3, np.float32)], "traits": {{}}}}
"""


@pytest.mark.parametrize("path", ["../over", "/tmp/over", "a/../../over"])
def test_a_file_outside_of_the_folder_is_not_handed_on(tmp_path: Path, path: str) -> None:
    with asking(tmp_path / "subject.py", FORGES.format(path=path)) as ready, pytest.raises(Ended) as ended:
        seen(ready, "call restart")
    assert str(ended.value) == (
        "its process sent an observation that contradicts itself (it hands over a file outside of its folder)"
    )


@pytest.mark.parametrize("form", checkpoints.FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "uint32", "float16", "bfloat16", "float32", "complex64"])
def test_each_form_gives_back_what_was_saved(tmp_path: Path, form: checkpoints.CheckpointForm, dtype: str) -> None:
    saved = {"['a'].b": np.asarray(jnp.arange(6).reshape(2, 3).astype(dtype)), "c": np.asarray(jnp.ones((), dtype))}
    form.write(tmp_path / "checkpoint", saved)
    read = form.read(tmp_path / "checkpoint", {name: np.zeros_like(array) for name, array in saved.items()})
    assert read.keys() == saved.keys()
    for name, array in saved.items():
        assert np.asarray(read[name]).dtype == array.dtype
        assert np.asarray(read[name]).tobytes() == array.tobytes()


def test_a_form_that_is_not_installed_is_left_out_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    orbax = dataclasses.replace(checkpoints.FORMS[2], module="orbax_that_is_not_there.checkpoint")
    monkeypatch.setattr(checkpoints, "FORMS", (checkpoints.FORMS[0], orbax))
    files = handover.packed(nnx.BatchNorm(4, rngs=nnx.Rngs(0)), SimpleNamespace(history=()), "")  # type: ignore[arg-type]
    with handover.unpacked(files) as folder:
        told = [(found.name, found.value) for found in handover.forms(folder)]
    reason = "orbax_that_is_not_there.checkpoint is not installed: pip install 'nnx-conformance[orbax]'"
    assert told == [("pickle", ""), ("Orbax", reason)]
