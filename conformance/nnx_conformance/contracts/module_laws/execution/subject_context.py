"""The context in which a subject is made and called: the mesh that it needs, and its own context manager."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nnx_conformance.contracts.module_laws.execution.meshes import mesh_of, on_mesh
from nnx_conformance.core.candidate.subject import Subject
from nnx_conformance.core.errors import Misuse


@contextlib.contextmanager
def subject_context(subject: Subject) -> Iterator[None]:
    """Run the block in a mesh of one device with the subject's axes, and in the subject's context.

    Raises:
        Misuse: if entering its context raises.
    """
    with contextlib.ExitStack() as stack:
        if subject.mesh:
            stack.enter_context(on_mesh(mesh_of(dict.fromkeys(subject.mesh, 1))))
        if subject.context is not None:
            try:
                stack.enter_context(subject.context())
            except Exception as error:
                fix = "Let `context()` give a new context manager at every call."
                raise Misuse(
                    f"Expected a context that can be entered but it raised {type(error).__name__}: {error}. {fix}"
                ) from error
        yield
