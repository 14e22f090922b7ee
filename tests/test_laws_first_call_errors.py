"""Errors in `make` or at the first call: a finding with line, reason and fix where the module is at fault."""

from __future__ import annotations

import re
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import Misuse, Subject, check_module
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.core.candidate.loaded import NotLoaded

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:3])
X = np.linspace(-2, 3, 24, dtype=np.float32).reshape(4, 2, 3)
STRICT = pytest.mark.skipif(VERSION < (0, 12, 4), reason="this Flax refuses less")


def refused(make: Any) -> NotLoaded:
    loaded = execution.adopt(Subject(make, [X, np.cos(X)]), "mine", ())
    assert isinstance(loaded, NotLoaded) and not loaded.misuse
    return loaded


class Norm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.count = nnx.Variable(jnp.zeros(()))
        self.scale: Any = 1.0


class ByJit(Norm):
    def __call__(self, x: Any) -> Any:
        return nnx.jit(lambda x: self.norm(x))(x)


class ByPlainJit(Norm):
    def __call__(self, x: Any) -> Any:
        def step(x: Any) -> Any:
            return self.norm(x)

        return jax.jit(step)(x)


class ByPlainScan(Norm):
    def __call__(self, x: Any) -> Any:
        return jax.lax.scan(lambda carry, row: (carry, self.norm(row)), 0.0, x)[1]


class ByCheckpoint(Norm):
    def __call__(self, x: Any) -> Any:
        return jax.checkpoint(lambda x: self.norm(x))(x)


class ByCond(Norm):
    def __call__(self, x: Any) -> Any:
        return nnx.cond(True, lambda x: self.norm(x), lambda x: x, x)


class ByShape(Norm):
    def __call__(self, x: Any) -> Any:
        shape = jax.eval_shape(lambda x: self.norm(x), x).shape
        return jnp.ones(shape)


class InItsConstructor(Norm):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.width = nnx.eval_shape(lambda: self.norm(jnp.ones((2, 3)))).shape[-1]

    def __call__(self, x: Any) -> Any:
        return self.norm(x)


#: What closes over its module, the transform, its line, and the code of the remedy.
CLOSES_OVER: list[tuple[Any, str, str, str]] = [
    (ByJit, "nnx.jit", "return nnx.jit(lambda x", "`nnx.jit(lambda module, x: module(x))(module, x)`"),
    (ByPlainJit, "jax.jit", "return jax.jit(step)(x)", "`nnx.jit(lambda module, x: module(x))(module, x)`"),
    (ByPlainScan, "jax.lax.scan", "return jax.lax.scan(", "row"),
    (ByCheckpoint, "jax.checkpoint", "return jax.checkpoint(", "`nnx.remat(lambda module, x: module(x))(module, x)`"),
    (ByCond, "nnx.cond", "return nnx.cond(True", "`nnx.cond(where, lambda module, x: module(x), lambda module, x: x"),
    (ByShape, "jax.eval_shape", "shape = jax.eval_shape(", "`nnx.eval_shape(lambda module, x: module(x), module, x)`"),
    (
        InItsConstructor,
        "nnx.eval_shape",
        "self.width = nnx.eval_shape(",
        "`nnx.eval_shape(lambda module, x: module(x),",
    ),
]


