"""`adopt`: what is recorded of the modules that code makes and calls, and what becomes of it as Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import adoptable
from adoptable import Applied, Cached, Centred, Config, Layer, Noise, Outer, Router, Rows, Total
from nnx_conformance.adopt import flow, subject_file
from nnx_conformance.adopt.drafts import Draft, drafts, unadopted
from nnx_conformance.adopt.expressions import Writer
from nnx_conformance.adopt.recorder import CALLS, CONSTRUCTIONS, ConstructionRecorder
from nnx_conformance.adopt.records import merged
from nnx_conformance.adopt.source import Adopted, Trait, file_text, subject_text
from nnx_conformance.adopt.trial import examined
from nnx_conformance.core.candidate.subject import Subject
from nnx_conformance.core.errors import Misuse

X = jnp.linspace(-1.0, 1.0, 6).reshape(2, 3)


def layer(size: int = 3) -> Layer:
    return Layer(Config(size), rngs=nnx.Rngs(0))


def drafted(recorder: ConstructionRecorder, name: str) -> list[Draft]:
    return drafts(recorder.session.records[f"adoptable.{name}"])


def texts(draft: Draft) -> list[tuple[str, ...]]:
    return [tuple(value.text for value in each.arguments) for each in draft.inputs]


def test_a_construction_and_its_calls_become_a_subject() -> None:
    with ConstructionRecorder().recording() as recorder:
        Layer(Config(3), rngs=nnx.Rngs(params=1))(X)
    (draft,) = drafted(recorder, "Layer")
    assert subject_text(Adopted(draft)).splitlines()[1:] == [
        "Layer = Subject(",
        "    make=lambda rngs: adoptable.Layer(adoptable.Config(size=3), rngs=rngs),",
        "    inputs=[",
        "        floats((2, 3), -1.0, 1.0, seed=0),",
        "    ],",
        ")",
    ]


def test_calls_through_transforms_belong_to_the_construction_whose_module_looks_the_same() -> None:
    with ConstructionRecorder().recording() as recorder:
        small, large = layer(3), Layer(Config(3, nnx.gelu), rngs=nnx.Rngs(0))
        nnx.jit(lambda module, x: module(x))(small, X)
        nnx.grad(lambda module: module(X, scaled=True).sum())(nnx.clone(large))
    calls = recorder.session.records["adoptable.Layer"].calls
    assert [(call.construction, call.arguments.form, call.arguments.all[0].traced) for call in calls] == [
        (0, (1, ()), True),
        (1, (1, ("scaled",)), False),
    ]


def test_numbers_that_are_known_replace_those_that_were_traced() -> None:
    with ConstructionRecorder().recording() as recorder:
        module = layer()
        nnx.jit(lambda module, x: module(x))(module, X)
        module(3.0 * X)
    (draft,) = drafted(recorder, "Layer")
    assert [text for (text,) in texts(draft)] == ["floats((2, 3), -3.0, 3.0, seed=@SEED@)"]


def test_each_combination_of_flags_is_a_way_of_calling() -> None:
    with ConstructionRecorder().recording() as recorder:
        module = layer()
        module(X)
        module(X, scaled=True)
        module.encode(X)
    (draft,) = drafted(recorder, "Layer")
    assert [(way.name, way.method, way.keywords) for way in draft.ways] == [
        ("call", "__call__", ()),
        ("call_scaled_True", "__call__", ("scaled",)),
        ("encode", "encode", ()),
    ]


def test_what_raises_is_not_kept() -> None:
    with ConstructionRecorder().recording() as recorder:
        with pytest.raises(TypeError):
            layer()(jnp.ones((2, 7)))
        with pytest.raises(TypeError):
            Layer(Config(3))  # type: ignore[call-arg]
    record = recorder.session.records["adoptable.Layer"]
    assert (len(record.constructions), record.calls) == (1, [])
    assert unadopted(record).startswith("it was made (tests/test_adopt_recording.py:")


@pytest.mark.medium
def test_only_a_few_of_many_constructions_and_calls_are_kept() -> None:
    with ConstructionRecorder().recording() as recorder:
        for size in range(1, CONSTRUCTIONS + 2):
            module = layer(size)
            for rows in range(1, 4):
                module(np.ones((rows, size), np.float32))
    record = recorder.session.records["adoptable.Layer"]
    assert len(record.constructions) == CONSTRUCTIONS
    assert len(record.calls) == CALLS


def test_modules_and_keys_among_the_arguments_are_made_anew() -> None:
    with ConstructionRecorder().recording() as recorder:
        Outer(Outer(nnx.Linear(3, 4, rngs=nnx.Rngs(0)), jax.random.key(1)), jax.random.PRNGKey(2))(jnp.array([2, 0]))
    (draft,) = drafted(recorder, "Outer")
    inner = "adoptable.Outer(nnx.Linear(3, 4, rngs=rngs), rngs.params())"
    assert draft.construction.arguments.text == f"{inner}, jax.random.key_data(rngs.params())"
    assert texts(draft) == [('np.array([2, 0], "int32")',)]


def test_a_module_made_under_a_transform_is_recorded_by_its_streams() -> None:
    with ConstructionRecorder().recording() as recorder:
        nnx.eval_shape(lambda: Layer(Config(3), rngs=nnx.Rngs(0)))
        layer()(X)
    record = recorder.session.records["adoptable.Layer"]
    assert [each.arguments.text for each in record.constructions] == ["adoptable.Config(size=3), rngs=rngs"]


def test_what_is_called_before_the_first_call_belongs_to_make() -> None:
    with ConstructionRecorder().recording() as recorder:
        module = Cached()
        module.reserve(4)
        module(X)
    (draft,) = drafted(recorder, "Cached")
    assert "    module = adoptable.Cached()\n    module.reserve(4)\n    return module\n" in subject_text(Adopted(draft))


def test_a_method_that_only_moves_state_is_a_way_of_calling() -> None:
    with ConstructionRecorder().recording() as recorder:
        module = Centred()
        nnx.jit(lambda module, x: module.observe(x))(module, X)
        module(X)
    (draft,) = drafted(recorder, "Centred")
    assert [way.name for way in draft.ways] == ["call", "observe"]
    assert draft.construction.setup == ()


def test_what_makes_the_state_of_no_callable_belongs_to_make() -> None:
    with ConstructionRecorder().recording() as recorder:
        rows = Rows()
        rows.reserve(5)
        rows.append(X[0])
    (draft,) = drafted(recorder, "Rows")
    assert [way.name for way in draft.ways] == ["append"]
    assert [method for method, _ in draft.construction.setup] == ["reserve"]


def test_the_methods_of_what_is_no_callable_are_its_calls() -> None:
    with ConstructionRecorder().recording() as recorder:
        total = Total()
        total.update(values=X)
        total.compute()
        total.reset()
    (draft,) = drafted(recorder, "Total")
    assert [way.name for way in draft.ways] == ["update", "compute"]
    assert [method for method, _ in draft.others] == ["reset"]


def test_an_argument_that_cannot_be_written_down_is_named_with_its_line() -> None:
    with ConstructionRecorder().recording() as recorder:
        Applied(lambda x: x)(X)
    reason = unadopted(recorder.session.records["adoptable.Applied"])
    assert reason.startswith("argument `function` is a lambda, which no import finds (tests/test_adopt_recording.py:")


def test_a_shape_is_written_down() -> None:
    written = Writer().write(jax.ShapeDtypeStruct((2, 3), jnp.bfloat16))
    assert written.text == 'jax.ShapeDtypeStruct((2, 3), np.dtype("bfloat16"))'


def test_a_call_of_what_cannot_be_made_anew_is_none_of_another_construction() -> None:
    with ConstructionRecorder().recording() as recorder:
        Applied(nnx.softmax)
        Applied(lambda x: x)(X)
    assert drafted(recorder, "Applied") == []


def test_a_class_inside_a_function_is_reported_and_not_adopted() -> None:
    class Local(nnx.Module):
        def __call__(self, x: Any) -> Any:
            return x

    with ConstructionRecorder().recording() as recorder:
        Local()(X)
    ((name, why),) = recorder.session.unnamed.items()
    assert name.endswith("<locals>.Local")
    assert why.startswith("is defined inside a function (tests/test_adopt_recording.py:")


def test_values_that_matter_go_into_a_file_beside(tmp_path: Path) -> None:
    tokens = np.arange(40) % 3
    with ConstructionRecorder().recording() as recorder:
        Outer(None, jax.random.key(0))(jnp.asarray(tokens))
    (draft,) = drafted(recorder, "Outer")
    file = tmp_path / "nnx_subjects.py"
    subject_file.write(file, [Adopted(draft)], "tests", [])
    with np.load(file.with_suffix(".npz")) as arrays:
        (kept,) = arrays.values()
    assert np.array_equal(kept, tokens)
    assert 'ARRAYS = np.load(Path(__file__).with_suffix(".npz"))' in file.read_text()
    assert 'ARRAYS["int32_' in file.read_text()


def test_classes_are_as_they_were_once_recording_has_ended() -> None:
    before = vars(Layer)["__call__"]
    with ConstructionRecorder().recording():
        layer()(X)
        assert vars(Layer)["__call__"] is not before
    assert vars(Layer)["__call__"] is before


def test_one_package_alone_is_recorded_and_a_wrong_name_is_misuse() -> None:
    with ConstructionRecorder("adoptible").recording() as recorder:
        layer()(X)
    assert recorder.session.records == {}
    with pytest.raises(Misuse) as raised:
        flow.known_package(recorder.session, "adoptible", "--nnx-laws")
    assert str(raised.value) == (
        "Expected the package of modules that are made but got --nnx-laws='adoptible' (type=str). "
        "Did you mean 'adoptable'?"
    )
    with ConstructionRecorder("adoptable").recording() as recorder:
        layer()(X)
    assert list(recorder.session.records) == ["adoptable.Layer"]


def test_what_several_processes_recorded_is_joined() -> None:
    sessions = []
    for size in (3, 3, 4):
        with ConstructionRecorder().recording() as recorder:
            layer(size)(jnp.ones((2, size)))
        sessions.append(recorder.session.records)
    record = merged(sessions)["adoptable.Layer"]
    assert [call.construction for call in record.calls] == [0, 1]
    assert len(record.constructions) == 2


def test_a_trial_shows_traits_and_leaves_out_calls_that_do_not_fit() -> None:
    subject = Subject(lambda rngs: Noise(rngs), [X, "no array", X[0]])
    evidence = examined(subject)
    assert (evidence.bad, evidence.draws, evidence.evaluates) == ([1], True, True)
    evidence = examined(Subject(lambda rngs: Layer(Config(3), rngs=rngs), [X]))
    assert (evidence.bad, evidence.draws, evidence.evaluates, evidence.rewrites) == ([], False, False, [])


def test_a_trait_that_would_excuse_a_fault_is_asked_for() -> None:
    evidence = examined(Subject(lambda rngs: Router(), [X]))
    assert evidence.rewrites[0] == "bias"
    assert evidence.grows == ["kept_1"]
    with ConstructionRecorder().recording() as recorder:
        Router()(X)
    (draft,) = drafted(recorder, "Router")
    trait = Trait("rewrites_param", "a call moves the Param bias; on purpose?", decided=False)
    text = subject_text(Adopted(draft, (trait,)))
    assert '        # "rewrites_param": True,  # to decide: a call moves the Param bias; on purpose?\n' in text


def test_a_subject_that_cannot_be_made_anew_says_why() -> None:
    assert examined(Subject(lambda rngs: layer()(X[0, :2]), [X])).failure.startswith(
        "making it again raised TypeError: "
    )
    failure = examined(Subject(lambda rngs: layer(), [jnp.ones((2, 7))])).failure
    assert failure.startswith("a call of `it` on what was recorded raised TypeError: ")
    assert failure.endswith(": was it altered after it was made?")


def test_adding_to_a_file_changes_nothing_that_is_there(tmp_path: Path) -> None:
    with ConstructionRecorder().recording() as recorder:
        layer()(X)
        Noise(nnx.Rngs(0))(jnp.arange(4.0))
    file = tmp_path / "nnx_subjects.py"
    subject_file.write(file, [Adopted(drafted(recorder, "Layer")[0])], "tests", [])
    edited = file.read_text().replace("    inputs=[", "    inputs=[  # mine")
    file.write_text(edited)
    subject_file.write(file, [Adopted(drafted(recorder, "Noise")[0])], "tests", ['"/somewhere"'])
    assert file.read_text().startswith(edited)
    added = file.read_text().removeprefix(edited)
    assert added.split() and "import adoptable" not in added and "def floats" not in added
    assert 'sys.path[:0] = ["/somewhere"]' in added


def test_a_file_knows_the_classes_that_its_subjects_make_and_those_that_comments_leave_out(tmp_path: Path) -> None:
    file = tmp_path / "nnx_subjects.py"
    file.write_text(
        "# layers.Left is not to be judged\n"
        "def make(rngs):\n    return layers.Outer(layers.Inner(), rngs=rngs)\n"
        "A = Subject(make=make, inputs=[])\nB = Subject(make=lambda rngs: layers.Outer(), inputs=[])\n"
    )
    classes = ["layers.Inner", "layers.Left", "layers.Out", "layers.Outer"]
    assert subject_file.classes_of(file, classes) == ({"A": "layers.Outer", "B": "layers.Outer"}, ["layers.Left"])


def test_a_file_that_adopt_did_not_write_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "subjects.py"
    file.write_text("subject = None\n")
    with pytest.raises(Misuse) as raised:
        subject_file.refuse_foreign(file)
    assert str(raised.value) == (
        f"Expected a new file, or one that `adopt` wrote but got --write={str(file)!r} (type=str). It stays as it is: "
        "name another file, or begin its docstring with `Subjects of the module laws, from what` to have subjects "
        "added."
    )
    with pytest.raises(Misuse, match="Expected the name of a Python module but got --write="):
        subject_file.refuse_foreign(tmp_path / "subjects.txt")
    with pytest.raises(Misuse, match="Expected a file in a folder that exists but got --write="):
        subject_file.refuse_foreign(tmp_path / "none" / "subjects.py")


def test_the_text_is_python_that_imports_what_it_uses() -> None:
    with ConstructionRecorder().recording() as recorder:
        layer()(X)
    text = file_text([Adopted(drafted(recorder, "Layer")[0])], "tests", "nnx_subjects.py")
    names: dict[str, Any] = {}
    exec(compile(text, "nnx_subjects.py", "exec"), names)
    assert isinstance(names["Layer"], Subject)
    assert isinstance(names["Layer"].make(nnx.Rngs(3)), adoptable.Layer)
    assert names["__doc__"].startswith("Subjects of the module laws, from what `tests` made and called.")
