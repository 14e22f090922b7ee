"""A case: one drawn input, as plain data that can be stored, sent and shown."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nnx_conformance.core.wire import DTYPES, dtype

Holder = Literal["python", "numpy", "jax"]

#: Longer arrays are shown by their ends.
SHOWN_ELEMENTS = 12


@dataclass(frozen=True, eq=False)
class Argument:
    """One argument of the candidate: its NumPy data, and the type that the candidate gets.

    Attributes:
        name: the parameter.
        holder: `python` for a built-in number, `numpy` for a NumPy scalar or array, `jax` for a `jax.Array`.
        data: the value; shape `[]` for numbers.
    """

    name: str
    holder: Holder
    data: np.ndarray

    def __str__(self) -> str:
        return f"{self.name}={self.text}"

    @property
    def text(self) -> str:
        """The value as a person would write it: `2.0`, `[0. 1.]`, `np.int32(3)`."""
        if self.data.ndim:
            return array_text(self.data)
        if self.holder == "python":
            return repr(self.data.item())
        module = "np" if self.holder == "numpy" else "jnp"
        return f"{module}.{self.data.dtype.name}({self.data.item()!r})"


@dataclass(frozen=True, eq=False)
class Case:
    """One input of a contract.

    Attributes:
        domain: the part of the contract's inputs that it was drawn from, `core` or the id of an edge check.
        arguments: in the order in which the candidate takes them.
        written: the case as a person would write it; empty if that is its arguments.
    """

    domain: str
    arguments: tuple[Argument, ...]
    written: str = ""

    def __getitem__(self, name: str) -> np.ndarray:
        for argument in self.arguments:
            if argument.name == name:
                return argument.data
        raise KeyError(name)

    def __str__(self) -> str:
        return self.written or "  ".join(map(str, self.arguments))

    @property
    def key(self) -> str:
        """Equal for equal cases, to the last bit."""
        content = hashlib.sha256(self.domain.encode())
        for argument in self.arguments:
            content.update(f"{argument.name} {argument.holder} {argument.data.dtype} {argument.data.shape}".encode())
            content.update(argument.data.tobytes())
        return content.hexdigest()


def python(name: str, value: bool | int | float) -> Argument:
    """An argument passed as a built-in number."""
    return Argument(name, "python", np.asarray(value))


def number(name: str, value: Any) -> Argument:
    """The argument itself, or a number as a built-in number."""
    return value if isinstance(value, Argument) else python(name, value)


def numpy(name: str, value: Any) -> Argument:
    """An argument passed as a NumPy scalar or array."""
    return Argument(name, "numpy", np.asarray(value))


def jax(name: str, value: Any) -> Argument:
    """An argument passed as a `jax.Array`; the judge keeps it in NumPy."""
    return Argument(name, "jax", np.asarray(value))


def array_text(data: np.ndarray) -> str:
    """An array in one line, `[0. 1.5]`: of a long one only the ends, and the dtype unless it is float32."""
    ends = 3 if data.ndim < 2 else 1  # the elements that NumPy shows at each end of each side
    with np.printoptions(threshold=SHOWN_ELEMENTS, edgeitems=ends, linewidth=10**6, floatmode="unique"):
        text = np.array2string(_printable(data), separator=", ")
    text = text.replace("\n", "")  # in one line, whatever its shape
    length = f" ({' x '.join(map(str, data.shape))} elements)" if data.size > SHOWN_ELEMENTS else ""
    kind = "" if data.dtype == np.float32 else f" {data.dtype.name}"
    return text + kind + length


def _printable(data: np.ndarray) -> np.ndarray:
    # NumPy prints bfloat16 as objects; every value of it is a float32.
    return data.astype(np.float32) if data.dtype.kind == "V" or data.dtype.name == "bfloat16" else data


def case_data(case: Case | None) -> dict[str, Any] | None:
    """A case as JSON data."""
    if case is None:
        return None
    return {"domain": case.domain, "text": str(case), "arguments": list(map(_argument_data, case.arguments))}


def _argument_data(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "holder": argument.holder,
        "dtype": argument.data.dtype.name,
        "shape": list(argument.data.shape),
        "text": argument.text,
        "base64": base64.b64encode(np.ascontiguousarray(argument.data).tobytes()).decode(),
    }


def case_from(data: Any) -> Case:
    """A case from its JSON data.

    Raises:
        ValueError, KeyError, TypeError: if the data are no case.
    """
    case = Case(str(data["domain"]), tuple(map(_argument_from, data["arguments"])))
    return case if str(case) == data["text"] else dataclasses.replace(case, written=str(data["text"]))


def _argument_from(data: Any) -> Argument:
    if data["dtype"] not in DTYPES or data["holder"] not in ("python", "numpy", "jax"):
        raise ValueError(f"no argument: {data['name']}")
    content = np.frombuffer(base64.b64decode(data["base64"], validate=True), dtype(data["dtype"]))
    return Argument(str(data["name"]), data["holder"], content.reshape(data["shape"]))
