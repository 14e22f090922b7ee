"""The spy on `jax.export`. Exported code can hold no callback, so reporting runs call the original function instead."""

from __future__ import annotations

import functools
from typing import Any

import jax.export

from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.spies.classes import Classes
from nnx_conformance.observe.spies.patches import Patches


def watch_exports(patches: Patches, log: RunLog, classes: Classes) -> None:
    """Remember exported functions by their serialized bytes, and call them in place of their exports if `log` reports.

    The bytes identify an export even after the candidate stored and loaded it.
    """
    export: Any = jax.export.export
    call: Any = jax.export.Exported.call

    @functools.wraps(export)
    def watched(function: Any, *options: Any, **named: Any) -> Any:
        make = export(function, *options, **named)

        @functools.wraps(make)
        def watched_make(*args: Any, **kwargs: Any) -> Any:
            # A candidate that imported `export` by name has the spy of its import, whose log is an older one.
            depth = (classes.watch.log if classes.watch else log).depth
            depth.exporting += 1
            try:
                exported = make(*args, **kwargs)
            finally:
                depth.exporting -= 1
            classes.exported[exported.mlir_module_serialized] = function
            if hasattr(function, "clear_cache"):
                function.clear_cache()  # otherwise it would run from this trace, which reports nothing
            return exported

        return watched_make

    @functools.wraps(call)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = classes.exported.get(self.mlir_module_serialized) if log.reporting else None
        return call(self, *args, **kwargs) if function is None else function(*args, **kwargs)

    patches.replace(jax.export, "export", watched)
    patches.replace(jax.export.Exported, "call", called)
