"""Programs: what a case of module-laws is, and how programs are drawn."""
