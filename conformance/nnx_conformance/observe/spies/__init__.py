"""Spies on public seams of JAX and Flax: what happens while a candidate runs."""
