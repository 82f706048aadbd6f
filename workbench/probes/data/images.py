"""Images with classes: those that packages hold, and folders of the user's own."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from problems.data.libsvm import DataError
from problems.data.load import available, load
from problems.data.sets import DATA_SETS
from workbench.probes.data.folder import read_folder
from workbench.probes.data.order import STREAM_HELD_OUT, permutation

IMAGES = ("fashion_mnist", "mnist_5k", "digits")
"""Names, the best first: 60,000 and 10,000 clothes, 5,000 digits, 1,797 digits of 8 x 8."""

SIDES = {"fashion_mnist": 28, "mnist_5k": 28, "digits": 8}
TESTS = {"fashion_mnist": "fashion_mnist_test"}
"""Images that were published as those to test on."""

HELD_OUT = 10
"""Else one row in so many is held out, whatever the seed of a task."""


@dataclass(frozen=True, eq=False)
class Images:
    """pixels: (n, channels, height, width), uint8. labels: (n,), int64."""

    pixels: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images to train on, and others.

    mean, std: of the pixels to train on, (channels, 1, 1). sha256: of all pixels and labels. held_out_from:
    where the others come from. note: why these images, if they were not asked for.
    """

    name: str
    train: Images
    held_out: Images
    classes: tuple[str, ...]
    mean: Tensor
    std: Tensor
    sha256: str
    held_out_from: str
    note: str = ""

    def rows(self, images: Images, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (rows, channels, height, width), float32, normalised, and labels (rows,)."""
        return (images.pixels[indices].float() - self.mean) / self.std, images.labels[indices]


def load_images(name: str | os.PathLike[str], side: int | None = None) -> ImageData:
    """The images of a name in ``IMAGES``, or of a folder with one folder of PNG and JPEG files per class.

    side: those of a folder are resized to side x side, 32 for None; the others have a size of their own.
    DataError for a package that is missing, with the command that installs it, and as ``read_folder``.
    ValueError for the side of a name.
    """
    if name in IMAGES:
        if side is not None:
            raise ValueError(f"side must be left out for {name!r}, whose images have a size; got {side!r}")
        images, classes = _packaged(str(name)), tuple("0123456789")
    elif Path(name).is_dir():
        pixels, labels, classes = read_folder(Path(name), 32 if side is None else side)
        images = Images(pixels, labels)
    else:
        names = ", ".join(map(repr, IMAGES))
        raise DataError(f"images must be {names} or a folder with a folder for each class, got {str(name)!r}")
    train, held_out, origin = _split(str(name), images)
    lowest, highest = train.pixels.amin(), train.pixels.amax()
    if lowest == highest:
        raise DataError(f"{name}: every pixel of every image is {int(lowest)}")
    mean, std = _moments(train.pixels)
    digest = hashlib.sha256()
    for part in (train.pixels, train.labels, held_out.pixels, held_out.labels):
        digest.update(part.contiguous().numpy().tobytes())
    return ImageData(str(name), train, held_out, classes, mean, std, digest.hexdigest(), origin)


def default_images() -> tuple[str, str]:
    """The first images that are there: their name, and why they were taken."""
    there = available()
    name = next(name for name in IMAGES if there[name])
    missing = IMAGES[: IMAGES.index(name)]
    lacking = "".join(f"; {other} is not installed: {DATA_SETS[other].install}" for other in missing)
    return name, f"the default{lacking}"


def _packaged(name: str) -> Images:
    if name in DATA_SETS:
        # not by ``load``, which would keep all pixels as float64
        features, labels = DATA_SETS[name].load(DATA_SETS[name].require())
    else:
        features, labels = load(name)
    side = SIDES[name.removesuffix("_test")]
    return Images(features.to(torch.uint8).reshape(-1, 1, side, side), labels.long())


def _split(name: str, images: Images) -> tuple[Images, Images, str]:
    """Rows to train on, the others, and where these are from."""
    test = TESTS.get(name)
    if test is not None and DATA_SETS[test].find() is not None:
        return images, _packaged(test), test
    n = len(images.labels)
    order = permutation(n, 0, STREAM_HELD_OUT, 0)
    first, last = order[n // HELD_OUT or 1 :].sort().values, order[: n // HELD_OUT or 1].sort().values
    held_out = Images(images.pixels[last], images.labels[last])
    return Images(images.pixels[first], images.labels[first]), held_out, f"one row in {HELD_OUT}"


def _moments(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, float32; 1 for one that is constant."""
    # counts of the 256 values: exact, and no float copy of all pixels
    values = torch.arange(256, dtype=torch.float64)
    means, stds = [], []
    for channel in pixels.unbind(1):
        share = torch.bincount(channel.flatten().int(), minlength=256).double() / channel.numel()
        mean = (share * values).sum()
        std = (share * (values - mean).square()).sum().sqrt()
        means.append(mean)
        stds.append(std if std > 0 else torch.ones_like(std))
    return tuple(torch.stack(part).float()[:, None, None] for part in (means, stds))  # pyright: ignore[reportReturnType]
