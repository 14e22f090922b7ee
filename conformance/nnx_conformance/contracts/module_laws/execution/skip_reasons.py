"""Why a step is skipped: limits of the installed Flax and its modes, and the subject's traits."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import pickle
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import flax
import jax
from flax import nnx

from nnx_conformance.contracts.module_laws.execution import devices
from nnx_conformance.contracts.module_laws.execution.fresh_import import imported_again
from nnx_conformance.contracts.module_laws.execution.snapshots import (
    DEEP,
    arrays,
    is_param,
    is_random,
    nodes,
    state,
    variables,
)
from nnx_conformance.contracts.module_laws.program.language import TREE, Word
from nnx_conformance.observe.graph import Walk

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
HAS_MODES = hasattr(nnx, "set_graph_mode")

#: Operations that write state into a module.
RESTORES = ("save", "reload", "restart", "graft", "reseed", "endure")
#: Operations that trace a call. In tree mode no trace carries state in plain arrays, see FLIP 5310
#: (https://github.com/google/flax).
TRACED = ("jit", "remat", "cond", "scan", "vmap")
#: Libraries whose functions a module may hold without its author having a choice.
LIBRARIES = ("jax", "jaxlib", "flax", "optax")
LOOPS, DERIVED = ("fori_loop", "while_loop"), ("custom_vjp", "vjp", "jvp")
ON_DEVICES = ("shard", "place", "shardmap")
#: Operations that need two modules of one structure, or a call that keeps the structure.
GROWTH_FORBIDS = (
    *(*RESTORES, *LOOPS, "scan", "cond", "switch", "vmap", "second", "keys", "bounds", "far", *DERIVED),
    *ON_DEVICES,
)
COPIES = ("types", "modes", "rows", "slopes")
#: Transforms that some Flax versions lack.
ADDED = ("switch", *LOOPS, *DERIVED)
#: Operations that differentiate a call.
DIFFERENTIATED = ("grad", "optimize", "custom_vjp", "vjp", "slopes")


def missing(mode: str) -> str:
    """Why programs cannot run in a mode of Flax; empty if they can."""
    return "" if mode != TREE or HAS_MODES else f"Flax {flax.__version__} has no tree mode"


@contextlib.contextmanager
def mode(name: str) -> Iterator[None]:
    """Run the block in graph mode or in tree mode, if Flax has both."""
    with nnx.set_graph_mode(name != TREE) if HAS_MODES else contextlib.nullcontext():  # type: ignore[no-untyped-call]
        yield


def skipped(run: Execution, word: Word) -> str:
    """Why an operation does not apply to this subject, or cannot run on this Flax; empty if it can run."""
    name, declares = word.operation.name, run.harness.subject.declares
    if name in ("eval", "train") and not declares("has_eval_mode"):
        return "it declares no eval mode"
    if word.operation.warm and not run.twin.calls:
        return "it was not called before"
    if word.operation.warm and not _warm(run, word):
        return "its last call was on an input of other shapes"
    if declares("grows") and name in (*GROWTH_FORBIDS, *COPIES):
        return "it grows state on purpose"
    if name == "vmap" and not declares("per_lane_state"):
        return "its state is not to be split over lanes"
    if name == "reseed" and not declares("draws_randomness"):
        return "it declares no randomness"
    if name == "restart" and not run.harness.where:
        return "it was given as a Python object, which no new process can make: judge it as a target"
    if name == "original" and not run.counterparts:
        return "nothing was left behind"
    if run.program.mode == TREE and name in TRACED and arrays(run.module):
        return "tree mode carries no state in plain arrays"
    if word.operation.devices > 1 and (reason := devices.skipped(run, word)):
        return reason
    if reason := _for_this_module(run, word) or _undeclared(run, name):
        return reason
    if name in ADDED and not hasattr(nnx, name):
        return f"Flax {flax.__version__} has no nnx.{name}"
    if name in DIFFERENTIATED and (reason := run.harness.undifferentiable(word.input)):
        return reason
    if name == "jvp" and (reason := run.harness.undifferentiable(word.input, "jvp")):
        return reason
    return _on_this_flax(name, run.module, run.harness.pool.streams(word.input))


def _warm(run: Execution, word: Word) -> bool:
    """Whether the last call was on such an input; to try other keys, with any flags: some of these draw nothing."""
    pool = run.harness.pool
    if word.operation.name == "reseed":
        return bool(pool.arrays(int(run.shapes)) == pool.arrays(word.input))
    return bool(run.shapes == pool.shapes(word.input))


def _for_this_module(run: Execution, word: Word) -> str:
    """Why an operation cannot run with this module and its input; empty if it can."""
    name = word.operation.name
    if name == "remake" and not run.harness.takes_empty:
        return "it takes no array from `empty`"
    if name == "again" and run.harness.pool.holds_state(word.input):
        return "a call may change what is state among its arguments"
    if name == "afresh":
        return _imported_again(run)
    if name == "lend" and not run.harness.pool.has_numpy(word.input):
        return "its input holds no NumPy array" if run.harness.pool.numpy else "a call raises on NumPy arrays"
    if name in ("keys", "far") and not run.harness.subject.declares("draws_randomness"):
        return "it declares no randomness"
    if name in ("tree", "plainjit") and VERSION < (0, 11):
        return f"modules of Flax {flax.__version__} are no pytrees"
    if name in ("tree", "plainjit") and _shares(run.module):
        return "it shares Variables or modules, which a pytree cannot"
    if name == "plainjit" and not _hashable(run.module):
        return "its structure cannot be hashed, as `jax.jit` needs it"
    if name == "pickle" and VERSION < (0, 9):
        return f"a Variable of Flax {flax.__version__} that was pickled belongs to another trace"
    if name == "pickle" and (cls := _not_imported(run.module)):
        return f"the file of its class {cls.__qualname__} is no module that can be imported"
    if name == "pickle" and (function := _unpicklable(run.module)):
        return f"plain pickle refuses {function}: pip install cloudpickle"
    if name == "bounds" and not longest(run.module):
        return "it has no state with an axis, besides Params"
    if name in ("scan", *LOOPS) and not run.harness.pool.has_leaves(word.input):
        return "its input holds no number or array, of which each call of a loop takes its own"
    if name in (*LOOPS, *DERIVED) and run.harness.pool.holds_state(word.input):
        return "what is state among its arguments, it would close over"
    if name in ("vjp", "jvp") and arrays(run.module):
        return f"nnx.{name} carries no state in plain arrays"
    if name == "donate" and not _donates():
        return f"JAX {jax.__version__} gives up no memory on this device"
    if name == "abstract" and VERSION < (0, 9) and arrays(run.module):
        return f"nnx.eval_shape of Flax {flax.__version__} takes no plain arrays"
    return ""


def _undeclared(run: Execution, name: str) -> str:
    """Why the subject's traits make an operation pointless; empty if they do not."""
    subject = run.harness.subject
    if name == "refer" and subject.reference is None:
        return "it declares no reference"
    if name == "types" and "compute" not in subject.dtypes:
        return "it declares no dtype of its products"
    if name == "modes" and subject.declares("has_eval_mode"):
        return "it declares its eval mode"
    if name == "rows" and not subject.declares("has_eval_mode"):
        return "it declares no eval mode"
    if name == "rows" and subject.declares("mixes_rows"):
        return "it mixes rows on purpose"
    if name == "slopes" and subject.declares("stops_gradient"):
        return "it stops gradients on purpose"
    if name == "slopes" and not any(map(is_param, variables(run.module).values())):
        return "it has no nnx.Param"
    return ""


