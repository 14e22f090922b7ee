"""`jax.export`: what it makes holds no callback, so where traces report, the function itself is run again."""

from __future__ import annotations

import functools
from typing import Any

import jax.export

from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.spies.classes import Classes
from nnx_conformance.observe.spies.patches import Patches


def watch_exports(patches: Patches, log: RunLog, classes: Classes) -> None:
    """Remember what is exported, by its bytes: it may be stored and read again. While `log` reports, run it itself."""
    export: Any = jax.export.export
    call: Any = jax.export.Exported.call

    @functools.wraps(export)
    def watched(function: Any, *options: Any, **named: Any) -> Any:
        make = export(function, *options, **named)

        @functools.wraps(make)
        def made(*args: Any, **kwargs: Any) -> Any:
            # Who imported `export` by name has what stood there while the file was imported.
            depth = (classes.watch.log if classes.watch else log).depth
            depth.exporting += 1
            try:
                exported = make(*args, **kwargs)
            finally:
                depth.exporting -= 1
            classes.exported[exported.mlir_module_serialized] = function
            if hasattr(function, "clear_cache"):
                function.clear_cache()  # or it would run from this trace, which reports nothing
            return exported

        return made

    @functools.wraps(call)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = classes.exported.get(self.mlir_module_serialized) if log.reporting else None
        return call(self, *args, **kwargs) if function is None else function(*args, **kwargs)

    patches.replace(jax.export, "export", watched)
    patches.replace(jax.export.Exported, "call", called)
