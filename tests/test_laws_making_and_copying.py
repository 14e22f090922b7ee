"""The laws on unwritten memory, lent inputs, abstract values, copies, compilations, keys and indices."""

from __future__ import annotations

import threading
import weakref
from typing import Any, ClassVar

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from lawful import judged as judged_program
from nnx_conformance import Report, Subject, check_module
from nnx_conformance.core.report import Finding

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
PYTREES = pytest.mark.skipif(VERSION < (0, 11), reason="modules are no pytrees on this Flax")
PICKLES = pytest.mark.skipif(VERSION < (0, 9), reason="a Variable of this Flax that was pickled belongs to no trace")


def judged(make: Any, *checks: str, inputs: Any = (X, 2 * X), **traits: bool) -> Report:
    return check_module(Subject(make, list(inputs), traits), max_examples=8, shrink=False, checks=checks)


def finding(make: Any, law: str, **traits: bool) -> Finding:
    (found,) = judged(make, law, **traits).findings
    assert found.check == law
    return found


def outcome(make: Any, law: str, **traits: bool) -> tuple[str, str]:
    result = judged(make, law, **traits).result(law)
    return result.status, result.reason


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def write(variable: Any, value: Any) -> None:
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)


class Mean(nnx.Module):
    """A running mean, which starts as it is told."""

    def __init__(self, start: Any = None) -> None:
        self.mean = nnx.BatchStat(jnp.zeros(4) if start is None else start)

    def __call__(self, x: Any) -> Any:
        write(self.mean, 0.9 * read(self.mean) + 0.1 * x.mean(0))
        return x - read(self.mean)


class Scratch(Mean):
    """Reads memory in its call that it has not written."""

    def __call__(self, x: Any) -> Any:
        rows = np.empty((2, 4), np.float32)
        rows[0] = 1
        return super().__call__(x) + rows.sum(0)


class Compiled(Mean):
    """Asks for unwritten memory in code that it compiles itself."""

    def __init__(self) -> None:
        super().__init__(jax.jit(lambda: jnp.empty((4,)) + 1)())


@pytest.mark.medium
@pytest.mark.parametrize(
    ("make", "when", "differs"),
    [
        pytest.param(lambda rngs: Mean(jnp.empty((4,))), "made", "the state `mean` differs", id="empty"),
        *(
            pytest.param(make, when, f"the {part} differs", id=name, marks=pytest.mark.slow)
            for name, make, when, part in (
                ("empty_like", lambda rngs: Mean(jnp.empty_like(jnp.ones(4))), "made", "state `mean`"),
                ("numpy", lambda rngs: Mean(jnp.asarray(np.empty(4, np.float32))), "made", "state `mean`"),
                ("scratch", lambda rngs: Scratch(), "called", "output"),
                ("compiled", lambda rngs: Compiled(), "made", "state `mean`"),
            )
        ),
    ],
)
def test_memory_that_nothing_has_written_is_told(make: Any, when: str, differs: str) -> None:
    found = finding(make, "start-defined")
    assert found.what == f"{when} on memory that nothing has written, where `empty` gave garbage: {differs}"
    assert "nan" in found.observed


@pytest.mark.slow
def test_what_empty_gave_and_was_written_over_is_right() -> None:
    make = lambda rngs: Mean(jnp.empty((4,)).at[:].set(0.0))  # noqa: E731
    assert outcome(make, "start-defined") == ("held", "")


def test_a_module_that_takes_nothing_from_empty_is_not_made_once_more() -> None:
    assert outcome(lambda rngs: Mean(), "start-defined") == ("not applicable", "it takes no array from `empty`")


class Keeps(nnx.Module):
    def __init__(self, keep: Any) -> None:
        self.keep = keep
        self.last = nnx.Cache(jnp.zeros((3, 4)))

    def __call__(self, x: Any) -> Any:
        last = read(self.last)
        write(self.last, self.keep(x))
        return x + last


def test_state_that_the_caller_still_owns_is_told() -> None:
    found = finding(lambda rngs: Keeps(lambda x: x), "state-owned")
    assert found.what == "its input was written to: the state `last` differs after step 1, `lend`"
    assert found.line is not None
    assert found.line.source.startswith("variable.set_value(value)")


