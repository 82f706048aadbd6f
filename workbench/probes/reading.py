"""The gradient that training has left in p.grad: whether it is that of the loss, and how far it is off."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from workbench.probes.ends import difference
from workbench.probes.layers import NetworkLayers, Point

RELATIVE, OF_ALL, OF_CHANGE = 1e-3, 1e-6, 0.03
"""What p.grad may be off by: of its own layer, of the whole gradient, of the change over the step."""


class GradientReader:
    """Whether p.grad may stand for the gradient of the batches of a step, decided by comparing both.

    They are compared the 1st, 2nd, 4th, 8th, ... time, since clipping may begin late, and where the
    micro-batches of a step were others in number or rows, as after a step that a ``GradScaler`` skipped, or
    at the end of the data. trusted: rows of the micro-batches that passed, empty before. refused: why p.grad
    is not read. missed: |p.grad_i - G_i|_{i*} over |G_i|_{i*} as compared last, (n_layers,).
    """

    def __init__(self, layers: NetworkLayers) -> None:
        self._layers = layers
        self.trusted: tuple[float, ...] = ()
        self.asked, self.refused = 0, ""
        self.missed: Tensor | None = None

    def may_read(self, rows: tuple[float, ...]) -> bool:
        """Asked once a probe: whether p.grad of micro-batches of so many rows may be taken uncompared."""
        self.asked += 1
        due = self.asked & (self.asked - 1) == 0
        return not (due or self.refused) and rows == self.trusted

    def compare(
        self,
        rows: tuple[float, ...],
        read: Point,
        computed: Point,
        change: Point,
        somewhere: Callable[[bool], bool],
    ) -> str:
        """Decide, unless the gradient did not change. Returns why p.grad is refused from now on, or "".

        somewhere: whether it is so in any process. With other rows than those that passed, a difference is
        no reason to refuse.
        """
        if not any(bool(part.any()) for part in change):
            return ""
        why = disagreement(self._layers, read, computed, change)
        if somewhere(bool(why)):
            if self.trusted in ((), rows):
                before = "; it was when compared before, and where it was read it may be off: there"
                before = f"{before} ratio_resolution is inf now" if self.trusted else ""
                self.refused = (why or "p.grad is not the gradient of the loss in another process") + before
        else:
            self.trusted, self.missed = rows, relative_miss(self._layers, read, computed)
        return self.refused

    def state_dict(self) -> dict[str, Any]:
        """Numbers, text and tensors."""
        names = ("asked", "refused", "missed")
        return {"trusted": list(self.trusted), **{name: getattr(self, name) for name in names}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What ``state_dict`` gave."""
        self.trusted, self.asked = tuple(state["trusted"]), state["asked"]
        self.refused, self.missed = state["refused"], state["missed"]


def read_gradients(parameters: Sequence[Tensor]) -> Point:
    """Copies of p.grad, 0 where there is none. ``p.grad`` itself is never written to."""
    return tuple(
        torch.zeros_like(p, requires_grad=False)
        if p.grad is None
        else (p.grad.to_dense() if p.grad.is_sparse else p.grad).detach().clone()
        for p in parameters
    )


def disagreement(layers: NetworkLayers, read: Point, computed: Point, change: Point) -> str:
    """Why ``read`` cannot stand for the gradient ``computed``; "" if it can.

    It can if |read_i - G_i|_2 <= 1e-3 |G_i|_2 + 1e-6 |G|_2 for every layer, the second term for layers whose
    gradient is rounding alone, and |read - G|_2 <= 0.03 |change|_2 over all layers, change that of the
    gradient over the step: what is read must not be off by what is measured.
    """
    off, own, seen = (layers.length_i(p) for p in (difference(read, computed), computed, read))
    total = own.square().sum().sqrt()
    excess = off - RELATIVE * own - OF_ALL * total
    worst = int(excess.argmax())
    if not bool((excess <= 0).all()):
        cosine = float(layers.inner_i(read, computed)[worst] / (own * seen)[worst])
        return (
            f"p.grad of {layers.names[worst]} is not the gradient of the loss on the batches seen: it is "
            f"{float((seen / own)[worst]):.4g} times as long, at cosine {cosine:.4g} (clipping, autocast, "
            "dropout, another scale or sum of micro-batches?)"
        )
    moved = float(layers.length_i(change).square().sum().sqrt())
    missed = float(off.square().sum().sqrt())
    if not missed <= OF_CHANGE * moved:
        return f"p.grad is off by {missed:.2g} where the gradient changes by {moved:.2g} over the step"
    return ""


def relative_miss(layers: NetworkLayers, read: Point, computed: Point) -> Tensor:
    """|read_i - G_i|_{i*} / |G_i|_{i*}, (n_layers,); 0 where both are 0."""
    missed = layers.dual_i(difference(read, computed))
    return torch.where(missed > 0, missed / layers.dual_i(computed), 0.0)
