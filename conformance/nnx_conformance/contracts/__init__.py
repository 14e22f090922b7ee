"""The contracts that come with the kit, and what they share."""