def test_what_jax_still_computes_when_the_input_is_written_to_is_waited_for() -> None:
    inputs = [np.linspace(-1, 1, 2**18, dtype=np.float32).reshape(8, 64, 64, 8)]
    make = lambda rngs: nnx.ConvTranspose(8, 16, (5, 5), rngs=rngs)  # noqa: E731
    assert [judged_program(make, "state-owned", "lend:8", inputs=inputs) for _ in range(5)] == [None] * 5


def test_memory_that_device_put_shares_is_told_however_small_it_is() -> None:
    assert finding(lambda rngs: Keeps(jax.device_put), "state-owned").what.startswith("its input was written to: ")


@pytest.mark.parametrize("keep", [jnp.array, lambda x: x * 1.0, np.array], ids=["jnp.array", "computed", "np.array"])
def test_a_copy_of_the_input_is_the_modules_own(keep: Any) -> None:
    assert outcome(lambda rngs: Keeps(keep), "state-owned") == ("held", "")


class Normed(nnx.Module):
    def __init__(self, norm: Any, rngs: nnx.Rngs) -> None:
        self.kernel = nnx.Param(jax.random.normal(rngs.params(), (4, 4)))
        self.norm = nnx.Variable(norm(read(self.kernel)))

    def __call__(self, x: Any) -> Any:
        return x @ read(self.kernel) / read(self.norm)


def test_a_factory_that_needs_numbers_is_told() -> None:
    norm = lambda kernel: jnp.float32(np.linalg.norm(np.asarray(kernel)))  # noqa: E731
    found = finding(lambda rngs: Normed(norm, rngs), "abstract-agrees")
    assert found.what.startswith("step 1, `abstract`, raised TracerArrayConversionError: ")
    assert found.line is not None


def test_a_dtype_that_hangs_on_tracing_is_told() -> None:
    traced = lambda kernel: isinstance(kernel, jax.core.Tracer)  # noqa: E731
    norm = lambda kernel: jnp.ones((), jnp.bfloat16 if traced(kernel) else jnp.float32)  # noqa: E731
    found = finding(lambda rngs: Normed(norm, rngs), "abstract-agrees")
    assert found.what == "made under nnx.eval_shape: the state `norm` differs after step 1, `abstract`"
    assert (found.expected, found.observed) == ("float32[]", "bfloat16[]")


class Doubles(nnx.Module):
    """Holds constants of NumPy, which are float64 to it and float32 to JAX, and a Python number in a Variable."""

    def __init__(self) -> None:
        self.limits = nnx.Variable(np.array([-0.1, 0.3]))
        self.steps = nnx.Variable(0)

    def __call__(self, x: Any) -> Any:
        write(self.steps, read(self.steps) + 1)
        return jnp.clip(x, read(self.limits)[0], read(self.limits)[1])


def test_constants_of_numpy_are_what_jax_makes_of_them() -> None:
    laws = ("abstract-agrees", "jit-agrees", "split-merge-agrees", "checkpoint-resumes", "pytree-agrees")
    assert judged(lambda rngs: Doubles(), *laws).findings == ()


class Homeless(Mean):
    """Knows itself by its identity alone."""

    homes: ClassVar[weakref.WeakSet[Any]] = weakref.WeakSet()

    def __init__(self) -> None:
        super().__init__()
        self.homes.add(self)

    def __call__(self, x: Any) -> Any:
        return super().__call__(x) * (1.0 if self in self.homes else 2.0)


@PYTREES
def test_a_module_that_jax_cannot_put_together_again_is_told() -> None:
    found = finding(lambda rngs: Homeless(), "pytree-agrees")
    assert found.what == "the output differs after step 1, `tree`"


class Tied(Mean):
    def __init__(self) -> None:
        super().__init__()
        self.again = self.mean


@PYTREES
def test_what_is_shared_is_no_pytree_and_not_accused() -> None:
    reason = "it shares Variables or modules, which a pytree cannot"
    assert outcome(lambda rngs: Tied(), "pytree-agrees") == ("not applicable", reason)


class Sized(Mean):
    def __init__(self) -> None:
        super().__init__()
        self.sizes = [1, 2]


@PYTREES
def test_a_structure_without_a_hash_is_judged_by_a_tree_map_alone() -> None:
    assert outcome(lambda rngs: Sized(), "pytree-agrees") == ("held", "")


class Locked(Mean):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Shallow(Mean):
    def __deepcopy__(self, memo: Any = None) -> Shallow:
        other = Shallow()
        other.mean = self.mean
        return other