@functools.cache
def _donates() -> bool:
    array = jax.numpy.ones((4,))
    jax.jit(lambda array: array + 1, donate_argnums=0)(array)
    return bool(array.is_deleted())


def _imported_again(run: Execution) -> str:
    """Why the subject's file cannot run a second time; empty if it did."""
    if "::" not in run.harness.where:
        return "it was not given as a file; only a file can be imported again"
    try:
        run.reimported = imported_again(run.harness.where)
    except Exception as error:  # noqa: BLE001 - some files cannot run twice: registries refuse
        return f"its file cannot be run once more: {type(error).__name__}"
    return ""


def _shares(module: Any) -> bool:
    return Walk(module, DEEP).shared or any(leaf.shared for leaf in state(module))


def longest(module: Any) -> int:
    """The length of the longest axis of state other than Params and random streams; 0 if there is none."""
    leaves = [
        leaf for leaf in state(module) if leaf.state and not leaf.param and not leaf.rng and leaf.array is not None
    ]
    return max((length for leaf in leaves for length in leaf.array.shape), default=0)  # type: ignore[union-attr]


def _not_imported(module: Any) -> type | None:
    """A class whose module is not in `sys.modules`, so that no pickle can name it; None if there is none."""
    return next((type(node) for _, node in nodes(module) if type(node).__module__ not in sys.modules), None)


def _unpicklable(module: Any) -> str:
    """A function of a library that plain pickle refuses, such as `jax.nn.sigmoid`; empty if there is none."""
    if importlib.util.find_spec("cloudpickle"):
        return ""
    for leaf in Walk(module, DEEP).leaves:
        home = str(getattr(leaf.value, "__module__", ""))
        if callable(leaf.value) and home.partition(".")[0] in LIBRARIES:
            try:
                pickle.dumps(leaf.value)
            except Exception:  # noqa: BLE001 - whatever it raises, it is not the module's own
                return f"{home}.{getattr(leaf.value, '__name__', type(leaf.value).__name__)}"
    return ""


def _hashable(module: Any) -> bool:
    try:
        hash(jax.tree.structure(module))
    except TypeError:
        return False
    return True


def _on_this_flax(name: str, module: Any, random_input: bool) -> str:
    """Why this Flax cannot run an operation; `random_input`: whether the input has random streams."""
    state = variables(module).values()
    if name == "scan" and not hasattr(nnx, "Carry"):
        return f"Flax {flax.__version__} has no nnx.scan with a carried module"
    if name == "vmap" and VERSION < (0, 9) and (random_input or any(map(is_random, state))):
        return f"Flax {flax.__version__} makes the random keys of lanes anew"
    if name in (*RESTORES, "abstract", "donate") and VERSION < (0, 9) and _in_containers(module):
        return f"Flax {flax.__version__} writes no state into tuples and lists"
    params = any(map(is_param, state))
    if name == "optimize" and not params:
        return "it has no nnx.Param"
    if name == "grad" and not params and VERSION < (0, 9):
        return f"Flax {flax.__version__} cannot differentiate a module without nnx.Param"
    return ""


def _in_containers(module: Any) -> bool:
    """Whether plain containers hold arrays, such as the named tuples of an optimiser's state."""
    return any((leaf.dtype and not leaf.state) or leaf.kind == "nnx.VariableState" for leaf in state(module))
