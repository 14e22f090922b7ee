"""Spies on PyTorch: parameters, buffers and other tensors of a module, around each of its calls.

Imported everywhere and importing nothing of it: `spying` is used where a candidate has imported PyTorch.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nnx_conformance.classes import AfterCall
from nnx_conformance.observation import Call, Slot, Snapshot
from nnx_conformance.patches import Patches
from nnx_conformance.record import Record
from nnx_conformance.tensors import as_numpy, is_tensor

BUFFER, PARAMETER, TENSOR = "torch buffer", "torch.nn.Parameter", "torch.Tensor"


@contextmanager
def spying(record: Record, after_call: AfterCall | None) -> Iterator[None]:
    """Write down in `record` what modules of PyTorch do until the block ends."""
    module = sys.modules["torch"].nn.Module
    with Patches() as patches:
        patches.replace(module, "__init__", _init(record, module.__init__))
        patches.replace(module, "__call__", _call(record, module.__call__, after_call))
        yield


def _init(record: Record, original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _position(record, self, created=True, start=None)  # its state comes only now

    return __init__


def _position(record: Record, module: Any, *, created: bool, start: Snapshot | None) -> int:
    take = functools.partial(snapshot, record, module)
    line = record.source.caller()
    key = _Same(module)
    return record.foreign(key, "torch", constructed=created, created=created, line=line, start=start, take=take)


class _Same:
    """A module by its identity, kept alive so that no other gets it."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.__name__ = type(module).__qualname__.split("<locals>.")[-1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.module is self.module

    def __hash__(self) -> int:
        return id(self.module)


def _call(record: Record, original: Any, after_call: AfterCall | None) -> Any:
    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if record.calling:
            return original(self, *args, **kwargs)
        line, before = record.source.caller(), snapshot(record, self)
        position = _position(record, self, created=False, start=before)
        record.calling += 1
        after, returned = None, None
        try:
            output = original(self, *args, **kwargs)
            after, returned = snapshot(record, self), record.thing(output)
        finally:
            record.calling -= 1
            record.calls.append(Call(position, line, False, False, before, after, returned))
        return after_call(self, len(record.calls), output) if after_call else output

    return __call__


def snapshot(record: Record, module: Any) -> Snapshot:
    """The state of a module now."""
    found = list(_tensors(module))
    return record.layouts.put(tuple(slot for slot, _ in found), [as_numpy(tensor) for _, tensor in found])


def _tensors(module: Any) -> Iterator[tuple[Slot, Any]]:
    for prefix, part in module.named_modules():
        path = f"{prefix}." if prefix else ""
        for name, tensor in part._parameters.items():
            if tensor is not None:
                yield _slot(path + name, PARAMETER, tensor, variable=True, param=True), tensor
        for name, tensor in part._buffers.items():
            if tensor is not None:
                saved = name not in part._non_persistent_buffers_set
                yield _slot(path + name, BUFFER, tensor, variable=True, saved=saved), tensor
        for name, value in vars(part).items():
            if is_tensor(value):
                yield _slot(path + name, TENSOR, value), value


def _slot(
    path: str, kind: str, tensor: Any, *, variable: bool = False, param: bool = False, saved: bool = True
) -> Slot:
    history = tensor.grad_fn is not None or (tensor.requires_grad and not param)
    return Slot(path, kind, variable, param, False, history, saved and variable)


def buffers(module: Any) -> list[Any]:
    """The buffers of a module, or where there is none its parameters."""
    return list(module.buffers()) or list(module.parameters())


def shift(tensor: Any, amount: int) -> bool:
    """Add to a tensor in place, outside of autograd; whether it could be done."""
    if not tensor.is_floating_point():
        return False
    tensor.detach().add_(amount)
    return True
