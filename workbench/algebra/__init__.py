"""What algebra says of a claim before any run: units, rates, identities behind proofs, exact multipliers."""
