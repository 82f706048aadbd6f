"""Data files: what is read, and what is said of files that cannot be."""

import os
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_svmlight_file

from problems import LeastSquares, LogisticRegression
from problems.data import binary_labels, design, load, read_libsvm

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


def test_dependent_columns_are_refused(tmp_path: Path):
    path = tmp_path / "dependent.txt"
    path.write_text("1 1:1 2:2\n-1 1:2 2:4\n1 1:5 2:10\n")
    with pytest.raises(ValueError, match="linearly independent"):
        _ = LeastSquares(str(path)).certified
    path.write_text("1 1:1 2:2\n2 1:2 2:4\n3 1:5 2:10\n")
    with pytest.raises(ValueError, match="two labels"):
        LogisticRegression(str(path), reg=1.0).value(torch.zeros(3).double())


@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_constants_bracket_the_spectrum(name: str):
    """Against singular values, which are computed without forming A'A."""
    features, _ = load(name)
    spectrum = torch.linalg.svdvals(design(features)).square() / features.shape[0]
    problem = LeastSquares(name)
    by_name = {type(c.assumption).__name__: c.assumption for c in problem.certified}
    mu, L = by_name["StronglyConvex"].mu, by_name["Smooth"].L
    assert mu < float(spectrum[-1]) < mu * (1 + 1e-6)
    assert L * (1 - 1e-9) < float(spectrum[0]) < L
