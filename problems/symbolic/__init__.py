"""Functions given as expressions, and proofs by ball arithmetic on a box."""
