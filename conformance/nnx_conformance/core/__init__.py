"""Plain data that all rooms speak of: cases, facts, checks, reports. Standard library and NumPy alone."""
