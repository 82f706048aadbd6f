"""Tasks trained with a probe: checkpoints, interrupts, what was trained."""
