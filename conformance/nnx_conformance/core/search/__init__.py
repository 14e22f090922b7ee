"""What leads a search: the parts of a case, the conditions that a candidate tests, and how operations are explored."""
