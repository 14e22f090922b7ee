"""What a wrong candidate's author is told: for each MUST check, candidates that fail it for different reasons.

Each is a mutant of the reference. A finding names the line of the mistake (given here as its text, which stands once in
the file), the cause, the remedy and the smallest case.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass

import flax
import pytest
from rich.console import Console

import nnx_reference
from catalogue import sampled
from nnx_conformance import Finding, Report, check
from nnx_conformance.core import contracts
from nnx_conformance.core.current import current, installed
from nnx_conformance.reports import terminal
from nnx_reference import Implementation

SMALLEST = "seed=0.0  x=[0.]  n_calls=1.0"


@dataclass(frozen=True)
class Mistake:
    """A check, a mutant, and what is to be read in the finding; parts of the texts, the case whole."""

    check: str
    mutant: str
    line: str
    what: str
    cause: str
    remedy: str
    case: str = SMALLEST


PAIR = "Return one array of the two numbers"
OUTSIDE = "nothing in the module's Variables moves"
PARAM = "a Param is what optimisers train"
ASSIGNING = "assigning to the attribute replaces the Variable"
CONTENTS = current("Write to the contents, `self.count.value = self.count.value + 1.0`", installed())
FRESH = "Build the Rngs and the model inside the function"
LAST = "Keep the output of the last call, `last_x = model(x)`"
STATE = current("Return `model.count.value`", installed())
OUTPUT = "Let `__call__` end with `return x`."
TRACE = "Call the model in plain Python."
FURTHER_OFF = "further off than float32 summation in any order can be"
ACROSS = "a Variable from outside a trace was changed inside it"

MISTAKES = [
    Mistake(
        "returns-pair",
        "returns_dictionary",
        'return {"count": m.count[...], "sum": y.sum()}',
        "the result is of type dict",
        "a dict is no array, whatever it holds",
        PAIR,
    ),
    Mistake(
        "returns-pair",
        "returns_column_vector",
        "return jnp.array([[counter.count.value], [out.sum()]])",
        "the result has shape (2, 1)",
        "the two numbers are not in one array of length 2",
        PAIR,
    ),
    Mistake(
        "returns-pair",
        "returns_object_array",
        "return np.array([model.count.value, last_x.sum()], dtype=object)",
        "the numbers of the result cannot be read",
        "its dtype is object: it holds Python objects, not numbers",
        PAIR,
    ),
    Mistake(
        "returns-pair",
        "forgets_to_convert_n_calls",
        "for _ in range(n_calls):",
        "the candidate raised TypeError: 'float' object cannot be interpreted as an integer",
        "`seed` and `n_calls` come as floats, and an integer is needed here",
        "Convert first, `for _ in range(int(n_calls)):`.",
    ),
    Mistake(
        "returns-pair",
        "adds_a_missing_attribute_in_place",
        "self.count.value += self.step",
        "the candidate raised AttributeError: 'Counter' object has no attribute 'step'",
        "the candidate's own code raised, so there is no result to judge",
        "",
    ),
    Mistake(
        "output-unchanged",
        "loop_variable_hides_x",
        "last_x = model(x)",
        "call 1 of 1 was given, and returned, 0",
        "the candidate calls the model on something other than `x`",
        "Call the model on `x` itself",
    ),
    Mistake(
        "count-equals-calls",
        "starts_counter_at_one",
        "self.count = nnx.Variable(jnp.array(1.0))",
        "result[0] is 2 after n_calls=1",
        "the count starts at 1",
        "Call the model `int(n_calls)` times",
    ),
    Mistake(
        "count-equals-calls",
        "loops_one_time_too_many",
        "for _ in range(int(n_calls) + 1):",
        "result[0] is 2 after n_calls=1",
        "the module was called 2 times, not 1",
        "Call the model `int(n_calls)` times",
    ),
    Mistake(
        "count-equals-calls",
        "doubles_counts_above_thirty_two",
        "return jnp.array([count, out.sum()])",
        "result[0] is 66 after n_calls=33",
        "the number returned is not the count that the calls lead to; the model holds 33",
        "return that count",
        "seed=0.0  x=[0.]  n_calls=33.0",
    ),
    Mistake(
        "sum-preserved",
        "returns_the_mean",
        "return jnp.array([net.count.value, last_x.mean()])",
        "result[1] is 0.5, the sum of x is 1",
        "it is the mean",
        "Return `last_x.sum()` of the output of the last call",
        "seed=0.0  x=[0., 1.]  n_calls=1.0",
    ),
    Mistake(
        "sum-preserved",
        "leaves_out_the_last_element",
        "return jnp.array([module.count.value, out[:-1].sum()])",
        "result[1] is 0, the sum of x is 1",
        "the candidate dropped, changed or rounded elements",
        "with nothing dropped, scaled or cast",
        "seed=0.0  x=[1.]  n_calls=1.0",
    ),
    Mistake(
        "sum-preserved",
        "adds_up_every_output",
        "return jnp.array([model.count.value, total])",
        "result[1] is 2, the sum of x is 1",
        "the sum of what all calls returned",
        "of the output of the last call",
        "seed=0.0  x=[1.]  n_calls=2.0",
    ),
    Mistake(
        "sum-preserved",
        "truncates_the_sum",
        "return jnp.array([model.count.value, float(int(last_x.sum()))])",
        "result[1] is 0, the sum of x is 0.5",
        "the sum cut to a whole number",
        "in float32, with nothing dropped, scaled or cast",
        "seed=0.0  x=[0.5]  n_calls=1.0",
    ),
    Mistake(
        "sum-preserved",
        "scales_by_the_mean_and_back",
        "return jnp.array([model.count.value, (last_x / mean).sum() * mean])",
        "result[1] is nan, the sum of x is 0",
        "no sum gives this: infinity times zero, zero divided by zero, or infinity minus infinity does",
        "with nothing dropped, scaled or cast",
        "seed=0.0  x=[0.]  n_calls=1.0",
    ),
    Mistake(
        "counts-in-variable",
        "counts_in_python_attribute",
        "self.count += 1",
        "no nnx.Variable of the module went from 0 to 1",
        "`count`, of type int, does the counting",
        "Keep the count in `self.count = nnx.Variable(jnp.array(0.0))`",
    ),
    Mistake(
        "counts-in-variable",
        "counts_in_module_global",
        "CALLS.append(1)",
        "no nnx.Variable of the module went from 0 to 1",
        "the count is kept outside of them; `CALLS` at module level changes in the calls",
        "of a module made inside the function",
    ),
    Mistake(
        "counts-in-variable",
        "computes_the_answer_directly",
        "return jnp.array([float(int(n_calls)), x.sum()])",
        "the call created no nnx.Module",
        "the candidate computes the result without NNX state",
        "let `__call__` add to it",
    ),
    Mistake(
        "counts-in-variable",
        "plain_class_holds_the_variable",
        "self.count.value = self.count.value + 1.0",
        "the call created no nnx.Module",
        "is written to, and no nnx.Module holds that Variable",
        "of a module made inside the function",
    ),
    Mistake(
        "wrapper-kept",
        "assigns_array_to_attribute",
        "self.count = self.count + 1.0",
        "in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array",
        ASSIGNING,
        CONTENTS,
    ),
    Mistake(
        "wrapper-kept",
        "loses_wrapper_in_the_loop",
        "model.count = model.count + 1.0",
        "outside the calls, `Counter.count` went from nnx.Variable to jax.Array",
        ASSIGNING,
        CONTENTS,
    ),
    Mistake(
        "wrapper-kept",
        "assigns_through_instance_dict",
        'vars(self)["count"] = self.count + 1.0',
        "in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array",
        ASSIGNING,
        CONTENTS,
    ),
    Mistake(
        "wrapper-kept",
        "loses_wrapper_in_list_attribute",
        "self.counts[0] = self.counts[0] + 1.0",
        "in call 1 of 1, `Counter.counts[0]` went from nnx.Variable to jax.Array",
        "assigning to the element replaces the Variable",
        CONTENTS,
    ),
    Mistake(
        "counter-not-param",
        "count_is_a_param",
        "self.count = nnx.Param(jnp.array(0.0))",
        "the count sits in `count`, of type nnx.Param",
        PARAM,
        "Use `nnx.Variable`",
    ),
    Mistake(
        "counter-not-param",
        "factory_makes_a_param",
        "self.count = state(0.0)",
        "the count sits in `count`, of type nnx.Param",
        PARAM,
        "Use `nnx.Variable`",
    ),
    Mistake(
        "counter-not-param",
        "rewraps_count_as_param",
        "self.count = nnx.Param(self.count.value + 1.0)",
        "the count sits in `count`, of type nnx.Param",
        PARAM,
        "Use `nnx.Variable`",
    ),
    Mistake(
        "one-increment-per-call",
        "loops_one_time_too_few",
        "for _ in range(1, int(n_calls)):",
        "the module ran 0 times, n_calls is 1",
        "the candidate makes fewer or more calls than `n_calls` asks for",
        "Loop `for _ in range(int(n_calls))`",
    ),
    Mistake(
        "one-increment-per-call",
        "increments_in_the_loop",
        "model.count.value = model.count.value + 1.0",
        "`count` went from 0 to 1, but in none of the calls",
        "the candidate adds to the count outside `__call__`",
        "add to the count in `__call__` only",
    ),
    Mistake(
        "one-increment-per-call",
        "caps_count_at_ten",
        "self.count.value = jnp.minimum(self.count.value + 1.0, 10.0)",
        "call 11 of 11 took `count` from 10 to 10",
        "`__call__` does not add 1 to the count each time",
        "add to the count in `__call__` only",
        "seed=0.0  x=[0.]  n_calls=11.0",
    ),
    Mistake(
        "one-increment-per-call",
        "subtracts_the_extra_call",
        "for _ in range(int(n_calls) + 1):",
        "the module ran 2 times, n_calls is 1",
        "the loop is off by one",
        "Loop `for _ in range(int(n_calls))`",
    ),
    Mistake(
        "one-increment-per-call",
        "calls_once_and_repeats_the_output",
        "outputs = [model(x)] * int(n_calls)",
        "the module ran once, n_calls is 2",
        "the candidate makes fewer or more calls than `n_calls` asks for",
        "Loop `for _ in range(int(n_calls))`",
        "seed=0.0  x=[0.]  n_calls=2.0",
    ),
    Mistake(
        "one-increment-per-call",
        "calls_a_new_clone_each_time",
        "last_x = nnx.clone(model)(x)",
        "the 2 calls went to 2 models, and none ran more than once",
        "the calls go to copies or to new models, and each counts only its own calls",
        "call the model once in it",
        "seed=0.0  x=[0.]  n_calls=2.0",
    ),
    Mistake(
        "output-unchanged",
        "returns_nothing_from_call",
        "self.count.value = self.count.value + 1.0",
        "call 1 of 1 returned a NoneType, not the array x",
        "`__call__` ends without a `return x`",
        OUTPUT,
    ),
    Mistake(
        "output-unchanged",
        "returns_half_precision_output",
        "return x.astype(jnp.float16)",
        "call 1 of 1 returned [0.] float16 for x=[0.]",
        "`__call__` casts float32 to float16",
        OUTPUT,
    ),
    Mistake(
        "output-unchanged",
        "adds_a_batch_axis",
        "return x[None]",
        "call 1 of 1 returned [[0.]] for x=[0.]",
        "`__call__` changes the shape from (1,) to (1, 1)",
        OUTPUT,
    ),
    Mistake(
        "output-unchanged",
        "reverses_output",
        "return x[::-1]",
        "call 1 of 1 returned [1., 0.] for x=[0., 1.]",
        "`__call__` returns values that differ from its argument's",
        OUTPUT,
        "seed=0.0  x=[0., 1.]  n_calls=1.0",
    ),
    Mistake(
        "no-traced-mutation",
        "jits_a_closure_over_the_model",
        "step = jax.jit(lambda x: counter(x))",
        "the candidate raised TraceContextError",
        ACROSS,
        TRACE,
    ),
    Mistake(
        "no-traced-mutation",
        "calls_inside_lax_cond",
        "out = jax.lax.cond(i >= 0, lambda v: net(v), lambda v: v, x)",
        "the candidate raised TraceContextError",
        ACROSS,
        TRACE,
    ),
    Mistake(
        "no-traced-mutation",
        "loops_with_lax_fori",
        "last_x = jax.lax.fori_loop(0, int(n_calls), lambda _, out: model(out), x)",
        "the candidate raised TraceContextError",
        ACROSS,
        TRACE,
    ),
    Mistake(
        "no-traced-mutation",
        "jits_the_call_method",
        "@jax.jit",
        "result[0] is 0 after n_calls=1, and 1 with jit switched off",
        "a plain JAX transform updates a copy of the module",
        TRACE,
    ),
    Mistake(
        "result-reads-state",
        "returns_n_calls_beside_the_model",
        "return jnp.array([float(int(n_calls)), out.sum()])",
        "the kit raised the count by 3",
        "the candidate computes result[0] without the Variable",
        STATE,
    ),
    Mistake(
        "result-reads-state",
        "counts_in_the_loop_as_well",
        "return jnp.array([float(calls), out.sum()])",
        "the kit raised the count by 3",
        "the candidate computes result[0] without the Variable",
        STATE,
    ),
    Mistake(
        "result-reads-state",
        "clamps_the_count_to_n_calls",
        "return jnp.array([jnp.minimum(model.count.value, n_calls), last_x.sum()])",
        "the kit raised the count by 3",
        "the candidate computes result[0] without the Variable",
        STATE,
    ),
    Mistake(
        "result-reads-output",
        "sums_the_given_input",
        "return jnp.array([model.count.value, x.sum()])",
        "the kit raised what the last call returned by 3; result[1] stayed the same",
        "the candidate computes result[1] from something other than the last call's output, such as x itself",
        LAST,
    ),
    Mistake(
        "result-reads-output",
        "sums_the_first_output",
        "return jnp.array([module.count.value, outputs[0].sum()])",
        "the kit raised what the last call returned by 3; result[1] stayed the same",
        "the candidate computes result[1] from something other than the last call's output",
        LAST,
        "seed=0.0  x=[0.]  n_calls=2.0",
    ),
    Mistake(
        "result-reads-output",
        "module_remembers_the_sum",
        "return jnp.array([model.count.value, model.total.value])",
        "the kit raised what the last call returned by 3; result[1] stayed the same",
        "the candidate computes result[1] from something other than the last call's output",
        LAST,
    ),
    Mistake(
        "fresh-state-per-run",
        "history_outlives_the_run",
        "HISTORY = []",
        "the same case gave [",
        "`HISTORY` at module level outlives the call, which changes it (history_outlives_the_run.py:19)",
        FRESH,
    ),
    Mistake(
        "fresh-state-per-run",
        "model_is_a_default_argument",
        "def run(x, n, model=Counter(nnx.Rngs(0))):  # noqa: B008",
        "the same case gave [",
        "the default of `model` outlives the call, which changes it (model_is_a_default_argument.py:15)",
        FRESH,
    ),
    Mistake(
        "fresh-state-per-run",
        "caches_the_model_by_seed",
        "def build(seed):",
        "the same case gave [",
        "the cache of `build` outlives the call, which changes it (caches_the_model_by_seed.py:27)",
        FRESH,
    ),
    Mistake(
        "fresh-state-per-run",
        "variable_is_a_class_attribute",
        "count = nnx.Variable(jnp.array(0.0))",
        "the same case gave [",
        "`Counter.count` at class level outlives the call, which changes it",
        FRESH,
    ),
    Mistake(
        "fresh-state-per-run",
        "draws_from_the_global_generator",
        "noise = np.random.random()",
        "the same case gave [",
        "`numpy.random` draws the result, and its generator keeps its state between calls",
        "Draw from nothing but the keys of `nnx.Rngs(int(seed))`.",
    ),
    Mistake(
        "input-untouched",
        "deletes_the_input",
        "x.delete()",
        "x was deleted or donated by the call",
        "its buffer was given away (`donate_argnums`) or freed (`x.delete()`)",
        "Do not donate, delete or write into the argument",
    ),
    Mistake(
        "input-untouched",
        "donates_the_input_to_jit",
        "last_x = pass_through(last_x)",
        "x was deleted or donated by the call",
        "its buffer was given away (`donate_argnums`) or freed (`x.delete()`)",
        "Do not donate, delete or write into the argument",
    ),
    Mistake(
        "input-untouched",
        "wipes_the_input_buffer",
        "ctypes.memset(x.unsafe_buffer_pointer(), 0, x.nbytes)",
        "x was [1.] and is [0.] after the call",
        "something wrote into the buffer of the argument",
        "work on what the calls return",
        "seed=0.0  x=[1.]  n_calls=1.0",
    ),
]

BY_NAME = {mutant.name: mutant for mutant in nnx_reference.mutants()}


def applies(name: str) -> bool:
    return BY_NAME[name].applies_to(flax.__version__)


def named(mistake: Mistake) -> str:
    return f"{mistake.check}-{mistake.mutant}"


@functools.cache
def judged(mutant: Implementation) -> Report:
    return check(mutant.load(), max_examples=40)


def finding(report: Report, check_id: str) -> Finding:
    return next(found for found in report.findings if found.check == check_id)


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    terminal.show(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_each_must_check_has_three_candidates_that_fail_it_for_different_reasons() -> None:
    for known in contracts.get("mutability").checks:
        mistakes = [mistake for mistake in MISTAKES if mistake.check == known.id and known.level == "MUST"]
        assert known.level != "MUST" or len({mistake.mutant for mistake in mistakes}) >= 3
        assert len({(mistake.line, mistake.cause) for mistake in mistakes}) == len(mistakes)


@pytest.mark.medium
@pytest.mark.parametrize("mistake", sampled([one for one in MISTAKES if applies(one.mutant)], 32, named))
def test_the_finding_names_line_cause_remedy_and_smallest_case(mistake: Mistake) -> None:
    mutant = BY_NAME[mistake.mutant]
    lines = [line.strip() for line in mutant.path.read_text().splitlines()]

    found = finding(judged(mutant), mistake.check)

    assert found.line is not None
    assert (found.line.source, found.line.number) == (mistake.line, lines.index(mistake.line) + 1)
    assert lines.count(mistake.line) == 1
    assert mistake.what in found.what
    assert mistake.cause in found.cause
    assert mistake.remedy in found.remedy
    assert str(found.case) == mistake.case


ONE_CAUSE = [
    ("loops_one_time_too_many", "one-increment-per-call", ["count-equals-calls"]),
    ("starts_counter_at_one", "counts-in-variable", ["count-equals-calls"]),
    ("scales_output_slightly", "output-unchanged", ["sum-preserved"]),
    ("returns_half_precision_output", "output-unchanged", ["result-reads-output", "sum-preserved"]),
    ("returns_integer_array", "returns-pair", ["sum-preserved"]),
    ("model_is_a_default_argument", "fresh-state-per-run", ["counts-in-variable"]),
    ("falls_back_to_the_formula", "no-traced-mutation", ["counts-in-variable", "one-increment-per-call"]),
]


@pytest.mark.medium
@pytest.mark.parametrize("known", sampled([one for one in ONE_CAUSE if applies(one[0])], 16, lambda one: one[0]))
def test_what_fails_of_one_cause_is_one_finding_in_the_terminal(known: tuple[str, str, list[str]]) -> None:
    name, cause, consequences = known
    report = judged(BY_NAME[name])
    text = shown(report)

    must = [found for found in report.findings if found.level == "MUST"]
    assert sorted(found.check for found in must if found.because == cause) == consequences
    assert [found.check for found in must if not found.because] == [cause]
    heads = [line for line in text.splitlines() if "  MUST  violated on" in line]
    assert len(heads) == 1 and heads[0].startswith(f"{cause}  MUST")
    assert all(f"{other} (MUST): " in " ".join(text.split()) for other in consequences)


@pytest.mark.medium
def test_what_only_one_cause_blocks_is_listed_under_it() -> None:
    report = judged(BY_NAME["assigns_value_to_attribute"])

    assert [found.check for found in report.findings if found.level == "MUST"] == ["wrapper-kept"]
    assert "returns-pair" in finding(report, "wrapper-kept").blocks
    assert "  blocks         returns-pair, count-equals-calls, " in shown(report)


@pytest.mark.medium
def test_two_causes_stay_two_findings() -> None:
    report = judged(BY_NAME["starts_at_minus_one"])  # and calls once more than asked, so that the result is right

    heads = {found.check for found in report.findings if found.level == "MUST" and not found.because}
    assert heads == {"counts-in-variable", "one-increment-per-call"}


@pytest.mark.medium
def test_a_consequence_whose_cause_is_not_reported_stands_for_itself() -> None:
    report = check(BY_NAME["loops_one_time_too_many"].load(), max_examples=5, checks=("count-equals-calls",))

    assert [(found.check, found.because) for found in report.findings] == [("count-equals-calls", "")]
    assert "count-equals-calls  MUST  violated" in shown(report)


@pytest.mark.slow
def test_a_sum_that_is_no_number_is_not_told_as_computed_beside_the_output() -> None:
    (mutant,) = (found for found in nnx_reference.mutants() if found.name == "scales_by_the_mean_and_back")
    report = check(mutant.load(), max_examples=12, shrink=False)

    assert report.result("sum-preserved").violated
    assert not report.result("result-reads-output").violated
