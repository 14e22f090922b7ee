"""The candidate's side: loads a candidate, runs it under spies, and records facts. Imports JAX and Flax."""
