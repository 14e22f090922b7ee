"""The laws of what a subject declares, and what it may not declare."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lawful import X, judged, read, violation, write
from nnx_conformance import Misuse, Subject, check_module
from nnx_conformance.core.contract import NotApplicable


class Mean(nnx.Module):
    """Takes off a running mean."""

    weight = 0.1

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.scale = nnx.Param(jnp.full((4,), 2.0))
        self.mean = nnx.BatchStat(jnp.zeros(4))

    def __call__(self, x: Any) -> Any:
        write(self.mean, (1 - self.weight) * read(self.mean) + self.weight * x.mean(0))
        return read(self.scale) * (x - read(self.mean))


class Other(Mean):
    weight = 0.9


class InNumPy:
    """The same, in plain NumPy."""

    scale: Any
    mean: Any

    def __call__(self, x: Any) -> Any:
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.scale * (x - self.mean)


REFERENCE = {"make": lambda rngs: InNumPy(), "inputs": []}
PATHS = {"scale": "scale", "mean": "mean"}
SEQUENCE = "call:1 call call:1 refer:1"


def test_a_module_is_compared_with_its_reference_in_numpy() -> None:
    assert judged(Mean, "reference-agrees", SEQUENCE, reference=REFERENCE, reference_state=PATHS) is None


def test_outputs_that_are_not_those_of_the_reference_are_reported() -> None:
    found = violation(Other, "reference-agrees", "refer", reference=REFERENCE, reference_state=PATHS)
    assert found.what == "beside the reference: the output differs after step 1, `refer`"


class OtherState(InNumPy):
    mean: Any = 0.0
    shifted: Any

    def __call__(self, x: Any) -> Any:
        y = super().__call__(x)
        self.shifted = self.mean + 1
        return y


def test_state_that_is_not_that_of_the_reference_is_reported() -> None:
    reference = {"make": lambda rngs: OtherState(), "inputs": []}
    paths = {"scale": "scale", "mean": "shifted"}
    found = violation(Mean, "reference-agrees", "refer", reference=reference, reference_state=paths)
    assert found.what == "beside the reference: the state `mean` differs after step 1, `refer`"


class Twice(nnx.Module):
    def __call__(self, x: Any) -> Any:
        return 2 * x


def test_a_function_is_a_reference_without_state() -> None:
    assert judged(lambda rngs: Twice(), "reference-agrees", "refer:1", reference=lambda x: 2.0 * x) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"reference": lambda x: x[:1]},
            r"Subject 'mine': Expected outputs of the module's shapes but got reference=<",
        ),
        ({"reference": lambda x, y: x}, r"Expected a reference that returns but on input \[0\] = .* raised TypeError"),
        ({"reference": 3}, r"Expected a function or a Subject but got reference=3 \(type=int\)\. Pass a function of"),
        (
            {"reference": REFERENCE, "reference_state": {"maen": "mean"}},
            r"Expected the path of a Variable of the module but got reference_state='maen' .*Did you mean 'mean'\?",
        ),
        ({"reference": REFERENCE}, r"on input \[0\] = .* raised AttributeError"),
        ({"reference_state": {"mean": "mean"}}, r"a function holds no state"),
        ({"variables": {"BatchStta": 1}}, r"got variables='BatchStta' .*Did you mean 'BatchStat'\?"),
        ({"variables": {"Param": -1}}, r"Expected a whole number >= 0 but got variables\['Param'\]=-1"),
        ({"traits": {"dtypes": {"parms": "float32"}}}, r"traits\['dtypes'\]='parms' .*Did you mean 'params'\?"),
        (
            {"traits": {"dtypes": {"params": "int8"}}},
            r"Expected a floating dtype but got traits\['dtypes'\]\['params'\]",
        ),
        ({"traits": {"mixes_row": True}}, r"Expected a trait of a module .*Did you mean 'mixes_rows'\?"),
    ],
)
def test_a_declaration_that_cannot_be_is_misuse(fields: Any, message: str) -> None:
    with pytest.raises(Misuse, match=message):
        check_module(Subject(Mean, [X], name="mine", **fields), max_examples=1)


def test_an_inventory_is_compared_with_what_was_made() -> None:
    assert judged(Mean, "inventory", "call", variables={"Param": 1, "BatchStat": 1, "Cache": 0}) is None
    found = violation(Mean, "inventory", "call", variables={"Param": 2})
    assert (found.what, found.observed) == (
        "the module has 1 Variables of type Param, and its subject declares 2",
        "1: scale",
    )


class Half(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, compute: Any = jnp.bfloat16, output: Any = jnp.bfloat16) -> None:
        self.kernel = nnx.Param(jnp.ones((4, 4), jnp.bfloat16))
        self.compute, self.output = compute, output

    def __call__(self, x: Any) -> Any:
        return (x.astype(self.compute) @ read(self.kernel).astype(self.compute)).astype(self.output)


POLICY = {"dtypes": {"params": jnp.bfloat16, "compute": "bfloat16", "output": np.dtype("float32")}}


def test_dtypes_that_are_declared_are_asked_of_params_products_and_outputs() -> None:
    make = lambda rngs: Half(rngs, output=jnp.float32)  # noqa: E731
    assert judged(make, "dtype-policy", "call:1 jit:1 types:1", traits=POLICY) is None
    found = violation(Half, "dtype-policy", "call", traits=POLICY)
    assert found.what == "the output is bfloat16 in step 1, `call`; declared for output: float32"
    found = violation(lambda rngs: Half(rngs, jnp.float32, jnp.float32), "dtype-policy", "call types", traits=POLICY)
    assert found.what == "a matrix product computes in float32; declared for compute: bfloat16"
    assert found.line is not None
    assert "@ read(self.kernel)" in found.line.source
    found = violation(Mean, "dtype-policy", "call", traits=POLICY)
    assert found.what == "the Param `scale` is float32 in step 1, `call`; declared for params: bfloat16"


class Modal(Mean):
    """Has an eval mode; `mixes`: in which rows still mix."""

    def __init__(self, rngs: nnx.Rngs, mixes: bool = False) -> None:
        super().__init__(rngs)
        self.use_running_average = False
        self.mixes = mixes

    def __call__(self, x: Any) -> Any:
        if self.use_running_average and not self.mixes:
            return x - read(self.mean)
        return super().__call__(x) if not self.use_running_average else x - x.mean(0)


def test_an_eval_mode_that_is_not_declared_is_reported() -> None:
    found = violation(Modal, "eval-declared", "call:1 modes:1")
    assert found.what == "after `eval()`, the same call gives another output, and the subject declares no eval mode"
    assert judged(Mean, "eval-declared", "call:1 modes:1") is None


def test_rows_that_mix_in_eval_mode_are_reported() -> None:
    traits = {"has_eval_mode": True}
    make = lambda rngs: Modal(rngs, mixes=True)  # noqa: E731
    found = violation(make, "rows-independent", "call rows", traits=traits)
    assert found.what == "in eval mode, another last row of the input gave another output for the rows before it"
    assert judged(Modal, "rows-independent", "call rows", traits=traits) is None
    excused = judged(make, "rows-independent", "call rows", traits=traits | {"mixes_rows": True})
    assert isinstance(excused, NotApplicable)


class Norm(nnx.Module):
    """Divides by a length, which is zero for one row."""

    def __init__(self, rngs: nnx.Rngs, safe: bool = False) -> None:
        self.scale = nnx.Param(jnp.ones(()))
        self.safe = safe

    def __call__(self, x: Any) -> Any:
        square = ((read(self.scale) * x) ** 2).sum(-1)
        inside = jnp.where(square > 0, square, 1.0) if self.safe else square
        return jnp.where(square > 0, jnp.sqrt(inside), 0.0)


class Rounds(Norm):
    def __call__(self, x: Any) -> Any:
        return jax.lax.stop_gradient(read(self.scale)) * x


ROWS = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]], np.float32)


def test_a_gradient_that_is_no_number_is_reported() -> None:
    found = violation(Norm, "gradients-agree", "call slopes", inputs=[ROWS])
    assert found.what == "the gradient of `scale` is not finite, where the outputs and their slope are"
    assert judged(lambda rngs: Norm(rngs, safe=True), "gradients-agree", "call slopes", inputs=[ROWS]) is None


def test_a_gradient_of_its_own_is_not_compared_with_differences() -> None:
    found = judged(Rounds, "gradients-agree", "call slopes", inputs=[ROWS])
    assert isinstance(found, NotApplicable)
    assert found.reason == "its call has a gradient of its own: stop_gradient"
    assert judged(Mean, "gradients-agree", "call slopes") is None


class Shows(Mean):
    shown = ""

    def __repr__(self) -> str:
        return f"Shows({self.shown.upper()})"


class Counts(Mean):
    def __repr__(self) -> str:
        write(self.mean, read(self.mean) + 1)
        return "Counts()"


def test_what_cannot_be_shown_is_reported() -> None:
    found = violation(lambda rngs: _with(Shows(rngs), shown=3), "represents", "represent")
    assert found.what.startswith("`repr` raised AttributeError: 'int' object has no attribute 'upper'")
    assert found.line is not None
    found = violation(Counts, "represents", "represent")
    assert found.what.startswith("shown: the state `mean` differs after step 1, `represent`")
    assert judged(Shows, "represents", "represent") is None


class Breaks(Mean):
    def __call__(self, x: Any) -> Any:
        return float(x[0, 0]) * super().__call__(x)


@pytest.mark.skipif(not hasattr(nnx, "tabulate"), reason="this Flax has no nnx.tabulate")
def test_a_class_is_what_it_was_after_a_table_that_failed() -> None:
    call = vars(Breaks)["__call__"]
    assert judged(Breaks, "represents", "represent represent") is not None
    assert vars(Breaks)["__call__"] is call
    assert Breaks(nnx.Rngs(0))(X).shape == X.shape


def _with(module: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(module, name, value)
    return module
