"""Images of a folder, by Pillow, which is imported when asked for."""

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assumptions.guards import require_dimension
from problems.data.libsvm import DataError

KINDS = (".png", ".jpg", ".jpeg")
GREY = ("1", "L", "LA")
COLOUR = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr")
"""Modes of Pillow of eight bits for each channel."""


def read_folder(folder: Path, side: int) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Pixels (n, channels, side, side), uint8, labels (n,), int64, and the classes: the folders, by name.

    Files are those ending in .png, .jpg and .jpeg, by name; one channel if all are grey, else red, green and
    blue. DataError for fewer than two classes, a class without such files, a file that cannot be read, of
    which it says the name, and without Pillow. ValueError for a side below 2.
    """
    require_dimension(side=side)
    if side < 2:
        raise ValueError(f"side must be at least 2, got {side}")
    classes = sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith("."))
    if len(classes) < 2:
        raise DataError(
            f"{folder}: expected two folders or more, one for each class, got {[c.name for c in classes]}"
        )
    files = [[file for file in sorted(place.iterdir()) if file.suffix.lower() in KINDS] for place in classes]
    for place, inside in zip(classes, files, strict=True):
        if not inside:
            raise DataError(f"{place}: expected files ending in {', '.join(KINDS)}, found none")
    image = _pillow(folder)
    read = [(label, _read(image, file, side)) for label, inside in enumerate(files) for file in inside]
    pixels = torch.from_numpy(np.stack([content for _, (content, _) in read])).permute(0, 3, 1, 2)
    if all(grey for _, (_, grey) in read):
        pixels = pixels[:, :1]
    return pixels.contiguous(), torch.tensor([label for label, _ in read]), tuple(c.name for c in classes)


def _read(image: Any, file: Path, side: int) -> tuple[np.ndarray, bool]:
    """Red, green and blue, (side, side, 3), uint8, and whether the image is grey."""
    try:
        with warnings.catch_warnings(), image.open(file) as opened:
            warnings.simplefilter("error", image.DecompressionBombWarning)
            mode = opened.mode
            if mode not in (*GREY, *COLOUR):
                raise ValueError(f"its mode is {mode}, and 8 bits for each channel are expected")
            # by way of RGBA: transparent entries of a palette make Pillow warn otherwise
            colours = opened.convert("RGBA").convert("RGB") if mode.startswith("P") else opened.convert("RGB")
            return np.asarray(colours.resize((side, side), image.Resampling.BILINEAR)), mode in GREY
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error and its own
        raise DataError(f"{file}: cannot be read as an image: {error}") from None


def _pillow(folder: Path) -> Any:
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        raise DataError(f"{folder}: Pillow is needed to read images: pip install pillow") from None
