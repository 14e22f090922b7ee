"""A finding as a Python script that runs on its own."""
