"""Plain data that all rooms share: cases, facts, checks, reports. Imports the standard library and NumPy alone."""