@pytest.mark.parametrize(
    ("make", "transform", "line", "code"), CLOSES_OVER, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_transform_that_closes_over_the_module_is_named_with_its_line(
    make: Any, transform: str, line: str, code: str
) -> None:
    why = refused(make)
    what = "`make(nnx.Rngs(0))`" if make is InItsConstructor else "its first call"
    assert why.reason == f"{what} raised TraceContextError: Cannot mutate BatchStat from a different trace level"
    assert why.raised is not None and why.raised.line is not None
    assert why.raised.line.source.startswith(line)
    assert why.cause.startswith(f"`{transform}` traces a function that closes over the module")
    assert code in why.remedy


def test_the_code_of_each_remedy_runs() -> None:
    module, x, where, index = nnx.BatchNorm(3, rngs=nnx.Rngs(0)), jnp.asarray(X), jnp.array(True), jnp.array(0)
    names = {"nnx": nnx, "jnp": jnp, "module": module, "x": x, "where": where, "index": index}
    for make, *_ in CLOSES_OVER:
        for code in re.findall(r"`([^`]+)`", refused(make).remedy):
            exec(code, dict(names))


class NoPytree(Norm):
    def __call__(self, x: Any) -> Any:
        return jax.jit(lambda module, x: module.norm(x))(self, x)


@pytest.mark.skipif(VERSION >= (0, 11), reason="modules are pytrees on this Flax")
def test_a_module_that_is_no_pytree_is_refused_by_plain_transforms() -> None:
    why = refused(NoPytree)
    assert why.cause == "`jax.jit` takes arrays, and on this Flax a module is no pytree of arrays"
    assert "`nnx.jit(lambda module, x: module(x))(module, x)`" in why.remedy


class BoundMethod(Norm):
    def __call__(self, x: Any) -> Any:
        return nnx.jit(self.norm.__call__)(x)


class BecomesAnArray(Norm):
    def __call__(self, x: Any) -> Any:
        self.scale = jnp.ones(())
        return x


class ListOfLayers(Norm):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layers = [nnx.Linear(3, 3, rngs=rngs)]

    def __call__(self, x: Any) -> Any:
        return x


class TagsItsVariable(Norm):
    def __call__(self, x: Any) -> Any:
        self.count.tag = "mine"
        return x


class AddsInPlace(Norm):
    def __call__(self, x: Any) -> Any:
        self.count += 1
        return x


@STRICT
@pytest.mark.parametrize(
    ("make", "line", "remedy"),
    [
        (BoundMethod, "return nnx.jit(self.norm.__call__)(x)", "`nnx.jit(type(module).__call__)(module, x)`"),
        (BecomesAnArray, "self.scale = jnp.ones(())", "`self.scale = nnx.Variable(jnp.asarray(...))`"),
        (ListOfLayers, "self.layers = [nnx.Linear(3, 3, rngs=rngs)]", "`self.layers = nnx.List([...])`"),
        (TagsItsVariable, 'self.count.tag = "mine"', "`variable.set_metadata(name=value)`"),
        (AddsInPlace, "self.count += 1", "`self.count[...] += 1`"),
    ],
)
def test_what_flax_refuses_is_explained_with_the_fix_as_code(make: Any, line: str, remedy: str) -> None:
    why = refused(make)
    assert why.raised is not None and why.raised.line is not None
    assert why.raised.line.source == line
    assert remedy in why.remedy


class AsksForAValue(Norm):
    def __call__(self, x: Any) -> Any:
        def step(x: Any) -> Any:
            return x if x.sum() > 0 else -x

        return jax.jit(step)(x)


class MisspeltAttribute(Norm):
    def __call__(self, x: Any) -> Any:
        return self.nrom(x)  # type: ignore[attr-defined]


class MisspeltName(Norm):
    def __call__(self, x: Any) -> Any:
        return self.norm(xx)  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("make", "line", "cause"),
    [
        (AsksForAValue, "return x if x.sum() > 0 else -x", "Python asks for a value that is not known while `jax.jit`"),
        (MisspeltAttribute, "return self.nrom(x)", "the module's own code is wrong, whatever it is given"),
        (MisspeltName, "return self.norm(xx)  # type: ignore", "the module's own code is wrong, whatever it is given"),
    ],
)
def test_the_modules_own_mistake_is_a_finding(make: Any, line: str, cause: str) -> None:
    why = refused(make)
    assert why.raised is not None and why.raised.line is not None
    assert why.raised.line.source.startswith(line)
    assert why.cause.startswith(cause)


def test_it_is_a_finding_of_a_report() -> None:
    report = check_module(Subject(ByJit, [X]), max_examples=8)
    (found,) = report.findings
    assert (report.verdict, found.check, found.case) == ("does not conform", "calls-return", None)
    assert (found.expected, found.observed) == ("a module that can be made and called", "TraceContextError")


@pytest.mark.parametrize("inputs", [[X[..., :2]], [(X, X)], ["text"]])
def test_inputs_that_do_not_fit_are_misuse(inputs: list[Any]) -> None:
    with pytest.raises(Misuse, match="Expected inputs that fit but a call on input"):
        check_module(Subject(lambda rngs: nnx.BatchNorm(3, rngs=rngs), inputs), max_examples=8)
