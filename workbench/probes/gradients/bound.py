"""A loss bound to its model, as one module."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from workbench.probes.batches import Batch


class BoundLoss(nn.Module):
    """Loss and work on it as a module, so that parameters can be given.

    The work is inside because checkpointed activations are computed again in the backward pass.
    """

    def __init__(self, model: nn.Module, loss: Callable[[nn.Module, Batch], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, batch: Batch, work: Callable[[Tensor], Any]) -> Any:
        """``work`` on the loss of the model on the batch."""
        return work(self.loss(self.model, batch))
