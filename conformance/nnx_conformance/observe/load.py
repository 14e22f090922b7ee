"""Loading a candidate: import its file or module, find the function, and check its signature."""

from __future__ import annotations

import contextlib
import difflib
import functools
import gc
import importlib
import importlib.util
import inspect
import linecache
import os
import sys
import types
from collections.abc import Callable, Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import Any

from flax import nnx

from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.loaded import Loaded, NotLoaded, missing
from nnx_conformance.core.candidate.notebook import NotANotebook, Notebook, is_notebook
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.errors import suggestion
from nnx_conformance.observe.conditions.watching import has_conditions
from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.run import LoadedCandidate
from nnx_conformance.observe.source import Source, of_file, of_module, of_object
from nnx_conformance.observe.spies.classes import Classes
from nnx_conformance.observe.spies.spying import spying

#: Why a function of another signature is no candidate.
PARAMETERS = "its parameters do not match the arguments"


class Refused(Exception):
    """The target names no candidate; `cause` says why in one line, unless the message does."""

    def __init__(self, reason: str, cause: str = "") -> None:
        super().__init__(reason)
        self.cause = cause


def load(target: Target, entry: str, parameters: tuple[str, ...]) -> tuple[LoadedCandidate, Loaded] | NotLoaded:
    """Import a target and find its candidate.

    Args:
        target: as the user named it.
        entry: the function to load if the target names none.
        parameters: the arguments that the contract passes, by position.
    """
    source = of_file(target) if target.path else None
    log, classes = RunLog(source or Source("<none>")), Classes()
    try:
        with spying(log, classes):
            module = import_file(target.path) if target.path else import_module(target.module)
        source = source or of_module(module, target)
        function = _find(module, target, entry, parameters)
    except Refused as error:
        return NotLoaded(True, str(error), error.cause)
    except BaseException as error:  # noqa: BLE001 - the module's own code may raise anything, SystemExit too
        raised = (source or module_source(target.module)).raised(error)
        reason = f"importing it raised {raised.type}: {raised.message}"
        cause = missing(raised) or "the file fails before the function can be called"
        return NotLoaded(False, reason, cause, raised)
    candidate = from_function(function, target.text, source, classes)
    candidate.anew = functools.partial(_anew, target, entry, source)
    if problem := arity_problem(function, parameters):
        return NotLoaded(False, problem, PARAMETERS)
    warned = tuple(log.warnings.values())
    return candidate, Loaded(function_name(function), source.file, "", warned, has_conditions(source))


def adopt(
    function: Callable[..., Any], name: str, parameters: tuple[str, ...], packages: tuple[str, ...] = ()
) -> tuple[LoadedCandidate, Loaded] | NotLoaded:
    """Load a Python object as a candidate.

    Args:
        function: the implementation.
        name: its name in reports.
        parameters: the arguments that the contract passes, by position.
        packages: the import names of further packages of its author.
    """
    candidate = from_function(function, name, of_object(source_file(function), packages))
    if problem := arity_problem(function, parameters):
        return NotLoaded(False, problem, PARAMETERS)
    conditions = has_conditions(candidate.source)
    return candidate, Loaded(function_name(function), candidate.source.file, "", (), conditions)


def from_function(
    function: Callable[..., Any], name: str, source: Source | None = None, classes: Classes | None = None
) -> LoadedCandidate:
    """A candidate from a Python object. It remembers the modules that exist already: its runs did not make them."""
    classes = classes or Classes()
    kinds = frozenset(_subclasses(nnx.Module))
    for instance in gc.get_objects():
        if type(instance) in kinds:
            classes.learn(instance)
    for cls in kinds:
        if not cls.__module__.startswith("flax."):  # Flax's own classes are learnt when the candidate uses them
            classes.learn_class(cls)
    return LoadedCandidate(name, function, source or Source(source_file(function)), classes)


@contextlib.contextmanager
def _anew(target: Target, entry: str, source: Source) -> Iterator[tuple[Callable[..., Any], Classes]]:
    """Import the candidate once more for the block, and yield its function and the classes that it uses."""
    modules, path = dict(sys.modules), list(sys.path)
    for name in [name for name, module in modules.items() if source.owns(getattr(module, "__file__", None) or "")]:
        del sys.modules[name]
    classes = Classes()
    try:
        with spying(RunLog(source), classes):
            module = import_file(target.path) if target.path else import_module(target.module)
        for cls in _subclasses(nnx.Module):
            if not cls.__module__.startswith("flax."):
                classes.learn_class(cls)
        yield _find(module, target, entry, ()), classes
    finally:
        for name in sys.modules.keys() - modules.keys():
            if source.owns(getattr(sys.modules[name], "__file__", None) or ""):
                del sys.modules[name]
        sys.modules.update(modules)
        sys.path[:] = path


