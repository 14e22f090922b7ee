"""Where Hypothesis leaves what it stores."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def out_of_sight() -> Iterator[None]:
    """Keep Hypothesis from leaving `.hypothesis` where the user is: without a database it still stores constants."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)
        yield
