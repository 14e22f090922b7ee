"""Traces of calls: what they prove for every value, their conditions, and inputs and states that decide these."""
