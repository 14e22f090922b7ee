"""Runs a program on a subject and on its twin. Imports JAX and Flax."""
