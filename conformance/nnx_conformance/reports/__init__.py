"""The formats in which reports are written: one module each."""
