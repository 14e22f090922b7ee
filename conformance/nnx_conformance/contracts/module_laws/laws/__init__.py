"""The laws: pure functions of a program and the reading of its facts."""
