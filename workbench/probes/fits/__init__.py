"""(L0, L1) of layers from what a probe saw, with a verdict."""
