"""What the module laws say of a module: the true cause, values that differ, a remedy that fits, and no lawful one."""

from __future__ import annotations

import itertools
import re
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import Misuse, Report, Subject, check_module
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as subjects
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core.contract import CORE, Violation, judgement
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.core.report import Finding
from nnx_reference import mutants, rights

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
STARTS = "two modules made with the same seed start differently: the state "


def subject(name: str) -> Any:
    one = next(one for one in (*mutants("module-laws"), *rights("module-laws")) if one.name == name)
    if not one.applies_to(flax.__version__):
        pytest.skip(f"{name} needs another Flax")
    return one.load()


def judged(given: Any, *checks: str, examples: int = 8) -> Report:
    return check_module(given, max_examples=examples, shrink=False, checks=checks)


def finding(given: Any, law: str, *others: str, examples: int = 8) -> Finding:
    return next(found for found in judged(given, law, *others, examples=examples).findings if found.check == law)


def violation(given: Any, law: str, program: str) -> Violation:
    """What a law says of one program of the machine."""
    harness, _ = subjects.adopt(given, "mine", ())  # type: ignore[misc]
    drawn = case(CORE, 0, words(program))
    reading = CONTRACT.read(drawn, subjects.observe(harness, Request(drawn, RunPlan(), 0)))
    judged = judgement(CONTRACT.check(law), drawn, reading)
    assert isinstance(judged, Violation)
    return judged


def write(variable: Any, value: Any) -> None:
    """On every Flax, and without a deprecation warning where there is another way."""
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def tracing(x: Any) -> bool:
    return isinstance(x, jax.core.Tracer)


@pytest.mark.parametrize(
    ("name", "law", "state"),
    [
        ("initialises_from_numpys_generator", "rng-reproducible", "`kernel`"),
        ("starts_from_numpys_generator", "no-hidden-state", "`mix`"),
    ],
)
def test_two_modules_of_one_seed_that_start_differently_are_told_as_that(name: str, law: str, state: str) -> None:
    report = judged(subject(name), law, "params-untouched", "jit-agrees")
    (found,) = report.findings
    assert (found.check, found.what.partition(" differs")[0]) == (law, STARTS + state)
    assert found.cause == "something outside the Rngs decides how a module starts"
    assert found.remedy.startswith("Take all that is random in `__init__` from the `nnx.Rngs` that it is given")
    assert report.result("jit-agrees").blocked_by == (law,)


class OneMoreWhenTraced(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, dtype: Any = jnp.int8) -> None:
        self.count = nnx.Variable(jnp.zeros((), dtype))

    def __call__(self, x: Any) -> Any:
        more = 2 if tracing(x) else 1
        write(self.count, read(self.count) + jnp.asarray(more, read(self.count).dtype))
        return x


@pytest.mark.parametrize(
    ("traits", "status"),
    [({}, "violated"), ({"atol": 8}, "held"), ({"rtol": 1.0}, "held"), ({"atol": 0.5}, "violated")],
    ids=str,
)
def test_a_tolerance_that_is_declared_goes_for_integers_too(traits: dict[str, float], status: str) -> None:
    report = judged(Subject(OneMoreWhenTraced, [X], traits), "jit-agrees")
    assert report.result("jit-agrees").status == status


class StreamStandsStillWhenTraced(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.rngs = rngs

    def __call__(self, x: Any) -> Any:
        return x if tracing(x) else x + 0.0 * jax.random.normal(self.rngs.noise(), x.shape)


def test_no_tolerance_goes_for_random_streams() -> None:
    given = Subject(StreamStandsStillWhenTraced, [X], {"draws_randomness": True, "atol": 100.0})
    found = finding(given, "jit-agrees")
    assert "count` differs after step 1, `jit`" in found.what


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["draws_its_weights_in_the_first_call", "rounds_to_int8_within_one", "folds_its_step_into_a_raw_key"],
)
def test_what_keeps_all_laws_in_an_odd_way_is_told_nothing(name: str) -> None:
    report = check_module(subject(name), max_examples=40)
    assert (report.verdict, report.findings) == ("conforms", ())


