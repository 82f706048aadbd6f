"""The fixed cases of the conformance suite: shapes, gradients and options; and inputs to refuse."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workbench.optim.conformance_reference import Settings

_PLAIN = Settings()


@dataclass(frozen=True)
class Case:
    """Parameters of the given shapes, each with its own gradients; settings vary what the update does.

    kind: of gradients, a key of ``GRADIENTS``. The seed is the same for every class.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    settings: Settings = _PLAIN
    kind: str = "gaussian"
    steps: int = 5
    seed: int = 0

    def data(self) -> tuple[list[Tensor], list[list[Tensor]]]:
        """First points, and the gradients of each parameter step by step; float64."""
        generator = torch.Generator().manual_seed(self.seed)
        points = [_gaussian(shape, generator) / 10 for shape in self.shapes]
        made = GRADIENTS[self.kind]
        return points, [[made(shape, k, generator) for k in range(self.steps)] for shape in self.shapes]


def _gaussian(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def _plain(shape: tuple[int, ...], k: int, generator: torch.Generator) -> Tensor:
    del k
    return _gaussian(shape, generator)


def _rank_two(shape: tuple[int, ...], k: int, generator: torch.Generator) -> Tensor:
    """Of one column space and one row space at every step, so that momentum keeps the rank."""
    del k
    fixed = torch.Generator().manual_seed(7)
    left, right = _gaussian((shape[0], 2), fixed), _gaussian((2, shape[1]), fixed)
    return left @ _gaussian((2, 2), generator) @ right


def _then_zero(shape: tuple[int, ...], k: int, generator: torch.Generator) -> Tensor:
    return _gaussian(shape, generator) * (k < 2)


def _strided(shape: tuple[int, ...], k: int, generator: torch.Generator) -> Tensor:
    """Columns lie one after the other in memory."""
    del k
    return _gaussian((shape[1], shape[0]), generator).mT


def _times(factor: float) -> Callable[[tuple[int, ...], int, torch.Generator], Tensor]:
    return lambda shape, _, generator: factor * _gaussian(shape, generator)


GRADIENTS: dict[str, Callable[[tuple[int, ...], int, torch.Generator], Tensor]] = {
    "gaussian": _plain,
    "rank two": _rank_two,
    "zero": _times(0.0),
    "then zero": _then_zero,
    "strided": _strided,
    "tiny": _times(1e-8),
    "huge": _times(1e25),
}

_WIDE, _TALL = (6, 17), (17, 6)

CASES = (
    Case("square", ((8, 8),)),
    Case("wide", (_WIDE,)),
    Case("tall", (_TALL,)),
    Case("1 x 1", ((1, 1),)),
    Case("one row", ((1, 7),)),
    Case("one column", ((7, 1),)),
    Case("rank 2 of 6", ((9, 6),), kind="rank two"),
    Case("zero gradients", (_WIDE,), kind="zero"),
    Case("zero after 2 steps", (_WIDE,), kind="then zero"),
    Case("gradients of 1e-8", (_WIDE,), kind="tiny"),
    Case("gradients of 1e25", (_WIDE,), kind="huge"),
    Case("strided gradients", (_TALL,), kind="strided"),
    Case("convolution 8 x 3 x 3 x 3", ((8, 3, 3, 3),)),
    Case("convolution 20 x 2 x 2 x 2", ((20, 2, 2, 2),)),
    Case("convolution 24 x 2 x 3", ((24, 2, 3),)),
    Case("three parameters", (_WIDE, _TALL, _WIDE)),
    Case("100 steps", ((9, 5),), steps=100),
    Case("no Nesterov", (_TALL,), replace(_PLAIN, nesterov=False)),
    Case("beta 0", (_TALL,), replace(_PLAIN, beta=0.0, nesterov=False)),
    Case("beta 0.5", (_TALL,), replace(_PLAIN, beta=0.5)),
    Case("weight decay 0.1", (_TALL,), replace(_PLAIN, weight_decay=0.1), steps=20),
    Case("weight decay alone", (_WIDE,), replace(_PLAIN, weight_decay=0.1), kind="zero"),
    Case("scale of AdamW, tall", (_TALL,), replace(_PLAIN, scale="match_rms_adamw")),
    Case("scale of AdamW, wide", (_WIDE,), replace(_PLAIN, scale="match_rms_adamw")),
    Case("scale 1", (_TALL,), replace(_PLAIN, scale="none")),
)


@dataclass(frozen=True)
class Bad:
    """An input that an optimizer should not take: a parameter, the gradient of its step, and the settings."""

    name: str
    shape: tuple[int, ...] = (4, 3)
    settings: Settings = _PLAIN
    entry: float = 0.5
    sparse: bool = False

    def data(self) -> tuple[Tensor, Tensor]:
        """The parameter, and its gradient with ``entry`` in one place."""
        x = torch.ones(self.shape, dtype=torch.float64)
        grad = torch.linspace(1, 2, x.numel(), dtype=torch.float64).reshape(self.shape)
        grad.view(-1)[0] = self.entry
        return x, grad.to_sparse() if self.sparse else grad


BAD = (
    Bad("a vector", shape=(5,)),
    Bad("nan in a gradient", entry=float("nan")),
    Bad("inf in a gradient", entry=float("inf")),
    Bad("a sparse gradient", sparse=True),
    Bad("lr = -0.02", settings=replace(_PLAIN, lr=-0.02)),
    Bad("lr = nan", settings=replace(_PLAIN, lr=float("nan"))),
    Bad("beta = 1", settings=replace(_PLAIN, beta=1.0)),
    Bad("beta = -0.1", settings=replace(_PLAIN, beta=-0.1)),
    Bad("beta = nan", settings=replace(_PLAIN, beta=float("nan"))),
    Bad("weight decay = -0.1", settings=replace(_PLAIN, weight_decay=-0.1)),
)
