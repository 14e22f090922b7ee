"""The audit of a contract: which check catches which wrong implementation, and with which probability."""
