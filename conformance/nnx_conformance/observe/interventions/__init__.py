"""Interventions: further runs of a case in which the kit changes the state or an output.

The checks judge what it means that the result follows a change, or does not.
"""
