"""Grades many candidates: reads them, judges each once, stores every result as it comes."""
