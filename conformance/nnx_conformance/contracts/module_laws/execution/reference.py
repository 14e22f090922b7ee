"""The reference of a subject: other code that returns the right outputs for the same calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.snapshots import variables
from nnx_conformance.contracts.module_laws.program.language import AS_NUMPY
from nnx_conformance.core.candidate.subject import Subject, as_subject
from nnx_conformance.core.errors import Misuse, expected, suggestion
from nnx_conformance.observe.flax_versions import NODE, contents, set_contents


class ReferenceTwin:
    """A new reference. Where the subject maps state to it, it starts with the state of a new module.

    Attributes:
        paths: the paths of mapped Variables, each with the name of the reference's attribute.
    """

    def __init__(self, harness: Harness, seed: int) -> None:
        reference = harness.subject.reference
        self.pool, self.own_subject = dataclasses.replace(harness.pool, numpy=True), harness.subject
        self.paths = harness.subject.reference_state
        self.stateless = callable(reference)
        self.subject = Subject(lambda rngs: None, []) if self.stateless else as_subject(reference)
        self.function = reference if self.stateless else None
        self.object: Any = self.subject.make(nnx.Rngs(seed))
        module = harness.make(seed)
        for path, name in self.paths.items():
            self._write(name, np.array(contents(variables(module)[path])))

    def call(self, number: int) -> Any:
        """What it returns for an input. It gets NumPy arrays, unless it is a Flax module."""
        flax = isinstance(self.object, NODE)
        arguments = self.pool.arguments(number if flax or number >= AS_NUMPY else number + AS_NUMPY)
        if self.function:
            return self.function(*arguments)
        own = self.subject.calls or not self.subject.plain
        return (self.subject if own else self.own_subject).invoke(self.object, *arguments)

    def set_mode(self, name: str) -> None:
        """Call its method `train` or `eval`, if it has one."""
        getattr(self.object, name, lambda: None)()

    def value(self, path: str, like_array: Any) -> Any:
        """Its value for the Variable with this path, in the dtype of `mine`."""
        value, name = self.object, self.paths[path.split("/")[0]]
        for part in name.split("."):
            value = getattr(value, part)
        value = contents(value) if isinstance(value, nnx.Variable) else value
        return np.asarray(value).astype(like_array.dtype) if like_array is not None else None

    def _write(self, name: str, value: Any) -> None:
        *parents, last = name.split(".")
        holder = self.object
        for part in parents:
            holder = getattr(holder, part)
        old = getattr(holder, last, None)
        if isinstance(old, nnx.Variable):
            set_contents(old, jnp.asarray(value))
        else:
            setattr(holder, last, value)


def like(returned: Any, wanted: Any) -> Any:
    """What a reference returned, in the structure and dtypes of the module's outputs, if the leaves correspond."""
    leaves, (others, structure) = jax.tree.leaves(returned), jax.tree.flatten(wanted)
    if len(leaves) != len(others):
        return returned
    pairs = zip(leaves, others, strict=True)
    return jax.tree.unflatten(structure, [_cast(leaf, other) for leaf, other in pairs])


def _cast(leaf: Any, other: Any) -> Any:
    return jnp.asarray(np.asarray(leaf).astype(other.dtype)) if hasattr(other, "dtype") else leaf


def check_declared(harness: Harness) -> None:
    """Check the reference and the Variables that a subject declares.

    Raises:
        Misuse: if the reference raises or returns other shapes, or the module lacks a declared path or Variable type.
    """
    subject = harness.subject
    module = harness.make(0)
    for path in subject.reference_state:
        if path not in (known := variables(module)):
            raise expected("the path of a Variable of the module", "reference_state", path, suggestion(path, known))
    if subject.reference is not None:
        _check_reference(harness, module)
    elif subject.variables:
        harness.call(module, 0)
    own = {type(variable).__name__ for variable in variables(module).values()}
    flax = {name for name, value in vars(nnx).items() if isinstance(value, type) and issubclass(value, nnx.Variable)}
    for kind in subject.variables:
        if kind not in own | flax:
            fix = suggestion(kind, own | flax) if own else "The module has no Variables: leave `variables` out."
            raise expected("the name of a type of Variable that the module has", "variables", kind, fix)


def _check_reference(harness: Harness, module: Any) -> None:
    subject = harness.subject
    try:
        reference = ReferenceTwin(harness, 0)
    except Misuse:
        raise
    except Exception as error:
        fix = "Let it make an object that has the attributes of `reference_state`, or that takes them."
        raise Misuse(f"Expected a reference that can be made but it raised {_text(error)}. {fix}") from error
    for number in range(len(harness.pool.inputs)):
        wanted, text = harness.call(module, number), harness.pool.text(number)
        try:
            returned = reference.call(number)
        except Exception as error:
            fix = "Let it take what the module takes, as NumPy arrays."
            raise Misuse(
                f"Expected a reference that returns but on input {text} it raised {_text(error)}. {fix}"
            ) from error
        shapes = [[np.shape(leaf) for leaf in jax.tree.leaves(value)] for value in (wanted, returned)]
        if shapes[0] != shapes[1]:
            fix = f"On input {text}, let it return arrays of the shapes {shapes[0]}; it returned {shapes[1]}."
            raise expected("outputs of the module's shapes", "reference", subject.reference, fix)


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