def test_a_call_that_draws_once_the_module_is_whole_must_be_declared() -> None:
    class Lazy(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.rngs = rngs

        def __call__(self, x: Any) -> Any:
            if not hasattr(self, "kernel"):
                self.kernel = nnx.Param(jax.random.normal(self.rngs.params(), (4, 4)))
            return x @ read(self.kernel) + jax.random.normal(self.rngs.noise(), (3, 4))

    with pytest.raises(Misuse, match="Expected a call that draws no randomness, as no trait declares it"):
        judged(Subject(Lazy, [X]), "jit-agrees")


def test_state_that_a_call_in_eval_mode_adds_is_told_as_state_that_is_not_frozen() -> None:
    found = finding(subject("merges_its_adapters_in_eval"), "eval-frozen")
    assert found.what == "in step 3, `call`, in eval mode, the state `merged` was added"
    assert (found.expected, found.cause) == ("nothing", "only a module's first call may add to its state")


def test_growth_in_eval_mode_is_told_as_that_and_follows_from_state_that_is_not_frozen() -> None:
    found = violation(subject("merges_its_adapters_in_eval"), "no-growth", "call eval call")
    assert found.cause == "a call in eval mode adds to the state"
    assert found.because[0] == "eval-frozen"
    assert "eval-frozen" not in violation(subject("concatenates_its_history"), "no-growth", "call call").because


class CacheAtAPythonPosition(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.cache = nnx.Cache(jnp.zeros((8, 3, 4)))
        self.position = 0

    def __call__(self, x: Any) -> Any:
        write(self.cache, read(self.cache).at[self.position % 8].set(x))
        self.position += 1
        return read(self.cache).sum(0)


class Box:
    calls: Any = 0


class CountsElsewhere(nnx.Module):
    """Counts its calls in a Variable, and in something else on which its outputs depend."""

    calls: Any = 0

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1)
        return x + self.more(x)

    def more(self, x: Any) -> Any:
        type(self).calls += 1
        return type(self).calls


class CountsInAPlainObject(CountsElsewhere):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.box = Box()

    def more(self, x: Any) -> Any:
        self.box.calls += 1
        return self.box.calls


class SumsOnTheHost(CountsInAPlainObject):
    def more(self, x: Any) -> Any:
        self.box.calls = self.box.calls + np.abs(np.asarray(x)).sum()
        return self.box.calls


class CountsInAVariableOfTheClass(CountsElsewhere):
    total = nnx.Variable(jnp.zeros(()))

    def more(self, x: Any) -> Any:
        write(self.total, read(self.total) + 1)
        return read(self.total)


def counts_in_a_closure(rngs: nnx.Rngs) -> Any:
    numbers = itertools.count(1)

    class CountsInAClosure(CountsElsewhere):
        def more(self, x: Any) -> Any:
            return next(numbers)

    return CountsInAClosure(rngs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "root"),
    [
        (CacheAtAPythonPosition, "no-hidden-state"),
        (CountsInAPlainObject, "no-hidden-state"),
        (CountsElsewhere, "no-hidden-state"),
        (counts_in_a_closure, "no-hidden-state"),
        (SumsOnTheHost, "no-hidden-state"),
        (CountsInAVariableOfTheClass, "instances-independent"),
    ],
)
def test_state_in_a_wrong_place_is_one_root_with_all_others_because_of_it(make: Any, root: str) -> None:
    report = judged(Subject(make, [X, 2 * X]))
    broken = {finding.check for finding in report.findings}
    assert root in broken and len(broken) > 2
    assert [law for law in sorted(broken) if not broken & set(CONTRACT.check(law).because)] == [root]


@pytest.mark.parametrize("law", [check.id for check in CONTRACT.checks])
def test_no_law_is_its_own_root(law: str) -> None:
    above: set[str] = set()
    roots = set(CONTRACT.check(law).because)
    while roots - above:
        above |= roots
        roots = {root for known in above for root in CONTRACT.check(known).because}
    assert law not in above


class LazyInAnyMode(nnx.Module):
    deterministic = False

    def __call__(self, x: Any) -> Any:
        if not hasattr(self, "mean"):
            self.mean = nnx.BatchStat(jnp.zeros(4))
        if not self.deterministic:
            write(self.mean, 0.9 * read(self.mean) + 0.1 * jnp.mean(x, 0))
        return x - read(self.mean)


def test_a_first_call_may_make_state_in_eval_mode_too() -> None:
    report = judged(Subject(lambda rngs: LazyInAnyMode(), [X], {"has_eval_mode": True}), "eval-frozen", examples=40)
    assert report.result("eval-frozen").status == "held"


class MeanForEachLength(nnx.Module):
    def __call__(self, x: Any) -> Any:
        name = f"mean_{x.shape[0]}"
        if not hasattr(self, name):
            setattr(self, name, nnx.BatchStat(jnp.zeros(4)))
        write(getattr(self, name), jnp.ones(4))
        return x


class SwapsTheKind(nnx.Module):
    def __init__(self) -> None:
        self.mean: nnx.Variable[Any] = nnx.BatchStat(jnp.zeros(4))

    def __call__(self, x: Any) -> Any:
        if x.shape[0] == 2:
            self.mean = nnx.Cache(read(self.mean))
        return x


class ForgetsItsMean(SwapsTheKind):
    def __call__(self, x: Any) -> Any:
        if x.shape[0] == 2 and hasattr(self, "mean"):
            del self.mean
        return x


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (MeanForEachLength, ("`mean_2` was added", "nothing", "[1., 1., 1., 1.] in nnx.BatchStat")),
        pytest.param(
            SwapsTheKind,
            ("`mean` went from nnx.BatchStat to nnx.Cache", "nnx.BatchStat", "nnx.Cache"),
            marks=pytest.mark.skipif(flax.__version__.startswith("0.8"), reason="this Flax compares no kinds"),
        ),
        (ForgetsItsMean, ("`mean` is gone", "[0., 0., 0., 0.] in nnx.BatchStat", "nothing")),
    ],
)
def test_a_structure_that_changes_is_told_with_the_place_that_came_or_went(make: Any, told: tuple[str, ...]) -> None:
    found = violation(Subject(lambda rngs: make(), [X, X[:2]]), "structure-stable", "call call call:1")
    assert (found.what, found.expected, found.observed) == (f"in step 3, `call` (call 3), {told[0]}", *told[1:])


