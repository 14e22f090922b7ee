"""The commands for many candidates: `grade`, which judges them, and `results`, which asks for what it stored."""
