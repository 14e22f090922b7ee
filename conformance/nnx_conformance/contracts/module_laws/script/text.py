"""The text of scripts: a template, and the parts that only some scripts have."""

from __future__ import annotations

#: Whether a new module lacks state that `module` has; in scripts with restarts, `module` may be a checkpoint.
LACKS = "look(fresh).keys() != look(module).keys()"
LACKS_SAVED = "arrays(fresh).keys() != (module if isinstance(module, dict) else arrays(module)).keys()"

RESTARTS = '''\
STAGE = int(sys.argv[1]) if len(sys.argv) > 1 else 0  # how many processes came before this one


def hand_over(module: Any) -> None:
    """Write a checkpoint, and let a new process go on from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "checkpoint")
        with open(path, "wb") as file:
            pickle.dump((arrays(module), done), file)
        sys.exit(subprocess.call([sys.executable, __file__, str(STAGE + 1), path]))


def received() -> Any:
    """The checkpoint; the twin has yet to do what it had done."""
    with open(sys.argv[2], "rb") as file:
        saved, done[:] = pickle.load(file)
    return saved


'''

TWO_DEVICES = """\
if hasattr(jax.config, "jax_num_cpu_devices"):
    jax.config.update("jax_num_cpu_devices", 2)
else:  # before JAX 0.5
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"


"""

TWIN_ON_ONE_DEVICE = """\
on_two_devices = twin_call


def twin_call(number: int) -> Any:
    with one_device():
        return on_two_devices(number)


"""

HEAD = '''\
"""{program}

Breaks {law} in step {step}: {what}
Written by nnx-conformance; run it with `python THIS_FILE`.
"""

from __future__ import annotations

{imports}import contextlib
import copy as copying
import importlib
import importlib.util
import inspect
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

{mode}{functions}


{subject}


def value(name: str, default: Any = None) -> Any:
    return subject.get(name, default) if isinstance(subject, dict) else getattr(subject, name, default)


def make(seed: int) -> Any:
    return value("make")(nnx.Rngs(seed))


def call(module: Any, *arguments: Any) -> Any:
    names = value("keywords", ())
    first = len(arguments) - len(names)
    plain = value("call") or (lambda module, *arguments, **named: module(*arguments, **named))
    return plain(module, *arguments[:first], **dict(zip(names, arguments[first:])))


def step(module: Any, arguments: Any) -> Any:
    return call(module, *arguments)


INPUTS = {inputs}


def given(number: int) -> Any:
    return jax.tree.map(lambda leaf: np.array(leaf) if number >= 8 else jnp.array(leaf), INPUTS[number])


def check(position: int, wrong: str) -> None:
    assert not wrong, f"{law}, step {{position}}: {{wrong}}"


@contextlib.contextmanager
def step_that_raises(position: int) -> Any:
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{law}, step {{position}}: {{type(error).__name__}}: {{error}}") from error


done: list[Any] = []  # what the twin did, to do it again with a new one


def twin_call(number: int) -> Any:
    done.append(number)
    return call(twin, *given(number))


def another(seed: int, history: list[Any]) -> Any:
    """A module that did the same, in plain Python."""
    module = make(seed)
    for what in history:
        if isinstance(what, int):
            call(module, *given(what))
        elif isinstance(what, str):
            getattr(module, what)()
        else:
            nnx.update(module, what)
    return module


def like(module: Any, seed: int, number: int) -> Any:
    """A new module in the mode of this one; called once, if that makes all the state that this one has."""
    fresh = make(seed)
    for mode in [what for what in done if isinstance(what, str)][-1:]:
        getattr(fresh, mode)()
    if {lacks}:
        call(fresh, *given(number))
    return fresh


def stacked(several: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *several)


def unstacked(value: Any, at: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[at], value)


{restarts}{made}kept: list[Any] = []  # what was left behind, what it held, its twin, and what that had done
module, twin = make({seed}), make({seed})
{steps}
print("{law} holds")
'''