def test_a_module_that_cannot_be_copied_deeply_is_told() -> None:
    found = finding(lambda rngs: Locked(), "deepcopy-agrees")
    assert found.what.startswith("step 1, `deepcopy`, raised TypeError: cannot pickle '_thread.lock' object")


def test_a_deep_copy_that_shares_a_variable_is_told() -> None:
    found = finding(lambda rngs: Shallow(), "deepcopy-agrees")
    assert found.what == "the original: the state `mean` differs after step 1, `deepcopy`"


class Forgets(Mean):
    def __reduce__(self) -> Any:
        return Forgets, ()


@PICKLES
def test_state_that_a_pickle_leaves_out_is_told() -> None:
    assert finding(lambda rngs: Forgets(), "pickles").what == "the output differs after step 2, `pickle`"


class Activated(Mean):
    def __init__(self, activation: Any) -> None:
        super().__init__()
        self.activation = activation

    def __call__(self, x: Any) -> Any:
        return self.activation(super().__call__(x))


@PICKLES
def test_a_function_of_jax_that_pickle_refuses_is_no_fault_of_the_module() -> None:
    status, reason = outcome(lambda rngs: Activated(jax.nn.relu), "pickles")
    assert status == "held" or reason.endswith(".relu: pip install cloudpickle")


def test_an_attribute_that_makes_each_instance_compile_is_named() -> None:
    found = finding(lambda rngs: Activated(lambda x: 2 * x), "instances-share-compilation")
    assert found.what == "`nnx.jit` compiled again for another instance of the same factory: their `activation` differs"


def test_a_function_with_a_name_is_compiled_once_for_all_instances() -> None:
    assert outcome(lambda rngs: Activated(jax.nn.relu), "instances-share-compilation") == ("held", "")


