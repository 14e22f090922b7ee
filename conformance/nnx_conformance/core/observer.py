"""How the candidates of a contract are observed: data. The code behind it is imported where a candidate runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from nnx_conformance.core.candidate.loaded import Loaded
from nnx_conformance.core.consistent import consistent
from nnx_conformance.core.facts import Facts
from nnx_conformance.core.plan import AGAIN, OUTPUTS, SHIFTS, Request, RunPlan, Untraced
from nnx_conformance.core.search.conditions import Met
from nnx_conformance.core.timeline import clearer


@dataclass(frozen=True)
class Sight:
    """How much of a candidate's calls was observed in the cases that the judge has facts of; it plans others by it.

    Attributes:
        called: whether a call was observed.
        traced: whether one ran inside a trace.
        hidden: whether another run showed calls that the plain one hid.
        fruitless: how many runs without traces showed no more than the plain ones.
    """

    called: bool = False
    traced: bool = False
    hidden: bool = False
    fruitless: int = 0

    @property
    def settled(self) -> bool:
        """Whether more runs without traces would show nothing new: they are slow."""
        return self.hidden or self.fruitless >= FRUITLESS

    def after(self, facts: Facts) -> Sight:
        """The same, with one more case."""
        runs = facts.runs
        showed = clearer(*runs) is not facts.run
        return Sight(
            called=self.called or any(run.calls for run in runs),
            traced=self.traced or any(call.traced for run in runs for call in run.calls),
            hidden=self.hidden or showed,
            fruitless=self.fruitless + (facts.untraced is not None and not showed),
        )


FRUITLESS = 4
#: All further runs are made of the first cases; then the same case runs again on every third, and interventions are
#: made on every eighth: who breaks what these show breaks it on most cases, and each costs as much as a case.
ALL_OF_FIRST, AGAIN_EVERY, SHIFTS_EVERY = 8, 3, 8
#: A part of an edge domain has few cases: of so many, one is looked into, or what a trace does there stays unseen.
LOOK_EVERY = 3


def plain_plan(_: int, __: bool, ___: Sight) -> RunPlan:
    """A plan without further runs: a case is observed once."""
    return RunPlan()


def no_sight(sight: Sight, _: Any) -> Sight:
    """Nothing is learnt from facts of another kind."""
    return sight


def cached(_: Any) -> bool:
    """What is compiled for one case may serve another: asked for again, a case shows the same."""
    return False


def one_device(_: Request) -> int:
    """What is observed on a single device, as most is."""
    return 1


def nothing_left(_: Request, __: Any) -> Request | None:
    """Nothing for another process to do: the facts are whole."""
    return None


def first_alone(facts: Any, _: Any) -> Any:
    """The first facts: there are no others."""
    return facts


def nothing_met(_: Any) -> Iterable[Met]:
    """No conditions: what a candidate compares is not read from its facts."""
    return ()


def with_output(facts: Any, loaded: Loaded) -> Any:
    """The facts, with what importing the candidate wrote."""
    return dataclasses.replace(facts, output=loaded.output + facts.output)


def unchecked(facts: Any, _: Request) -> Any:
    """The facts themselves: their kind leaves nothing to contradict."""
    return facts


@dataclass(frozen=True)
class Observer:
    """How candidates are observed.

    Attributes:
        code: the dotted name of a module with three functions. `load(target, entry, parameters)` imports a target and
            gives the candidate and a `Loaded`, or a `NotLoaded`; `adopt(value, name, parameters, packages)` does so for
            a Python object; `observe(candidate, request)` gives a `kind`. Where `devices` asks for several, `load` gets
            their number as `devices=`. The module is imported in the candidate's
            process, which must hold no expected value: it imports no contract and no reference.
        by_name: whether the contract asks candidates for a function of its `entry`'s name, so that a file without one
            does not conform when it is graded; else what is refused there could not be judged.
        kind: the class of the facts, a dataclass of plain data with a field `output: str`. What comes back is parsed
            against its types.
        consistent: gives the facts that it is given, or raises `ValueError` if they contradict themselves or the
            request: what a candidate's process sends may have been forged.
        plan: the runs to make of the case at a position, in the core domain or in an edge, from what was learnt.
        learn: what is learnt from the facts of a case.
        first: so many cases are answered before more are planned.
        everything: the plan of a replay: all that a check may need.
        warm: the plan by which `grade` compiles beforehand what other candidates may need; None for none.
        follows: whether runs can be followed line by line, for the lines of a finding.
        recompiled: whether a case must be compiled anew to show the same again, from its facts.
        rest: what a new process of the candidate is asked for so that the facts become whole; None if they are.
        joined: the facts that two of them come to, the later ones of the process that went on.
        met: the conditions in the traces of a case, and how they came out, from its facts.
        with_import: the first facts, with what importing the candidate wrote and warned.
        devices: how many devices the process needs in which a request is answered: those that need more than one go to
            a process of their own.
    """

    code: str
    kind: type[Any]
    by_name: bool = True
    consistent: Callable[[Any, Request], Any] = unchecked
    plan: Callable[[int, bool, Sight], RunPlan] = plain_plan
    learn: Callable[[Sight, Any], Sight] = no_sight
    first: int = 0
    everything: RunPlan = field(default_factory=RunPlan)
    warm: RunPlan | None = None
    follows: bool = False
    recompiled: Callable[[Any], bool] = cached
    rest: Callable[[Request, Any], Request | None] = nothing_left
    joined: Callable[[Any, Any], Any] = first_alone
    met: Callable[[Any], Iterable[Met]] = nothing_met
    with_import: Callable[[Any, Loaded], Any] = with_output
    devices: Callable[[Request], int] = one_device

    def again(self, request: Request, facts: Any) -> Request:
        """The request that shows once more what these facts show."""
        if not self.recompiled(facts):
            return request
        return dataclasses.replace(request, plan=dataclasses.replace(request.plan, compile_anew=True))


def _some(position: int, core: bool, sight: Sight) -> RunPlan:
    """Further runs of some cases of the core; where a trace may hide calls, as long as that is worth another run."""
    first = core and position < ALL_OF_FIRST
    wanted = ((AGAIN, AGAIN_EVERY), (SHIFTS, SHIFTS_EVERY)) if core else ()
    probes = tuple(probe for probe, every in wanted if first or position % every == 0)
    look = SHIFTS in probes or not sight.settled
    untraced = Untraced.WHERE_HIDDEN if look else Untraced.NEVER
    return RunPlan(probes, untraced, retrace=first or sight.traced, bypass=not sight.called)


def _edges_looked_into(position: int, core: bool, sight: Sight) -> RunPlan:
    plan = _some(position, core, sight)
    look = not core and position % LOOK_EVERY == 0
    return dataclasses.replace(plan, untraced=Untraced.WHERE_HIDDEN) if look else plan


def _outputs_too(position: int, core: bool, sight: Sight) -> RunPlan:
    plan = _some(position, core, sight)
    return dataclasses.replace(plan, probes=(*plan.probes, OUTPUTS)) if SHIFTS in plan.probes else plan


def _compiled(_: Facts) -> bool:
    return True


def _with_warnings(facts: Facts, loaded: Loaded) -> Facts:
    run = dataclasses.replace(facts.run, warnings=(*loaded.warnings, *facts.run.warnings))
    return dataclasses.replace(facts, run=run, output=loaded.output + facts.output)


#: Candidates that are functions, called with the arguments of a case: what they do with NNX modules.
FUNCTIONS = Observer(
    code="nnx_conformance.observe.functions",
    kind=Facts,
    consistent=consistent,
    plan=_edges_looked_into,
    learn=Sight.after,
    first=ALL_OF_FIRST,
    everything=RunPlan((AGAIN, SHIFTS)),
    warm=RunPlan(untraced=Untraced.ALWAYS),
    follows=True,
    with_import=_with_warnings,
)

#: Functions of whose modules it matters how often they are compiled.
COMPILED_FUNCTIONS = dataclasses.replace(FUNCTIONS, recompiled=_compiled)

#: Functions that use Flax NNX, Flax Linen or PyTorch, and keep arrays in their state.
FRAMEWORKS = dataclasses.replace(FUNCTIONS, code="nnx_conformance.observe.frameworks.functions", plan=_some)

#: Functions that lift transforms over modules: a state with a lane for each row, and compiled as others are.
LIFTED = dataclasses.replace(
    FRAMEWORKS, plan=_outputs_too, everything=RunPlan((AGAIN, SHIFTS, OUTPUTS)), recompiled=_compiled
)
