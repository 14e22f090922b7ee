"""What each operation of a program does with the subject, and what the twin does meanwhile."""
