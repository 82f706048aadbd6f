"""(L0, L1)-smoothness in its forms."""