def _subclasses(cls: type) -> Iterator[type]:
    below: type
    for below in cls.__subclasses__():
        yield below
        yield from _subclasses(below)


def function_name(function: Any) -> str:
    """The name of a candidate in messages."""
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def source_file(function: Any) -> str:
    """The file that defines a callable, or a name in angle brackets."""
    with contextlib.suppress(TypeError, AttributeError):
        return str(inspect.unwrap(getattr(function, "func", function)).__code__.co_filename)
    with contextlib.suppress(TypeError, OSError):
        return inspect.getfile(function if inspect.isclass(function) else type(function))
    return "<unknown>"


def arity_problem(function: Callable[..., Any], parameters: tuple[str, ...]) -> str:
    """Why a function cannot take the contract's arguments; empty if it can."""
    try:
        signature = inspect.signature(function)
    except Exception:  # noqa: BLE001 - some callables have no signature, or run code for it; then the first call fails
        return ""
    try:
        signature.bind(*parameters)
    except TypeError as error:
        names = ", ".join(parameters)
        return f"it cannot be called as {function_name(function)}({names}): {error}; its signature is {signature}"
    return ""


def import_file(path: str) -> types.ModuleType:
    """Import a file or notebook, which can import helpers from its own folder.

    Raises:
        Refused: if it is neither.
    """
    folder, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, folder)  # as `python path.py` does
    name = stem if stem.isidentifier() and stem not in sys.modules else f"nnx_conformance_candidate_{stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_cells(path) if is_notebook(path) else None)
    if spec is None or spec.loader is None:
        raise Refused(f"{path} cannot be imported as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look the module up
    spec.loader.exec_module(module)
    return module


class Cells(Loader):
    """Loads a module from the code cells of a notebook."""

    def __init__(self, path: str, cells: Notebook) -> None:
        self._path, self._notebook = path, cells

    def create_module(self, spec: ModuleSpec) -> None:
        """None, for Python's usual module."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the cells in the module, and let tracebacks and findings read their lines."""
        source = self._notebook.source
        linecache.cache[self._path] = (len(source), None, source.splitlines(keepends=True), self._path)
        notebook.run_cells(self._notebook.cells, self._path, vars(module))


def _cells(path: str) -> Cells:
    try:
        return Cells(path, notebook.read(path))
    except NotANotebook as error:
        reason = f"Expected a Jupyter notebook but {os.path.basename(path)} is none: {error}"
        raise Refused(reason, "the file is no notebook") from error


def import_module(name: str) -> types.ModuleType:
    """Import a module by its dotted name, from the current folder, too.

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
    """How to judge the stateful module in a file without a function; empty if it holds none."""
    layers = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, nnx.Module)]
    own = [name for name in layers if getattr(module, name).__module__ == module.__name__]
    if target.name or functions(module) or not (own or hasattr(module, "subject")):
        return ""
    name = "subject" if hasattr(module, "subject") else own[0]
    return f"For the laws of a stateful module: `nnx-conformance check {target.text}::{name} --contract module-laws`."


def _find(module: types.ModuleType, target: Target, entry: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
    name = target.name or entry
    if not hasattr(module, name):
        raise Refused(_absent(module, target, entry, parameters))
    function = getattr(module, name)
    if not callable(function):
        raise Refused(f"{name!r} in {target.text} is not callable (type={type(function).__name__}). Name a function.")
    return function  # type: ignore[no-any-return]


def _absent(module: types.ModuleType, target: Target, entry: str, parameters: tuple[str, ...]) -> str:
    """Why there is no candidate, and what the user probably meant: we never judge another function silently."""
    public = sorted(functions(module))
    if target.name:
        return f"{target.text} holds no function {target.name!r}. {suggestion(target.name, public)}"
    matching = [name for name in public if _parameters(getattr(module, name)) == parameters]
    near = difflib.get_close_matches(entry, public, n=1, cutoff=0.6) or matching or public
    if len(near) > 1:
        fix = f"Name one: `{target.text}::{near[0]}`, or call it {entry!r}."
        return f"{target.text} holds several functions ({', '.join(near)}) and none called {entry!r}. {fix}"
    fix = _for_the_laws(module, target) or suggestion(entry, public)
    if near:
        fix = f"Did you mean {near[0]!r}? Call it {entry!r}, or name it: `{target.text}::{near[0]}`."
    return f"{target.text} holds no function {entry!r}. {fix}"


def _parameters(function: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except Exception:  # noqa: BLE001 - some callables have no signature, or run code for it
        return ()


def functions(module: types.ModuleType) -> dict[str, Any]:
    """The public functions that a module defines itself, by name."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return {
        name: value
        for name, value in own.items()
        if callable(value) and not inspect.isclass(value) and getattr(value, "__module__", None) == module.__name__
    }
