"""Spies on public seams of JAX and Flax, which record what a candidate does."""
