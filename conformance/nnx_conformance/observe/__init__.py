"""The side of the candidate: its loading, its runs under spies, and what they show as facts. Imports JAX and Flax."""
