"""Identities and derivations behind the proofs of theorems, by topic."""

from workbench.algebra.identities import Checked
from workbench.algebra.proofs import broximal, descent, proximal, stochastic

PROOFS: tuple[Checked, ...] = (*descent.PROOFS, *proximal.PROOFS, *broximal.PROOFS, *stochastic.PROOFS)
"""All of them."""
