"""The runners of operations: what each does with the subject and with its twin."""
