"""Spies on PyTorch: parameters, buffers and other tensors of a module, before and after each of its calls.

This imports no PyTorch: `spying` runs only if the candidate has imported it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nnx_conformance.core.facts import Call, Slot, Snapshot
from nnx_conformance.core.plan import own_amount, own_amounts
from nnx_conformance.observe.frameworks.tensors import as_numpy, is_tensor
from nnx_conformance.observe.graph import Same
from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.spies.classes import AfterCall, Classes
from nnx_conformance.observe.spies.patches import Patches

#: The attribute that marks a watched method.
WATCHED = "_nnx_conformance"
BUFFER, PARAMETER, TENSOR = "torch buffer", "torch.nn.Parameter", "torch.Tensor"


@contextmanager
def spying(log: RunLog, after_call: AfterCall | None, classes: Classes) -> Iterator[None]:
    """Record in `log` what modules of PyTorch do in the block."""
    module = sys.modules["torch"].nn.Module
    with Patches() as patches:
        watch = functools.partial(_watch_methods, log, patches, classes, after_call)
        patches.replace(module, "__init__", _init(log, module.__init__, watch))
        patches.replace(module, "__call__", _call(log, module.__call__, after_call))
        yield


def _watch_methods(log: RunLog, patches: Patches, classes: Classes, after_call: AfterCall | None, module: type) -> None:
    """Count how often methods of the candidate change a module; record those in `classes.called` as its calls."""
    for cls in module.__mro__:
        for name, method in list(vars(cls).items()):
            code = getattr(inspect.unwrap(method), "__code__", None) if callable(method) else None
            own = code is not None and log.source.owns(code.co_filename)
            if not own or name.startswith("_") or name == "forward" or hasattr(method, WATCHED):
                continue
            qualified_name = f"{cls.__qualname__}.{name}"
            called = qualified_name in classes.called
            watched = _call(log, method, after_call) if called else _counted(log, method, classes, qualified_name)
            setattr(watched, WATCHED, True)
            patches.replace(cls, name, watched)


def _counted(log: RunLog, original: Any, classes: Classes, qualified_name: str) -> Any:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if log.depth.calling:
            return original(self, *args, **kwargs)
        before = snapshot(log, self)
        output = original(self, *args, **kwargs)
        classes.methods[qualified_name] += snapshot(log, self) != before
        return output

    return method


def _init(log: RunLog, original: Any, watch: Callable[[type], None]) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        watch(type(self))
        _position(log, self, created=True, start=None)  # a subclass adds its state after this

    return __init__


def _position(log: RunLog, module: Any, *, created: bool, start: Snapshot | None) -> int:
    take = functools.partial(snapshot, log, module)
    name = type(module).__qualname__.split("<locals>.")[-1]
    return log.foreign(Same(module), name, "torch", constructed=created, created=created, start=start, take=take)


def _call(log: RunLog, original: Any, after_call: AfterCall | None) -> Any:
    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        if log.depth.calling:
            return original(self, *args, **kwargs)
        line, before = log.source.caller(), snapshot(log, self)
        position = _position(log, self, created=False, start=before)
        log.depth.calling += 1
        after, returned = None, None
        try:
            output = original(self, *args, **kwargs)
            after, returned = snapshot(log, self), log.value(output)
        finally:
            log.depth.calling -= 1
            log.calls.append(Call(position, line, False, False, before, after, returned))
        return after_call(self, len(log.calls), output) if after_call else output

    return __call__


def snapshot(log: RunLog, module: Any) -> Snapshot:
    """The state of a module now."""
    slots = list(_tensors(module))
    return log.layouts.put(tuple(slot for slot, _ in slots), [as_numpy(tensor) for _, tensor in slots])


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
    """The buffers of a module, or its parameters if it has none."""
    return list(module.buffers()) or list(module.parameters())


def shift(tensor: Any, singles: Iterator[int]) -> bool:
    """Add an amount of its own to each number of a tensor, in place and outside of autograd.

    Args:
        singles: numbers the tensors of a single number, whose amount depends on it.

    Returns:
        whether the tensor's dtype is floating; others stay as they are.
    """
    if not tensor.is_floating_point():
        return False
    amounts = own_amounts(tensor.numel()) if tensor.numel() != 1 else [own_amount(next(singles))]
    tensor.detach().add_(tensor.new_tensor(amounts).reshape(tensor.shape))
    return True
