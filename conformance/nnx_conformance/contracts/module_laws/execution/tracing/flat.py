"""A trace as straight lines: the equations of a jaxpr and of all within it, each result written once.

What is called is written out, and so is each branch of a condition, whose results are then chosen from; of a loop, its
first turn, beside the loop itself. So every comparison can be asked for its operands, whatever it stands in.
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

#: Where an equation keeps the jaxpr of what it calls, by name; those that may give another result than their caller's
#: operands through it are loops and conditions, which are treated apart.
CALLED = ("jaxpr", "call_jaxpr", "fun_jaxpr")
CALLS = (
    *("pjit", "jit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"),
    *("remat", "remat2", "checkpoint"),
)
#: What gives its operand on, unchanged.
SAME = frozenset(("copy", "copy_p", "optimization_barrier", "sharding_constraint", "stop_gradient", "name"))
#: What gives it on where it has this type already.
SAME_TYPE = frozenset(("convert_element_type", "reshape", "broadcast_in_dim", "squeeze", "expand_dims"))
MOST = 20_000


class TooLong(Exception):
    """A trace has more equations than are looked at."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A value that a trace holds."""

    value: Any


#: What an equation reads: the number of an input or of a result, or a constant.
Atom = int | Constant
#: A number that must have this value for what stands behind it to be carried out.
Guard = tuple[Atom, int]


@dataclass(frozen=True, eq=False)
class Equation:
    """One equation.

    Attributes:
        name: of its primitive.
        compute: gives its results from its operands.
        reads, results: what it reads, and the numbers of what it gives.
        place: where in the subject's source it comes from; None if nowhere.
        guards: the branches that it stands in.
        kept: parameters that are numbers or text, for comparing two traces.
        effects: whether it does anything besides computing.
        sizes: how many numbers each result has.
    """

    name: str
    compute: Callable[..., Sequence[Any]]
    reads: tuple[Atom, ...]
    results: tuple[int, ...]
    place: SourceSpan | None
    guards: tuple[Guard, ...]
    kept: tuple[Any, ...] = ()
    effects: bool = False
    sizes: tuple[int, ...] = ()


