"""Search for the instance that comes closest to breaking a claim, or breaks it."""
