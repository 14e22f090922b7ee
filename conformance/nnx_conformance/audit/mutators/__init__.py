"""Mutants that are made: the reference with one change, by syntax or under a rare condition."""
