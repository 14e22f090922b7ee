"""The contracts that come with the kit."""
