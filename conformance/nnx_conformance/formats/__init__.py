"""The forms in which reports are written: one module each, and the registry that the command line reads."""

from nnx_conformance.formats.registry import FORMATS, Format, get

__all__ = ["FORMATS", "Format", "get"]
