"""Programs, the cases of module-laws, and their domains."""
