"""What laws say by the trace of a call: what it proves, and what happens where its conditions come out otherwise."""
