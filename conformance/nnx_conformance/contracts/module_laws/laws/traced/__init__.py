"""Laws on the trace of a call: what it proves, and calls that give its conditions other outcomes."""