class Draws(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.key = nnx.Variable(rngs.params())

    def __call__(self, x: Any) -> Any:
        key, used = jax.random.split(read(self.key))
        write(self.key, key)
        return x + jax.random.normal(used, x.shape)


class DrawsTwice(Draws):
    def __call__(self, x: Any) -> Any:
        key = jax.random.split(read(self.key))[0]
        drawn = jax.random.normal(read(self.key), x.shape)
        write(self.key, key)
        return x + drawn


def test_a_key_that_is_used_twice_is_told_with_the_line() -> None:
    found = finding(DrawsTwice, "keys-used-once", draws_randomness=True)
    assert found.what == (
        "JAX's checker raised KeyReuseError: Previously-consumed key passed to jit-compiled function at index 0"
    )
    assert found.line is not None
    assert found.line.source == "drawn = jax.random.normal(read(self.key), x.shape)"


def test_a_key_that_is_split_before_it_is_used_is_right() -> None:
    assert outcome(Draws, "keys-used-once", draws_randomness=True) == ("held", "")


class Writes(nnx.Module):
    def __init__(self, place: Any) -> None:
        self.place = place
        self.rows = nnx.Cache(jnp.zeros((5, 4)))
        self.at = nnx.Cache(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        rows, at = read(self.rows), read(self.at)
        write(self.rows, rows.at[self.place(at)].set(x.mean(0)))
        write(self.at, at + 1)
        return x + rows[0]


class WritesOrDrops(Writes):
    def __call__(self, x: Any) -> Any:
        rows, at = read(self.rows), read(self.at)
        write(
            self.rows,
            rows.at[at].set(
                x.mean(0),
                mode="drop",
            ),
        )
        write(self.at, at + 1)
        return x + rows[0]


def test_an_index_beyond_a_cache_is_told_with_the_line() -> None:
    found = finding(lambda rngs: Writes(lambda at: at), "indices-in-bounds")
    assert found.what.startswith(
        "out-of-bounds indexing for array of shape (5, 4): index 5 is out of bounds for axis 0"
    )
    assert found.line is not None
    assert found.line.source == "write(self.rows, rows.at[self.place(at)].set(x.mean(0)))"


@pytest.mark.parametrize(
    "make",
    [lambda rngs: Writes(lambda at: at % 5), lambda rngs: Writes(lambda at: at.clip(0, 4)), WritesOrDrops],
    ids=["modulo", "clipped", "dropped on purpose"],
)
def test_an_index_that_stays_within_or_says_what_becomes_of_it_is_right(make: Any) -> None:
    assert outcome(make, "indices-in-bounds") == ("held", "")


class Remembers(Mean):
    """Gives its last answer again for the same array."""

    last: dict[str, Any] = {}  # noqa: RUF012 - of the class, on purpose

    def __call__(self, x: Any) -> Any:
        if self.last.get("input") is not x or self.last.get("module") is not self:
            self.last.update(input=x, module=self, answer=super().__call__(x))
        return self.last["answer"]


def test_an_answer_that_is_remembered_for_an_array_is_told() -> None:
    found = finding(lambda rngs: Remembers(), "no-hidden-state")
    assert (found.what, str(found.case)) == (
        "output[1] differs after step 2, `again`",
        "make(0) call[1] again[1] call[1]",
    )


class Clears(Mean):
    def __init__(self) -> None:
        super().__init__(jnp.zeros(()))
        self.deterministic = False

    def __call__(self, x: Any) -> Any:
        return x + read(self.mean)

    def train(self, **attributes: Any) -> None:
        super().train(**attributes)
        write(self.mean, jnp.asarray(0.0))


def test_a_mode_that_gives_a_variable_a_weak_type_again_is_told() -> None:
    found = finding(lambda rngs: Clears(), "structure-stable", has_eval_mode=True)
    assert found.what == "in step 4, `train`, `mean` changed"
    assert (found.expected, found.observed) == ("float32[]", "float32[] (weak type)")


class Epochs(Mean):
    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0

    def __call__(self, x: Any) -> Any:
        return super().__call__(x) / (1 + self.epoch)

    def train(self, **attributes: Any) -> None:
        self.epoch += 1


def test_what_changes_of_the_mode_add_up_to_is_missed_after_a_checkpoint() -> None:
    found = finding(lambda rngs: Epochs(), "checkpoint-resumes", has_eval_mode=True)
    assert found.what.startswith("the output differs after step ")


class Late(nnx.Module):
    """Adds noise after a hundred calls."""

    folds = False

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.key = nnx.Variable(rngs.params())
        self.steps = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        write(self.steps, read(self.steps) + 1)
        key = jax.random.fold_in(read(self.key), read(self.steps)) if self.folds else read(self.key)
        return x + jnp.where(read(self.steps) > 100, 0.1, 0.0) * jax.random.normal(key, x.shape)


class LateAndNew(Late):
    folds = True


class RingOfNoise(Late):
    """Keeps the last draws in a ring."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.last = nnx.Variable(jnp.zeros(16))

    def __call__(self, x: Any) -> Any:
        key, drawn = jax.random.split(read(self.key))
        write(self.key, key)
        write(self.last, read(self.last).at[read(self.steps)].set(jax.random.normal(drawn)))
        write(self.steps, (read(self.steps) + 1) % 16)
        return x + read(self.last).mean()


def test_a_position_in_a_ring_is_not_set_beyond_its_end() -> None:
    assert outcome(RingOfNoise, "rng-advances", draws_randomness=True) == ("held", "")


class DropsOutByKeyword(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any, deterministic: bool) -> Any:
        return self.dropout(x, deterministic=deterministic)


class DropsOutByOneKey(DropsOutByKeyword):
    def __call__(self, x: Any, deterministic: bool) -> Any:
        return x if deterministic else x * jax.random.bernoulli(jax.random.key(0), 0.5, x.shape)


@pytest.mark.parametrize(("make", "held"), [(DropsOutByKeyword, True), (DropsOutByOneKey, False)])
def test_keys_matter_where_a_flag_lets_a_call_draw(make: Any, held: bool) -> None:
    fields: dict[str, Any] = {
        "inputs": [(X, False), (X, True)],
        "keywords": ("deterministic",),
        "traits": {"draws_randomness": True},
    }
    program = "call:1 reseed:1 reseed:2 reseed:3 reseed"
    assert (judged_program(make, "rng-reproducible", program, **fields) is None) is held


def test_noise_that_comes_late_and_is_always_the_same_is_told() -> None:
    found = finding(Late, "rng-advances", draws_randomness=True)
    assert found.what == "3 calls at the end of the horizon gave the same outputs; other seeds give others"


def test_noise_that_comes_late_and_is_new_each_time_is_right() -> None:
    assert outcome(LateAndNew, "rng-advances", draws_randomness=True) == ("held", "")
