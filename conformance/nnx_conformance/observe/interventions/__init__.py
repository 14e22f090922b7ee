"""Interventions: further runs of a case in which the kit changes the state or an output, and what became of the result.

What it means that a result follows a change, or not, is for the checks to judge.
"""
