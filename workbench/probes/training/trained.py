"""What a training leaves: what the probe saw, how it went, the losses."""

from dataclasses import dataclass
from typing import Any

import xarray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Trained:
    """A training and what the probe saw.

    result    as of ``SmoothnessProbe.result``
    manifest  what was trained, and how it went: network, about, optimizer, steps, steps_taken, loss_first
              and loss_last (of the batches of the first and the last step), evaluation (of the network in
              the end, on data not trained on), ended (why there are fewer steps than asked for, "" if there
              are not), stopped (the same of the probe), conditions (with what it was computed), setting
    losses    (n,) float64: of the batch of each step, before that step
    """

    result: xarray.Dataset
    manifest: dict[str, Any]
    losses: Tensor
