"""Data that guides a search: the parts of a case, the candidate's conditions, and how `explore` draws operations."""
