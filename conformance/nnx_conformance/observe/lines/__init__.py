"""Which line of the candidate did what: following a run line by line, and reading its source."""
