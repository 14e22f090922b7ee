"""Plain data that all rooms share: cases, facts, checks, reports. Imports only the standard library and NumPy."""
