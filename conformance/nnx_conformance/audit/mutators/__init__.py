"""Generated mutants: the reference with one change of its syntax, or wrong under a rare condition."""
