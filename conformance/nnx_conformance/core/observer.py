"""How a contract's candidates are observed, as data. Only the candidate's process imports the code behind it."""

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
    """What earlier cases showed of a candidate's calls; the judge plans later cases by it.

    Attributes:
        called: whether a case showed a call.
        traced: whether a call ran inside a trace.
        hidden: whether a further run showed calls that the plain run hid.
        fruitless: how many runs without traces showed no more than the plain run.
    """

    called: bool = False
    traced: bool = False
    hidden: bool = False
    fruitless: int = 0

    @property
    def settled(self) -> bool:
        """Whether to stop running without traces: such runs are slow, and more of them would show nothing new."""
        return self.hidden or self.fruitless >= FRUITLESS

    def after(self, facts: Facts) -> Sight:
        """The sight after one more case."""
        runs = facts.runs
        showed = clearer(*runs) is not facts.run
        return Sight(
            called=self.called or any(run.calls for run in runs),
            traced=self.traced or any(call.traced for run in runs for call in run.calls),
            hidden=self.hidden or showed,
            fruitless=self.fruitless + (facts.untraced is not None and not showed),
        )


#: After so many fruitless runs without traces, no further ones are made.
FRUITLESS = 4
#: The first cases get every further run. Later ones get fewer, because each run costs as much as a case, and a
#: candidate that fails one of them fails it on most cases.
ALL_OF_FIRST, AGAIN_EVERY, SHIFTS_EVERY = 8, 3, 8
#: An edge domain has few cases. One in so many also runs without traces, or what traces do there would stay hidden.
LOOK_EVERY = 3


def plain_plan(_: int, __: bool, ___: Sight) -> RunPlan:
    """The plan with only the plain run."""
    return RunPlan()


def no_sight(sight: Sight, _: Any) -> Sight:
    """The same sight: facts of this kind do not change later plans."""
    return sight


def cached(_: Any) -> bool:
    """False: code compiled for one case may serve another, and the same request shows the same again."""
    return False


def one_device(_: Request) -> int:
    """1: most requests need a single device."""
    return 1


def nothing_left(_: Request, __: Any) -> Request | None:
    """None: one process observes the whole case."""
    return None


def first_alone(facts: Any, _: Any) -> Any:
    """The first facts: there are no others."""
    return facts


def nothing_met(_: Any) -> Iterable[Met]:
    """No conditions: facts of this kind do not say what a candidate compares."""
    return ()


def with_output(facts: Any, loaded: Loaded) -> Any:
    """The facts, with what importing the candidate wrote."""
    return dataclasses.replace(facts, output=loaded.output + facts.output)


def unchecked(facts: Any, _: Request) -> Any:
    """The facts themselves: facts of this kind cannot contradict themselves."""
    return facts


@dataclass(frozen=True)
class Observer:
    """How candidates are observed.

    Attributes:
        code: the dotted name of a module with three functions. `load(target, entry, parameters)` imports a target and
            returns the candidate with a `Loaded`, or a `NotLoaded`; `adopt(value, name, parameters, packages)` does the
            same for a Python object; `observe(candidate, request)` returns facts of `kind`. If `devices` returns more
            than 1, `load` gets the number as `devices=`. The candidate's process imports the module and must hold no
            expected value, so the module imports no contract and no reference.
        by_name: whether candidates must define a function named as the contract's `entry`. If so, a graded file without
            one does not conform; if not, it could not be judged.
        kind: the class of the facts, a dataclass of plain data with a field `output: str`. Facts are parsed against its
            types when they arrive.
        consistent: returns the facts, or raises `ValueError` if they contradict themselves or the request: a
            candidate's process may have forged them.
        plan: makes the plan of a case from its position, whether it is in the core domain, and the sight so far.
        learn: updates the sight by the facts of a case.
        first: how many cases must be answered before the judge plans more.
        everything: the plan of a replay: everything that a check may need.
        warm: a plan that compiles what other candidates will need; `grade` uses it to fill the shared cache. None for
            no such plan.
        follows: whether runs can be followed line by line, for the lines of a finding.
        recompiled: says from the facts of a case whether JAX must compile it again for the facts to be repeated.
        rest: the request to a new process of the candidate that completes the facts; None if they are complete.
        joined: joins the facts of two processes, the earlier ones first.
        met: reads from the facts the conditions in the traces of a case, and how they came out.
        with_import: adds what importing the candidate wrote and warned to the first facts.
        devices: how many devices a request needs; one that needs several is answered in a process of its own.
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
        """The request that repeats what these facts show."""
        if not self.recompiled(facts):
            return request
        return dataclasses.replace(request, plan=dataclasses.replace(request.plan, compile_anew=True))


def _plan(position: int, core: bool, sight: Sight) -> RunPlan:
    """Probes for some core cases, and runs without traces while they show something new."""
    first = core and position < ALL_OF_FIRST
    rates = ((AGAIN, AGAIN_EVERY), (SHIFTS, SHIFTS_EVERY)) if core else ()
    probes = tuple(probe for probe, every in rates if first or position % every == 0)
    look = SHIFTS in probes or not sight.settled
    untraced = Untraced.WHERE_HIDDEN if look else Untraced.NEVER
    return RunPlan(probes, untraced, retrace=first or sight.traced, bypass=not sight.called)


def _with_untraced_edges(position: int, core: bool, sight: Sight) -> RunPlan:
    plan = _plan(position, core, sight)
    look = not core and position % LOOK_EVERY == 0
    return dataclasses.replace(plan, untraced=Untraced.WHERE_HIDDEN) if look else plan


def _with_outputs(position: int, core: bool, sight: Sight) -> RunPlan:
    plan = _plan(position, core, sight)
    return dataclasses.replace(plan, probes=(*plan.probes, OUTPUTS)) if SHIFTS in plan.probes else plan


def _recompiled(_: Facts) -> bool:
    return True


def _with_warnings(facts: Facts, loaded: Loaded) -> Facts:
    run = dataclasses.replace(facts.run, warnings=(*loaded.warnings, *facts.run.warnings))
    return dataclasses.replace(facts, run=run, output=loaded.output + facts.output)


#: Candidates that are functions of a case's arguments and use NNX modules.
FUNCTIONS = Observer(
    code="nnx_conformance.observe.functions",
    kind=Facts,
    consistent=consistent,
    plan=_with_untraced_edges,
    learn=Sight.after,
    first=ALL_OF_FIRST,
    everything=RunPlan((AGAIN, SHIFTS)),
    warm=RunPlan(untraced=Untraced.ALWAYS),
    follows=True,
    with_import=_with_warnings,
)

#: The same, where a check counts compilations.
COMPILED_FUNCTIONS = dataclasses.replace(FUNCTIONS, recompiled=_recompiled)

#: Functions that use Flax NNX, Flax Linen or PyTorch modules with arrays as state.
FRAMEWORKS = dataclasses.replace(FUNCTIONS, code="nnx_conformance.observe.frameworks.functions", plan=_plan)

#: Functions that run modules under lifted transforms: a state with one lane a row, and counted compilations.
LIFTED = dataclasses.replace(
    FRAMEWORKS, plan=_with_outputs, everything=RunPlan((AGAIN, SHIFTS, OUTPUTS)), recompiled=_recompiled
)
