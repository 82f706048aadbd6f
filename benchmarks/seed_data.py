"""Made-up data of the comparison of seeds."""

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Size(NamedTuple):
    """n: terms. d: columns, the column of ones included."""

    n: int
    d: int
    steps: int
    every: int


def data_file(size: Size, folder: Path) -> Path:
    """Normal features, labels of a random hyperplane with noise, as LIBSVM writes them."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((size.n, size.d - 1))
    b = np.sign(a @ rng.standard_normal(size.d - 1) + rng.standard_normal(size.n))
    lines = [
        f"{int(y)} " + " ".join(f"{i + 1}:{v:.8g}" for i, v in enumerate(r))
        for r, y in zip(a, b, strict=True)
    ]
    path = folder / "seeds.libsvm"
    path.write_text("\n".join(lines) + "\n")
    return path
