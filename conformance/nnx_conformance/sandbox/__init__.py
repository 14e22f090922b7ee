"""What the process of a candidate may take, see and touch. Standard library alone."""
