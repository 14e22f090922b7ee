"""Keeping a candidate in: what its process may take, see and touch. No module here imports JAX, Flax or NumPy."""
