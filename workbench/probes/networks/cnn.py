"""A convolutional network for small images."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assumptions.guards import require_dimension

CNN_SIZES = {"20k": (8, 16, 32), "200k": (24, 64, 96), "2M": (64, 256, 256)}
"""Channels of the groups, by the number of parameters."""

PATCH = 2
"""Side of the patches that are made white."""

SCALE = 1 / 9
"""Of the logits at the head, as in airbench."""


class CNN(nn.Module):
    """Images (batch, channels, height, width), height and width >= 2 -> logits (batch, classes).

    A whitening convolution (``whitening``) and GELU; for each of ``widths`` a group of convolution 3 x 3,
    maximum over 2 x 2, batch norm, GELU, convolution 3 x 3, batch norm, GELU; the maximum over what is left
    of the image; head(x) / 9. A side of length 1 is not halved any more, so images from 2 x 2 on are taken.

    whitening: weights of the first convolution, which do not need a gradient; its biases do. None: no such
    layer. Convolutions of groups have no biases, and start as torch starts them plus the identity; batch
    norms have gains fixed at 1, and biases, and momentum 0.4. ValueError for sizes that are not integers
    >= 1, and whitening weights of another shape.

    Source: KellerJordan/cifar10-airbench, airbench94.py, with two differences: there the identity takes the
    place of the first filters, and the eps of norms is 1e-12. On photographs that is well. But a channel that
    is largest on the empty background of digits is constant after some maxima, batch norm divides by nearly
    0, and gradients at the start are 10^5 times as large as a step later.
    """

    def __init__(
        self, channels: int, classes: int, widths: Sequence[int], whitening: Tensor | None = None
    ) -> None:
        super().__init__()
        require_dimension(channels=channels, classes=classes, **_numbered(widths))
        self.whiten = None if whitening is None else _fixed(channels, whitening)
        inputs = [channels if whitening is None else len(whitening), *widths]
        self.groups = nn.ModuleList(Group(i, o) for i, o in pairwise(inputs))
        self.head = nn.Linear(inputs[-1], classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        x = images if self.whiten is None else F.gelu(self.whiten(images))
        for group in self.groups:
            x = group(x)
        return self.head(x.amax(dim=(-2, -1))) * SCALE


class Group(nn.Module):
    """Two convolutions; the first one halves the sides."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = _convolution(inputs, outputs), _norm(outputs)
        self.conv2, self.norm2 = _convolution(outputs, outputs), _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, inputs, h, w). Returns (batch, outputs, h // 2, w // 2)."""
        x = self.conv1(x)
        x = F.max_pool2d(x, (min(2, x.shape[-2]), min(2, x.shape[-1])))
        x = F.gelu(self.norm1(x))
        return F.gelu(self.norm2(self.conv2(x)))


def whitening(images: Tensor, eps: float = 5e-4) -> Tensor:
    """Weights (2 C 4, C, 2, 2) that make 2 x 2 patches white: v / sqrt(l + eps), and their negatives.

    images: (n, C, H, W), normalised. (l, v): eigenvalues and eigenvectors of the mean of p p' over all
    patches p of the images.
    """
    images = images.double()
    patches = images.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (n, C, H - 1, W - 1, 2, 2)
    rows = patches.transpose(1, 2).transpose(2, 3).flatten(3).flatten(0, 2)
    values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
    filters = (vectors / (values.clamp_min(0) + eps).sqrt()).T.reshape(-1, images.shape[1], PATCH, PATCH)
    return torch.cat([filters, -filters]).float()


def _fixed(channels: int, weights: Tensor) -> nn.Conv2d:
    if weights.dim() != 4 or weights.shape[1:] != (channels, PATCH, PATCH):
        shape = tuple(weights.shape)
        raise ValueError(f"whitening must have shape (filters, {channels}, {PATCH}, {PATCH}), got {shape}")
    layer = nn.Conv2d(channels, len(weights), PATCH)
    layer.weight = nn.Parameter(weights.to(layer.weight).clone(), requires_grad=False)
    nn.init.zeros_(_bias(layer))
    return layer


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    identity = nn.init.dirac_(torch.empty_like(layer.weight[:inputs]))
    with torch.no_grad():
        layer.weight[:inputs] += identity
    return layer


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad_(False)
    return norm


def _numbered(widths: Sequence[int]) -> dict[str, int]:
    if isinstance(widths, str) or not len(widths):
        raise ValueError(f"widths must hold the channels of one group or more, got {widths!r}")
    return {f"widths[{i}]": width for i, width in enumerate(widths)}
