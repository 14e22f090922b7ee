"""Candidates as pytest items: one test for each check."""
