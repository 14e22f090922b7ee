"""The laws: pure functions of a program and of what carrying it out showed."""
