"""A finding as a Python script that runs as it stands."""
