"""JAX's own checks of a program, which a candidate may switch on: what the kit does in between is no part of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import jax

from nnx_conformance.observe.spies.patches import Patches

#: The settings of JAX by which a program is checked while it runs, and what they are where nothing is checked.
GUARDS = tuple(f"jax_transfer_guard_{way}" for way in ("host_to_device", "device_to_host", "device_to_device"))
GUARDS += ("jax_debug_nans", "jax_debug_infs")
OPEN = (None, "allow", False)


@contextmanager
def unguarded() -> Iterator[None]:
    """What the block moves between host and device, and the numbers that it makes, are nobody's concern."""
    # Lifting a check takes 14 microseconds, some hundred times a case, and hardly any candidate switches one on.
    if all(getattr(jax.config, name) in OPEN for name in GUARDS):
        yield
        return
    with jax.transfer_guard("allow"), jax.debug_nans(False), jax.debug_infs(False):
        yield


def allow_leaks(patches: Patches) -> None:
    """Let `jax.checking_leaks` do nothing: it would find what the spies keep, and traces anew what is compiled."""
    patches.replace(jax, "checking_leaks", _no_check)


def _no_check(*_: Any, **__: Any) -> Any:
    return nullcontext()
