"""Values as Python expressions: the arguments of a constructor or call, for any seed.

An array becomes a seeded draw of its shape, dtype and range, or its values if these matter. We refuse a value that no
expression can make again, with its type, and guess nothing.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import math
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.adopt.arrays import NotWritable, of_shape, of_values
from nnx_conformance.adopt.names import importable
from nnx_conformance.adopt.records import Expression, RecordedArguments, quoted
from nnx_conformance.observe.flax_versions import NODE, contents, is_key, is_tracer

#: The most parts and levels of one value; nobody would write a larger argument.
PARTS, DEPTH = 200, 8
#: Modules whose functions only return closures, so that calling them again is safe.
MAKERS = ("jax._src.nn.initializers", "jax.nn.initializers", "flax.nnx.nn.initializers")
PLAIN = (bool, int, str, bytes, type(None), type(Ellipsis))


#: From a module to the expression that constructs it; raises `NotWritable` if that is not known.
OfModule = Callable[[Any], Expression]


def refuse_modules(module: Any) -> Expression:
    """The `of_module` of arguments that may include no module."""
    raise NotWritable(f"a {_type(module)}, whose construction was not recorded")


@dataclasses.dataclass
class Writer:
    """Writes the values of one call's arguments.

    Attributes:
        of_module: writes the modules among them.
        making: whether the call is a constructor's: then random streams and keys come from its `rngs`.
    """

    of_module: OfModule = refuse_modules
    making: bool = False
    parts: int = 0

    def arguments(self, names: list[str], positional: tuple[Any, ...], named: dict[str, Any]) -> RecordedArguments:
        """The expressions of a function's arguments; `names` are its parameters.

        Raises:
            NotWritable: if we cannot write one; the message names it.
        """
        extra = [f"argument {number + 1}" for number in range(len(names), len(positional))]
        pairs = zip(positional, [*names, *extra], strict=False)
        written = tuple(self._argument(value, name) for value, name in pairs)
        return RecordedArguments(written, tuple((name, self._argument(value, name)) for name, value in named.items()))

    def _argument(self, value: Any, name: str) -> Expression:
        try:
            return self.write(value, name)
        except NotWritable as error:
            raise NotWritable(f"argument `{name}` is {error}") from error

    def write(self, value: Any, name: str = "", depth: int = 0) -> Expression:
        """The expression of a value.

        Args:
            value: the value.
            name: the argument's, which distinguishes an old-style key from other pairs of numbers.
            depth: its depth in the argument.

        Raises:
            NotWritable: if there is none.
        """
        self.parts += 1
        if self.parts > PARTS or depth > DEPTH:
            raise NotWritable(f"a {_type(value)} with more than {PARTS} parts")
        if isinstance(value, PLAIN) and type(value) in PLAIN:
            return _plain(value)
        if isinstance(value, (nnx.Rngs, nnx.RngStream)):
            return self._rngs(value)
        if isinstance(value, (jax.Array, np.ndarray, np.generic)) or is_tracer(value):
            return self._array(value, name)
        if isinstance(value, nnx.Variable):
            return self._variable(value, depth)
        if isinstance(value, NODE):
            return self.of_module(value)
        for kind, write in self._kinds().items():
            if isinstance(value, kind):
                return write(value, depth)
        return self._other(value, depth)

    def _kinds(self) -> dict[Any, Callable[[Any, int], Expression]]:
        return {
            (float, complex): lambda value, _: _number(value),
            enum.Enum: lambda value, _: _enum(value),
            np.dtype: lambda value, _: Expression(
                f"np.dtype({quoted(value.name)})", frozenset({"numpy"}), shape=value.name, flags=value.name
            ),
            (tuple, list, set, frozenset): self._sequence,
            Mapping: self._mapping,
            jax.ShapeDtypeStruct: lambda value, depth: self._called(
                "jax.ShapeDtypeStruct", (value.shape, np.dtype(value.dtype)), {}, depth, "jax"
            ),
            slice: lambda value, depth: self._called("slice", (value.start, value.stop, value.step), {}, depth),
            functools.partial: lambda value, depth: self._called(
                "functools.partial", (value.func, *value.args), value.keywords, depth, "functools"
            ),
            types.SimpleNamespace: lambda value, depth: self._called(
                "types.SimpleNamespace", (), vars(value), depth, "types"
            ),
        }

    def _rngs(self, value: Any) -> Expression:
        # By the names of its streams only: under a transform its keys are tracers.
        if isinstance(value, nnx.RngStream):
            tag = value.tag if isinstance(getattr(value, "tag", None), str) else "default"
            text = f"rngs[{quoted(tag)}]" if self.making else f"nnx.Rngs(0)[{quoted(tag)}]"
            return Expression(text, frozenset({"flax.nnx"}), shape="stream")
        if self.making:
            return Expression("rngs", shape="rngs")
        streams = sorted(name for name in vars(value) if isinstance(getattr(value, name), nnx.RngStream))
        seeds = ", ".join(f"{name}={seed}" for seed, name in enumerate(streams))
        seeds = "0" if streams in ([], ["default"]) else seeds
        return Expression(f"nnx.Rngs({seeds})", frozenset({"flax.nnx"}), shape=f"rngs {seeds}")

    def _array(self, value: Any, name: str) -> Expression:
        if is_key(value) or (is_tracer(value) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)):
            return self._key(value)
        shape = f"{np.dtype(value.dtype).name}{list(value.shape)}"
        if self.making and shape == "uint32[2]" and any(word in name.lower() for word in ("key", "rng")):
            return Expression("jax.random.key_data(rngs.params())", frozenset({"jax"}), shape=shape)
        if is_tracer(value):
            return of_shape(value, shape)
        return of_values(np.asarray(value), shape)

    def _key(self, value: Any) -> Expression:
        shape = f"key{list(value.shape)}"
        key = "rngs.params()" if self.making else "jax.random.key(0)"
        if not value.shape:
            return Expression(key, frozenset({"jax"}), shape=shape)
        return Expression(f"jax.random.split({key}, {value.shape!r})", frozenset({"jax"}), shape=shape)

    def _variable(self, value: Any, depth: int) -> Expression:
        kind = self.write(type(value), depth=depth + 1)
        inner = self.write(contents(value), depth=depth + 1)
        return _joined(f"{kind.text}({inner.text})", kind, inner)

    def _sequence(self, value: Any, depth: int) -> Expression:
        parts = [self.write(part, depth=depth + 1) for part in value]
        text = ", ".join(part.text for part in parts)
        if hasattr(value, "_fields"):
            return _joined(f"{(kind := self.write(type(value), depth=depth + 1)).text}({text})", kind, *parts)
        if type(value) is list:
            return _joined(f"[{text}]", *parts)
        if type(value) is tuple:
            return _joined(f"({text},)" if len(parts) == 1 else f"({text})", *parts)
        if type(value) in (set, frozenset):
            return _joined(f"{type(value).__name__}([{text}])", *parts)
        raise NotWritable(f"a {_type(value)}")

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Expression:
        if type(value) not in (dict, types.MappingProxyType):
            raise NotWritable(f"a {_type(value)}")
        pairs = [(self.write(key, depth=depth + 1), self.write(part, depth=depth + 1)) for key, part in value.items()]
        text = ", ".join(f"{key.text}: {part.text}" for key, part in pairs)
        return _joined(f"{{{text}}}", *(each for pair in pairs for each in pair))

    def _called(
        self, function: str, arguments: tuple[Any, ...], named: Mapping[str, Any], depth: int, module: str = ""
    ) -> Expression:
        parts = [self.write(part, depth=depth + 1) for part in arguments]
        words = {key: self.write(part, depth=depth + 1) for key, part in named.items()}
        text = ", ".join([*(part.text for part in parts), *(f"{key}={part.text}" for key, part in words.items())])
        base = Expression(function, frozenset({module} if module else ()))
        return _joined(f"{function}({text})", base, *parts, *words.values())

    def _other(self, value: Any, depth: int) -> Expression:
        if name := importable(value):
            return name
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value, depth)
        if isinstance(value, types.FunctionType) and (call := self._maker_call(value, depth)):
            return call
        raise NotWritable(_about(value))

    def _dataclass(self, value: Any, depth: int) -> Expression:
        kind = self.write(type(value), depth=depth + 1)
        if hidden := [field.name for field in dataclasses.fields(value) if not field.init]:
            raise NotWritable(f"a {_type(value)}, whose {hidden[0]!r} is no argument")
        fields = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if not _is_default(field, getattr(value, field.name))
        }
        called = self._called(kind.text, (), fields, depth)
        return _joined(called.text, kind, called)

    def _maker_call(self, function: types.FunctionType, depth: int) -> Expression | None:
        """For the closure of an initializer, the call of its maker with the arguments that the closure holds."""
        outer, inner, _ = function.__qualname__.partition(".<locals>.")
        if not inner or function.__module__ not in MAKERS:
            return None
        maker = importable(getattr(sys.modules.get(function.__module__), outer, None))
        if maker is None:
            return None
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        parameters = inspect.signature(getattr(sys.modules[function.__module__], outer)).parameters
        arguments = {name: cells[name].cell_contents for name in parameters if name in cells}
        missing = [name for name, each in parameters.items() if name not in arguments and each.default is each.empty]
        if missing or not arguments:
            return None
        called = self._called(maker.text, (), arguments, depth)
        return dataclasses.replace(_joined(called.text, maker, called), flags=called.text)


def _plain(value: Any) -> Expression:
    flag = "" if isinstance(value, int) and not isinstance(value, bool) else repr(value)
    return Expression(quoted(value), shape=repr(value) if flag else "int", flags=flag)


def _number(value: Any) -> Expression:
    if type(value) not in (float, complex):
        raise NotWritable(f"a {_type(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        return Expression(f'float("{value}")', shape="float")
    return Expression(repr(value), shape=type(value).__name__)


def _enum(value: enum.Enum) -> Expression:
    kind = importable(type(value))
    if kind is None:
        raise NotWritable(_about(type(value)))
    text = f"{kind.text}.{value.name}"
    return Expression(text, kind.modules, shape=text, flags=text)


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    default = field.default
    if default is dataclasses.MISSING:
        return False
    plain = type(value) is type(default) and isinstance(value, (*PLAIN, float))
    return value is default or (plain and bool(value == default))


def _joined(text: str, *parts: Expression) -> Expression:
    return Expression(
        text,
        frozenset().union(*(part.modules for part in parts)),
        tuple(array for part in parts for array in part.arrays),
        repr([part.shape for part in parts]),
        repr([part.flags for part in parts if part.flags]),
        any(part.traced for part in parts),
    )


def _type(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _about(value: Any) -> str:
    if isinstance(value, types.FunctionType):
        kind = "a lambda" if value.__name__ == "<lambda>" else f"the function {value.__qualname__!r}"
        return f"{kind}, which no import finds"
    if isinstance(value, types.MethodType):
        return f"the bound method {value.__qualname__!r}"
    if isinstance(value, type):
        return f"the class {value.__qualname__!r}, which no import finds"
    return f"a {_type(value)}"
