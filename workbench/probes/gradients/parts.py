"""A batch in parts: the halves of a fixed set, or the micro-batches of a step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.probes.batches import Batch, count_rows
from workbench.probes.gradients.oracle import Evaluation, GradientOracle
from workbench.probes.gradients.ranks import mean_over_ranks
from workbench.probes.layers import Point


@dataclass(frozen=True)
class Parts:
    """Batches whose losses, weighted by rows, are one loss; rows: of each, the mean over processes."""

    batches: tuple[Batch, ...]
    rows: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """Weights of the losses."""
        return tuple(rows / sum(self.rows) for rows in self.rows)


class Measured(NamedTuple):
    """Loss and gradient, the means over the rows; for two halves A and B also (G^A - G^B) / 2."""

    mean: Evaluation
    spread: Point | None


class PartsOracle:
    """f(x) = sum_j r_j f_j(x) / sum_j r_j, f_j the loss on part j of r_j rows.

    Every level takes it for an oracle and hands the parts back as its batch. It matters where the loss of a
    batch is not the mean over its rows, as for batch normalisation and dropout: one function, whether ends or
    points between are asked for.
    """

    def __init__(self, oracle: GradientOracle) -> None:
        self.oracle = oracle
        self.names, self.dtype, self.model = oracle.names, oracle.dtype, oracle.model
        self._told = False

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The live ones, in the order of the layers."""
        found = dict(self.model.named_parameters())
        return tuple(found[name] for name in self.names)

    def evaluate(self, x: Point, batch: Parts) -> Evaluation:
        """Loss and gradient at x."""
        return self.measure(x, batch, halves=False).mean

    def measure(self, x: Point, batch: Parts, halves: bool) -> Measured:
        """As ``evaluate``; halves: the two parts are halves, whose difference is wanted."""
        with self._joint():
            found = [self.oracle.evaluate(x, part) for part in batch.batches]
        spread = None
        if halves:
            a, b = found[0].gradient, found[1].gradient
            spread = tuple((p - q).div_(2) for p, q in zip(a, b, strict=True))
        loss = torch.stack([each.loss for each in found]) @ torch.tensor(batch.shares, dtype=torch.float64)
        return Measured(Evaluation(loss, _mean([each.gradient for each in found], batch.shares)), spread)

    def hvp(self, x: Point, v: Point, batch: Parts) -> Point:
        """Hessian of f at x times v."""
        with self._joint():
            found = [self.oracle.hvp(x, v, part) for part in batch.batches]
        return _mean(found, batch.shares)

    # -- with other processes, where gradients are averaged over a group -----------------------------------

    def parts(self, batches: Sequence[Batch]) -> Parts:
        """With rows over all processes. ValueError unless all have the same number of batches."""
        rows = torch.tensor([count_rows(batch) for batch in batches], dtype=torch.float64)
        if self.oracle.group is not None:
            n = float(len(batches))
            mean, square = self._over_ranks(torch.tensor([n, n * n], dtype=torch.float64)).tolist()
            if square != mean * mean:
                raise ValueError(f"processes saw different numbers of batches, this one {len(batches)}")
            rows = self._over_ranks(rows)
        return Parts(tuple(batches), tuple(rows.tolist()))

    def taken(self, x: Point) -> Point:
        """What gradients at x are taken at: numbers of a type wider than that of the oracle are rounded."""
        wide = torch.float64 if self.dtype == torch.float32 else None
        return tuple(part.to(self.dtype) if part.dtype == wide else part for part in x)

    def require_layers(self) -> None:
        """ValueError where a parameter needs a gradient that did not when the layers were made.

        It moves, and no layer would tell: the changes of all gradients would hold what it does.
        """
        for name, p in self.model.named_parameters():
            if p.requires_grad and name not in self.names:
                raise ValueError(
                    f"parameter {name!r} needs a gradient now, and did not when the probe was made, so that "
                    f"it is no layer: detach this probe and make another"
                )

    def somewhere(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        return bool(self._over_ranks(torch.tensor([float(flag)])) > 0)

    def together(self, body: Callable[[], None]) -> None:
        """Run it; an error in one process is raised in all of them, the others saying which it was.

        Without that, a process that stopped would leave the others waiting at the next gradient.
        """
        self._told = False
        failure: Exception | None = None
        try:
            body()
        except Exception as error:
            failure = error
        if self.oracle.group is not None and not self._told:
            self._over_ranks(torch.zeros(1), failure)
        if failure is not None:
            raise failure

    def _over_ranks(self, values: Tensor, failure: Exception | None = None) -> Tensor:
        """The mean over processes; an error here is raised there too."""
        device = self.parameters[0].device

        def own() -> tuple[int, list[Tensor]]:
            if failure is not None:
                raise failure
            return 1, [values.to(device)]

        with self._joint():
            return mean_over_ranks(self.oracle.group, device, own)[0].cpu()

    @contextmanager
    def _joint(self) -> Iterator[None]:
        """Errors inside are known to all processes."""
        try:
            yield
        except Exception:
            self._told = True
            raise


def _mean(points: Sequence[Point], shares: Sequence[float]) -> Point:
    """sum_j share_j x_j. Written to new tensors: two parts of a gradient may be one and the same tensor."""
    first, *others = points
    if not others:
        return first
    total = tuple(part * shares[0] for part in first)
    for point, share in zip(others, shares[1:], strict=True):
        for into, part in zip(total, point, strict=True):
            into.add_(part, alpha=share)
    return total
