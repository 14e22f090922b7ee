"""Commands that write starting files: `init` and `new-contract`."""
