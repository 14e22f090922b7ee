"""Arrays: shapes, dtypes, elements, and how a whole array looks."""
