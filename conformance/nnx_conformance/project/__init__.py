"""A project's settings, waivers, stored findings and cached verdicts."""
