"""The pytest plugin: one test for each check of a candidate."""
