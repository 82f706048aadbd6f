"""A multilayer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from assumptions.guards import require_dimension

MLP_SIZES = {"3k": (32, 32), "9k": (64, 64), "50k": (192, 192)}
"""Widths of the hidden layers, by the number of parameters with 64 inputs and 10 classes."""


class MLP(nn.Module):
    """Rows (batch, ...), flat of length ``inputs`` -> logits (batch, classes).

    x = GELU(layers[i](x)) for each of ``widths``, then head(x); with biases, weights as torch starts them.
    ValueError for sizes that are not integers >= 1.
    """

    def __init__(self, inputs: int, classes: int, widths: Sequence[int]) -> None:
        super().__init__()
        if isinstance(widths, str):
            raise ValueError(f"widths must hold integers >= 1, got {widths!r}")
        require_dimension(
            inputs=inputs, classes=classes, **{f"widths[{i}]": width for i, width in enumerate(widths)}
        )
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise([inputs, *widths]))
        self.head = nn.Linear([inputs, *widths][-1], classes)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits."""
        x = rows.flatten(1)
        for layer in self.layers:
            x = F.gelu(layer(x))
        return self.head(x)