class CountsBy(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, dtype: Any, amount: float) -> None:
        self.count = nnx.Variable(jnp.zeros((), dtype))
        self.amount = amount

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + jnp.asarray(self.amount, read(self.count).dtype))
        return x


REMEDIES = [
    (jnp.float32, 1, "Count in int32, which still counts where float32 stops, or declare the `horizon`"),
    (jnp.float32, 0.3, "Keep a mean in place of a sum, or carry what rounding loses in a second Variable"),
    (jnp.int32, 1000, "Start over, or stop, before int32 is full, or declare the `horizon`"),
    (jnp.bfloat16, 1, "Count in int32 or float32, whatever the dtype of the computation"),
]


@pytest.mark.parametrize(("dtype", "amount", "remedy"), REMEDIES, ids=lambda value: str(value)[:24])
def test_state_that_stands_still_is_told_with_two_values_and_a_wider_dtype(
    dtype: Any, amount: float, remedy: str
) -> None:
    given = Subject(lambda rngs: CountsBy(rngs, dtype, amount), [X], horizon=50_000_000)
    found = finding(given, "state-precision")
    assert found.expected != found.observed
    assert found.remedy.startswith(remedy)


def test_a_count_in_half_precision_is_told_with_the_number_at_which_it_stops() -> None:
    given = Subject(lambda rngs: CountsBy(rngs, jnp.bfloat16, 1), [X])
    found = finding(given, "state-precision")
    assert found.what == "`count` moves by 1 with each call, and stops at 256, as bfloat16"
    assert (found.expected, found.observed) == ("257", "256")


class Turns(CountsBy):
    """A position in a ring of seven."""

    def __call__(self, x: Any) -> Any:
        write(self.count, (read(self.count) + jnp.asarray(1, read(self.count).dtype)) % 7)
        return x


class WarmsUp(CountsBy):
    """Counts until it is warm."""

    def __call__(self, x: Any) -> Any:
        write(self.count, jnp.where(read(self.count) < self.amount, read(self.count) + 1, read(self.count)))
        return x


@pytest.mark.parametrize(
    ("make", "dtype", "amount"),
    [(Turns, jnp.uint8, 1), (WarmsUp, jnp.float32, 100), (WarmsUp, jnp.float32, 9000), (WarmsUp, jnp.float16, 100)],
)
def test_a_number_that_turns_back_or_rests_by_itself_is_right(make: Any, dtype: Any, amount: float) -> None:
    report = judged(Subject(lambda rngs: make(rngs, dtype, amount), [X]), "state-precision")
    assert report.result("state-precision").status == "held"


def test_a_count_that_is_held_at_a_limit_of_its_dtype_is_right() -> None:
    class Held(CountsBy):
        def __call__(self, x: Any) -> Any:
            write(self.count, jnp.minimum(read(self.count) + jnp.bfloat16(1), jnp.bfloat16(256)))
            return x

    report = judged(Subject(lambda rngs: Held(rngs, jnp.bfloat16, 1), [X]), "state-precision")
    assert report.result("state-precision").status == "held"


def test_an_integer_that_is_counted_down_below_its_range_is_told() -> None:
    class CountsDown(CountsBy):
        def __call__(self, x: Any) -> Any:
            write(self.count, read(self.count) - jnp.uint8(1))
            return x

    def make(rngs: nnx.Rngs) -> Any:
        module = CountsDown(rngs, jnp.uint8, 1)
        write(module.count, jnp.array(200, jnp.uint8))
        return module

    assert "wraps around after" in finding(Subject(make, [X]), "state-precision").what


class SowsInEachCall(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self, x: Any) -> Any:
        self.sow(nnx.Intermediate, "seen", x)
        return x


@pytest.mark.skipif(flax.__version__ < "0.12.8", reason="this Flax deprecates no `sow`")
def test_the_remedy_for_a_deprecated_sow_is_not_that_for_a_value() -> None:
    found = finding(Subject(SowsInEachCall, [X], {"grows": True}), "current-access")
    assert "sow" in found.what
    assert found.remedy == "Do what the warning says."


class Raises(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(jnp.ones((4, 4)))

    def __call__(self, x: Any) -> Any:
        return {"mode": 1}["mean"]


class TakesFiveColumns(Raises):
    def __call__(self, x: Any) -> Any:
        return np.ones((3, 5)) * np.asarray(x)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            Raises,
            "Expected a call that returns but on input [0] = .* it raised KeyError: 'mean' (.*). The module's own ",
        ),
        (TakesFiveColumns, "Expected inputs that fit but a call on input [0] = .* raised ValueError: .* Let `inputs` "),
    ],
)
def test_a_first_call_that_raises_is_reported_with_what_to_fix(make: Any, told: str) -> None:
    pattern = ".*".join(map(re.escape, told.split(".*")))
    with pytest.raises(Misuse, match=f"(?s){pattern}"):
        judged(Subject(make, [X]), "jit-agrees")
