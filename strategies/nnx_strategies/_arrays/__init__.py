"""Arrays: their shapes, dtypes, elements and profiles."""