class Flat:
    """A jaxpr written out.

    Attributes:
        inputs: how many inputs it has; these are the first numbers.
        equations: in the order in which they can be computed.
        outputs: what it gives.
        types: the aval of each number.
    """

    def __init__(self, closed: Any, places: SourceSpans) -> None:
        self._places = places
        self.inputs = len(closed.jaxpr.invars)
        self.equations: list[Equation] = []
        self.types: list[Any] = [variable.aval for variable in closed.jaxpr.invars]
        self.outputs = tuple(self._written_out(closed.jaxpr, closed.consts, range(self.inputs), (), None, ""))

    @functools.cached_property
    def producers(self) -> dict[int, Equation]:
        """The equation that gives each result."""
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
        """The equations that some numbers need."""
        numbers = {atom for atom in wanted if isinstance(atom, int)}
        kept = []
        for equation in reversed(self.equations):
            if numbers.intersection(equation.results):
                kept.append(equation)
                numbers.update(atom for atom in equation.reads if isinstance(atom, int))
        return kept[::-1]

    def function(self, wanted: Sequence[Atom]) -> Callable[..., list[Any]]:
        """A function of the inputs that computes some numbers, and nothing besides."""
        equations = self.needed(wanted)

        def compute(*inputs: Any) -> list[Any]:
            known = dict(enumerate(inputs))

            def value(atom: Atom) -> Any:
                return known[atom] if isinstance(atom, int) else atom.value

            for equation in equations:
                known.update(zip(equation.results, equation.compute(*map(value, equation.reads)), strict=True))
            return [value(atom) for atom in wanted]

        return compute

    def _written_out(
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

        def atom(of: Any) -> Atom:
            return Constant(of.val) if hasattr(of, "val") else known[of]

        for equation in jaxpr.eqns:
            if len(self.equations) > MOST:
                raise TooLong
            reads = tuple(map(atom, equation.invars))
            place = self._places.of(equation, outer, name)
            known.update(zip(equation.outvars, self._results(equation, reads, guards, place), strict=True))
        return list(map(atom, jaxpr.outvars))

    def _results(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], place: SourceSpan | None
    ) -> Sequence[Atom]:
        name, params = equation.primitive.name, equation.params
        if name == "cond":
            index, operands = reads[0], reads[1:]
            branches = [
                self._inside(branch, operands, (*guards, (index, at)), place)
                for at, branch in enumerate(params["branches"])
            ]
            return [self._chosen(index, cases, guards, place) for cases in zip(*branches, strict=True)]
        called = next((params[key] for key in CALLED if key in params), None)
        if name in CALLS and called is not None and len(_open(called).invars) == len(reads):
            own = str(params.get("name", "")) if name in ("pjit", "jit") else ""
            return self._inside(called, reads, guards, place, own)
        if name == "scan":
            return self._scan(equation, reads, guards, place)
        if name == "while":
            return self._while(equation, reads, guards, place)
        same = name in SAME or (name in SAME_TYPE and _type(equation.outvars[0]) == _type(equation.invars[0]))
        if same and len(equation.outvars) == 1 and len(reads) == 1:
            return reads
        if name == "select_n" and all(case is reads[1] or case == reads[1] for case in reads[2:]):
            return reads[1:2]
        return self._added(equation, reads, guards, place)

    def _inside(
        self, closed: Any, reads: Iterable[Atom], guards: tuple[Guard, ...], place: SourceSpan | None, name: str = ""
    ) -> list[Atom]:
        return self._written_out(_open(closed), getattr(closed, "consts", ()), reads, guards, place, name)

    def _chosen(
        self, index: Atom, cases: tuple[Atom, ...], guards: tuple[Guard, ...], place: SourceSpan | None
    ) -> Atom:
        """One of several results, by a number."""
        if all(case is cases[0] or case == cases[0] for case in cases):
            return cases[0]
        known = (self.types[case] for case in cases if isinstance(case, int))
        kind = next(known, None) or next(jnp.asarray(case.value) for case in cases if isinstance(case, Constant))
        result = self._number(kind)
        self.equations.append(
            Equation("cond", _choose, (index, *cases), (result,), place, guards, sizes=(_size(kind),))
        )
        return result

    def _scan(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], place: SourceSpan | None
    ) -> Sequence[Atom]:
        params = equation.params
        constants, carried = _scanned(params)
        body = _open(params["jaxpr"])
        results: list[Atom] = list(self._added(equation, reads, guards, place))
        if params["length"]:
            firsts = [
                self._first(atom, variable, place)
                for atom, variable in zip(reads[constants + carried :], body.invars[constants + carried :], strict=True)
            ]
            self._inside(params["jaxpr"], (*reads[: constants + carried], *firsts), guards, place)
        for at, (out, into) in enumerate(zip(body.outvars[:carried], body.invars[constants:], strict=False)):
            if out is into:
                results[at] = reads[constants + at]
        return results

    def _first(self, atom: Atom, variable: Any, place: SourceSpan | None) -> Atom:
        """The first of what a loop goes through."""
        if isinstance(atom, Constant):
            return Constant(atom.value[0])
        result = self._number(variable.aval)
        self.equations.append(Equation("first", lambda several: (several[0],), (atom,), (result,), place, ()))
        return result

    def _while(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], place: SourceSpan | None
    ) -> Sequence[Atom]:
        params = equation.params
        tests, bodies = params["cond_nconsts"], params["body_nconsts"]
        start = reads[tests + bodies :]
        self._inside(params["cond_jaxpr"], (*reads[:tests], *start), guards, place)
        self._inside(params["body_jaxpr"], (*reads[tests : tests + bodies], *start), guards, place)
        results: list[Atom] = list(self._added(equation, reads, guards, place))
        body = _open(params["body_jaxpr"])
        for at, (out, into) in enumerate(zip(body.outvars, body.invars[bodies:], strict=True)):
            if out is into:
                results[at] = start[at]
        return results

    def _added(
        self, equation: Any, reads: tuple[Atom, ...], guards: tuple[Guard, ...], place: SourceSpan | None
    ) -> tuple[int, ...]:
        results = tuple(self._number(variable.aval) for variable in equation.outvars)
        kept = tuple(
            (key, value) for key, value in sorted(equation.params.items()) if isinstance(value, (int, float, str))
        )
        sizes = tuple(_size(variable.aval) for variable in equation.outvars)
        compute = functools.partial(_bound, equation)
        effects = bool(equation.effects)
        name = equation.primitive.name
        self.equations.append(Equation(name, compute, reads, results, place, guards, kept, effects, sizes))
        return results

    def _number(self, kind: Any) -> int:
        self.types.append(kind)
        return len(self.types) - 1


def _scanned(params: Any) -> tuple[int, int]:
    """How many constants a loop reads, and how much it carries on."""
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


def _open(closed: Any) -> Any:
    return getattr(closed, "jaxpr", closed)


def _type(variable: Any) -> Any:
    aval = variable.aval
    return getattr(aval, "shape", None), getattr(aval, "dtype", None)


def _size(aval: Any) -> int:
    return int(np.prod(getattr(aval, "shape", ())))
