"""A jaxpr with everything inlined: one list of equations, each result with a number of its own.

Calls are inlined, and so is each branch of a `cond`, followed by a choice between their results. A loop stays one
equation, and its first iteration is inlined too. So we can compute the operands of every comparison, wherever it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpan, SourceSpans

#: The parameters of an equation that may hold the jaxpr that it calls, and the primitives that just call it. Loops and
#: conditions are handled separately.
CALLED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
CALLS = (
    *("pjit", "jit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"),
    *("remat", "remat2", "checkpoint"),
)
#: Primitives that return their operand unchanged.
SAME = frozenset(("copy", "copy_p", "optimization_barrier", "sharding_constraint", "stop_gradient", "name"))
#: Primitives that do so if the operand already has the result's type.
SAME_TYPE = frozenset(("convert_element_type", "reshape", "broadcast_in_dim", "squeeze", "expand_dims"))
MOST = 20_000


class TooLong(Exception):
    """A trace has more equations than we inline."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant of a jaxpr."""

    value: Any


#: An operand: the number of an input or of a result, or a constant.
Atom = int | Constant
#: The index of a `cond` and the branch: the equations of that branch run only if the index has this value.
Guard = tuple[Atom, int]


@dataclass(frozen=True, eq=False)
class Equation:
    """One equation.

    Attributes:
        name: of its primitive.
        compute: its results from its operands.
        reads, results: its operands, and the numbers of its results.
        span: the subject's source from which it comes; None if from a library.
        guards: the branches that it is in.
        kept: its parameters that are numbers or text, to compare two traces.
        effects: whether it has side effects.
        sizes: the number of elements of each result.
    """

    name: str
    compute: Callable[..., Sequence[Any]]
    reads: tuple[Atom, ...]
    results: tuple[int, ...]
    span: SourceSpan | None
    guards: tuple[Guard, ...]
    kept: tuple[Any, ...] = ()
    effects: bool = False
    sizes: tuple[int, ...] = ()


