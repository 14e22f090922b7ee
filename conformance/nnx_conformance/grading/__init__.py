"""Grading many candidates: read them, judge each once, keep every result as it comes."""
