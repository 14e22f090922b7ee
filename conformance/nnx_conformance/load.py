"""Loading a candidate: importing its file or module, finding the function, and checking that it can be called."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import inspect
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from flax import nnx

from nnx_conformance.classes import Classes
from nnx_conformance.errors import suggestion
from nnx_conformance.loaded import Loaded, NotLoaded
from nnx_conformance.missing import missing
from nnx_conformance.observe import Candidate
from nnx_conformance.record import Record
from nnx_conformance.source import Source
from nnx_conformance.spies import spying
from nnx_conformance.target import Target

#: Why a function of another signature is no candidate.
PARAMETERS = "its parameters are not those that are passed"


class Refused(Exception):
    """The target does not lead to a candidate."""


def load(target: Target, entry: str, parameters: tuple[str, ...]) -> tuple[Candidate, Loaded] | NotLoaded:
    """Import a target and find its candidate.

    Args:
        target: what the user named.
        entry: the name that the contract gives to its function, looked for where the target names none.
        parameters: the arguments that the contract passes, by position.
    """
    source = Source(target.path) if target.path else None
    record, classes = Record(source or Source("<none>")), Classes()
    try:
        with spying(record, classes):
            module = import_file(target.path) if target.path else import_module(target.module)
        source = source or Source(getattr(module, "__file__", None) or "<module>")
        function = _find(module, target, entry)
    except Refused as error:
        return NotLoaded(True, str(error))
    except BaseException as error:  # noqa: BLE001 - the module's own code may raise anything, SystemExit too
        raised = (source or module_source(target.module)).raised(error)
        reason = f"importing it raised {raised.type}: {raised.message}"
        cause = missing(raised) or "the file fails before the function can be called"
        return NotLoaded(False, reason, cause, raised)
    candidate = from_function(function, target.text, source, classes)
    if problem := arity_problem(function, parameters):
        return NotLoaded(False, problem, PARAMETERS)
    return candidate, Loaded(function_name(function), source.file, "", tuple(record.warnings.values()))


def from_function(
    function: Callable[..., Any], name: str, source: Source | None = None, classes: Classes | None = None
) -> Candidate:
    """A candidate from a Python object; modules that exist already are remembered as not made by its runs."""
    classes = classes or Classes()
    kinds = frozenset(_subclasses(nnx.Module))
    for instance in gc.get_objects():
        if type(instance) in kinds:
            classes.learn(instance)
    for cls in kinds:
        if not cls.__module__.startswith("flax."):  # those of Flax itself are learnt when they are used
            classes.learn_class(cls)
    return Candidate(name, function, source or Source(source_file(function)), classes)


def _subclasses(cls: type) -> Iterator[type]:
    below: type
    for below in cls.__subclasses__():
        yield below
        yield from _subclasses(below)


def function_name(function: Any) -> str:
    """What to call a candidate in messages."""
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def source_file(function: Any) -> str:
    """The file in which a callable was written, or a name in angle brackets."""
    with contextlib.suppress(TypeError, AttributeError):
        return str(inspect.unwrap(getattr(function, "func", function)).__code__.co_filename)
    with contextlib.suppress(TypeError, OSError):
        return inspect.getfile(function if inspect.isclass(function) else type(function))
    return "<unknown>"


def arity_problem(function: Callable[..., Any], parameters: tuple[str, ...]) -> str:
    """Why a function cannot take the contract's arguments; empty if it can."""
    try:
        signature = inspect.signature(function)
    except Exception:  # noqa: BLE001 - some callables tell no signature, or run code to; then the first call shows it
        return ""
    try:
        signature.bind(*parameters)
    except TypeError as error:
        wanted = ", ".join(parameters)
        return f"it cannot be called as {function_name(function)}({wanted}): {error}; its signature is {signature}"
    return ""


def import_file(path: str) -> types.ModuleType:
    """The module that a file is; helpers beside it can be imported.

    Raises:
        Refused: if it is no Python file.
    """
    folder, stem = os.path.dirname(path), os.path.basename(path).removesuffix(".py")
    sys.path.insert(0, folder)  # helpers are imported from the candidate's own folder, as `python path.py` would
    name = stem if stem.isidentifier() and stem not in sys.modules else f"nnx_conformance_candidate_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Refused(f"{path} cannot be imported as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look the module up
    spec.loader.exec_module(module)
    return module


def import_module(name: str) -> types.ModuleType:
    """A module by its dotted name, from the current folder too.

    Raises:
        Refused: if there is none.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise Refused(f"No module named {error.name!r} can be imported from here.") from error
        raise


def module_source(name: str) -> Source:
    """The source of a module that may fail to import."""
    with contextlib.suppress(Exception):
        if (spec := importlib.util.find_spec(name)) and spec.origin:
            return Source(spec.origin)
    return Source("<module>")


def _for_the_laws(module: types.ModuleType, target: Target) -> str:
    """How to judge a stateful module that a file holds instead of a function; empty if it holds none."""
    layers = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, nnx.Module)]
    own = [name for name in layers if getattr(module, name).__module__ == module.__name__]
    if target.name or functions(module) or not (own or hasattr(module, "subject")):
        return ""
    name = "subject" if hasattr(module, "subject") else own[0]
    return f"For the laws of a stateful module: `nnx-conformance check {target.text}::{name} --contract module-laws`."


def _find(module: types.ModuleType, target: Target, entry: str) -> Callable[..., Any]:
    public = functions(module)
    name = target.name or entry
    if not target.name and not hasattr(module, entry):
        if len(public) > 1:
            listed = ", ".join(sorted(public))
            mend = f"Name one: `{target.text}::{sorted(public)[0]}`, or call it {entry!r}."
            raise Refused(f"{target.text} holds several functions ({listed}) and none called {entry!r}. {mend}")
        name = next(iter(public), entry)
    if not hasattr(module, name):
        mend = _for_the_laws(module, target) or suggestion(name, public)
        raise Refused(f"{target.text} holds no function {name!r}. {mend}")
    found = getattr(module, name)
    if not callable(found):
        raise Refused(f"{name!r} in {target.text} is not callable (type={type(found).__name__}). Name a function.")
    return found  # type: ignore[no-any-return]


def functions(module: types.ModuleType) -> dict[str, Any]:
    """The public functions that a module defines itself."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return {
        name: value
        for name, value in own.items()
        if callable(value) and not inspect.isclass(value) and getattr(value, "__module__", None) == module.__name__
    }