class FlatJaxpr:
    """A jaxpr with everything inlined.

    Attributes:
        inputs: the number of its inputs, which have the first numbers.
        equations: in an order in which they can be computed.
        outputs: its results.
        types: the aval of each number.
    """

    def __init__(self, closed_jaxpr: Any, spans: SourceSpans) -> None:
        self._spans = spans
        self.inputs = len(closed_jaxpr.jaxpr.invars)
        self.equations: list[Equation] = []
        self.types: list[Any] = [variable.aval for variable in closed_jaxpr.jaxpr.invars]
        self.outputs = tuple(self._inlined(closed_jaxpr.jaxpr, closed_jaxpr.consts, range(self.inputs), (), None, ""))

    @functools.cached_property
    def producers(self) -> dict[int, Equation]:
        """The equation that computes each result."""
        return {result: equation for equation in self.equations for result in equation.results}

    @functools.cached_property
    def depends(self) -> list[frozenset[int]]:
        """The inputs on which each number depends."""
        depends = [frozenset((number,)) for number in range(self.inputs)]
        depends += [frozenset()] * (len(self.types) - self.inputs)
        for equation in self.equations:
            read = frozenset().union(*(depends[atom] for atom in equation.reads if isinstance(atom, int)))
            for result in equation.results:
                depends[result] = read
        return depends

    def needed(self, wanted: Iterable[Atom]) -> list[Equation]:
        """The equations that compute these results, and what they need."""
        numbers = {atom for atom in wanted if isinstance(atom, int)}
        kept = []
        for equation in reversed(self.equations):
            if numbers.intersection(equation.results):
                kept.append(equation)
                numbers.update(atom for atom in equation.reads if isinstance(atom, int))
        return kept[::-1]

    def function(self, wanted: Sequence[Atom]) -> Callable[..., list[Any]]:
        """A function of the inputs that computes these results only."""
        equations = self.needed(wanted)

        def compute(*inputs: Any) -> list[Any]:
            known = dict(enumerate(inputs))

            def value(atom: Atom) -> Any:
                return known[atom] if isinstance(atom, int) else atom.value

            for equation in equations:
                known.update(zip(equation.results, equation.compute(*map(value, equation.reads)), strict=True))
            return [value(atom) for atom in wanted]

        return compute

    def _inlined(
        self,
        jaxpr: Any,
        constants: Sequence[Any],
        operands: Iterable[Atom],
        guards: tuple[Guard, ...],
        outer: SourceSpan | None,
        name: str,
    ) -> list[Atom]:
        known: dict[Any, Atom] = dict(zip(jaxpr.invars, operands, strict=True))
        known |= {variable: Constant(value) for variable, value in zip(jaxpr.constvars, constants, strict=True)}

        def atom(variable: Any) -> Atom:
            return Constant(variable.val) if hasattr(variable, "val") else known[variable]

        for equation in jaxpr.eqns:
            if len(self.equations) > MOST:
                raise TooLong
            reads = tuple(map(atom, equation.invars))
            span = self._spans.of(equation, outer, name)
            known.update(zip(equation.outvars, self._results(equation, reads, guards, span), strict=True))
        return list(map(atom, jaxpr.outvars))

    def _results(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], span: SourceSpan | None
    ) -> Sequence[Atom]:
        name, params = equation.primitive.name, equation.params
        if name == "cond":
            index, operands = reads[0], reads[1:]
            branches = [
                self._inside(branch, operands, (*guards, (index, number)), span)
                for number, branch in enumerate(params["branches"])
            ]
            return [self._chosen(index, cases, guards, span) for cases in zip(*branches, strict=True)]
        called = next((params[key] for key in CALLED if key in params), None)
        if name in CALLS and called is not None and len(_open(called).invars) == len(reads):
            own = str(params.get("name", "")) if name in ("pjit", "jit") else ""
            return self._inside(called, reads, guards, span, own)
        if name == "scan":
            return self._scan(equation, reads, guards, span)
        if name == "while":
            return self._while(equation, reads, guards, span)
        same = name in SAME or (name in SAME_TYPE and _type(equation.outvars[0]) == _type(equation.invars[0]))
        if same and len(equation.outvars) == 1 and len(reads) == 1:
            return reads
        if name == "select_n" and all(case is reads[1] or case == reads[1] for case in reads[2:]):
            return reads[1:2]
        return self._added(equation, reads, guards, span)

    def _inside(
        self, inner: Any, reads: Iterable[Atom], guards: tuple[Guard, ...], span: SourceSpan | None, name: str = ""
    ) -> list[Atom]:
        return self._inlined(_open(inner), getattr(inner, "consts", ()), reads, guards, span, name)

    def _chosen(self, index: Atom, cases: tuple[Atom, ...], guards: tuple[Guard, ...], span: SourceSpan | None) -> Atom:
        """The result of a `cond`: one of the branches' results, chosen by its index."""
        if all(case is cases[0] or case == cases[0] for case in cases):
            return cases[0]
        known = (self.types[case] for case in cases if isinstance(case, int))
        kind = next(known, None) or next(jnp.asarray(case.value) for case in cases if isinstance(case, Constant))
        result = self._number(kind)
        self.equations.append(Equation("cond", _choose, (index, *cases), (result,), span, guards, sizes=(_size(kind),)))
        return result

    def _scan(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], span: SourceSpan | None
    ) -> Sequence[Atom]:
        params = equation.params
        constants, carried = _scanned(params)
        body = _open(params["jaxpr"])
        results: list[Atom] = list(self._added(equation, reads, guards, span))
        if params["length"]:
            firsts = [
                self._first(atom, variable, span)
                for atom, variable in zip(reads[constants + carried :], body.invars[constants + carried :], strict=True)
            ]
            self._inside(params["jaxpr"], (*reads[: constants + carried], *firsts), guards, span)
        for index, (out, into) in enumerate(zip(body.outvars[:carried], body.invars[constants:], strict=False)):
            if out is into:
                results[index] = reads[constants + index]
        return results

    def _first(self, atom: Atom, variable: Any, span: SourceSpan | None) -> Atom:
        """The first row of an array that a `scan` iterates over."""
        if isinstance(atom, Constant):
            return Constant(atom.value[0])
        result = self._number(variable.aval)
        self.equations.append(Equation("first", lambda several: (several[0],), (atom,), (result,), span, ()))
        return result

    def _while(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], span: SourceSpan | None
    ) -> Sequence[Atom]:
        params = equation.params
        tests, bodies = params["cond_nconsts"], params["body_nconsts"]
        start = reads[tests + bodies :]
        self._inside(params["cond_jaxpr"], (*reads[:tests], *start), guards, span)
        self._inside(params["body_jaxpr"], (*reads[tests : tests + bodies], *start), guards, span)
        results: list[Atom] = list(self._added(equation, reads, guards, span))
        body = _open(params["body_jaxpr"])
        for index, (out, into) in enumerate(zip(body.outvars, body.invars[bodies:], strict=True)):
            if out is into:
                results[index] = start[index]
        return results

    def _added(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], span: SourceSpan | None
    ) -> tuple[int, ...]:
        results = tuple(self._number(variable.aval) for variable in equation.outvars)
        kept = tuple(
            (key, value) for key, value in sorted(equation.params.items()) if isinstance(value, (int, float, str))
        )
        sizes = tuple(_size(variable.aval) for variable in equation.outvars)
        compute = functools.partial(_bound, equation)
        effects = bool(equation.effects)
        name = equation.primitive.name
        self.equations.append(Equation(name, compute, reads, results, span, guards, kept, effects, sizes))
        return results

    def _number(self, kind: Any) -> int:
        self.types.append(kind)
        return len(self.types) - 1


def _scanned(params: Any) -> tuple[int, int]:
    """The number of constants of a `scan`, and of values that it carries."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    constants, carried, _ = map(len, params["ft_in"].unpack())  # from JAX 0.12 on
    return constants, carried


def _bound(equation: Any, *values: Any) -> Sequence[Any]:
    params = equation.primitive.get_bind_params(equation.params)
    functions, params = params if isinstance(params, tuple) else ((), params)  # no functions from JAX 0.10 on
    results = equation.primitive.bind(*functions, *values, **params)
    return results if equation.primitive.multiple_results else (results,)


def _choose(index: Any, *cases: Any) -> Sequence[Any]:
    return (jax.lax.select_n(jnp.asarray(index), *map(jnp.asarray, cases)),)


def _open(closed_jaxpr: Any) -> Any:
    return getattr(closed_jaxpr, "jaxpr", closed_jaxpr)


def _type(variable: Any) -> Any:
    aval = variable.aval
    return getattr(aval, "shape", None), getattr(aval, "dtype", None)


def _size(aval: Any) -> int:
    return int(np.prod(getattr(aval, "shape", ())))
