"""JAX's own checks of a program, such as transfer guards: they must not apply to what the kit does in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import jax

from nnx_conformance.observe.spies.patches import Patches

#: The settings of JAX that check a running program, and their values when they check nothing.
GUARDS = tuple(f"jax_transfer_guard_{way}" for way in ("host_to_device", "device_to_host", "device_to_device"))
GUARDS += ("jax_debug_nans", "jax_debug_infs")
OPEN = (None, "allow", False)


@contextmanager
def unguarded() -> Iterator[None]:
    """Suspend these checks in the block, which may transfer arrays and compute NaNs."""
    # Suspending takes 14 microseconds, about a hundred times a case, and hardly any candidate switches a check on.
    if all(getattr(jax.config, name) in OPEN for name in GUARDS):
        yield
        return
    with jax.transfer_guard("allow"), jax.debug_nans(False), jax.debug_infs(False):
        yield


def allow_leaks(patches: Patches) -> None:
    """Let `jax.checking_leaks` do nothing: it would report what the spies keep, and trace compiled code again."""
    patches.replace(jax, "checking_leaks", _no_check)


def _no_check(*_: Any, **__: Any) -> Any:
    return nullcontext()
