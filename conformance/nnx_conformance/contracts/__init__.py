"""The contracts that come with the kit, and the code that they share."""
