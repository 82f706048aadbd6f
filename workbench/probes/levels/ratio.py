"""Ratios over the length of a step."""

import torch
from torch import Tensor


def per_length(values: Tensor, lengths: Tensor) -> Tensor:
    """values / lengths; nan where a length is 0: what did not move has no ratio. Shapes that broadcast."""
    return torch.where(lengths > 0, values / lengths, torch.nan)
