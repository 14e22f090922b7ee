"""A long search of one contract's core domain."""
