"""The commands of `nnx-conformance`, one module each."""
