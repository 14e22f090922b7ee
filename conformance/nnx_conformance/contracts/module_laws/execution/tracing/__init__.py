"""What a trace of a call shows: what holds for every value, what its conditions compare, and where they come out so."""
