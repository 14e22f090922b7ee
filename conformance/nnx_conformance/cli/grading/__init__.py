"""The commands for many candidates: `grade` judges and stores, `results` queries."""
