"""Images in folders of the user's own."""

import sys
from pathlib import Path

import numpy as np
import pytest

from problems.data.libsvm import DataError
from workbench.probes.data import load_images
from workbench.probes.data.folder import read_folder

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")


def saved(root: Path, name: str, colour, size: tuple[int, int] = (4, 4), mode: str = "RGB") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def zoo(root: Path) -> Path:
    """Two classes, red cats and blue dogs."""
    for i in range(6):
        saved(root, f"cat/{i}.png", (200 + i, 10, 0), (5 + i, 7))
        saved(root, f"dog/{i}.PNG", (0, 10, 100 + i))
    (root / "cat/notes.txt").write_text("no image")
    (root / ".cache").mkdir()
    return root


def test_a_folder_for_each_class(tmp_path: Path):
    pixels, labels, classes = read_folder(zoo(tmp_path), 6)
    assert pixels.shape == (12, 3, 6, 6)
    assert classes == ("cat", "dog")
    assert labels.tolist() == [0] * 6 + [1] * 6
    assert pixels[:, :, 3, 3].tolist() == [[200 + i, 10, 0] for i in range(6)] + [
        [0, 10, 100 + i] for i in range(6)
    ]
    data = load_images(tmp_path, 6)
    assert (len(data.train.labels), len(data.held_out.labels)) == (11, 1)
    assert data.mean.shape == (3, 1, 1)
    assert data.std[1] == 1  # green is 10 everywhere
    assert load_images(str(tmp_path)).train.pixels.shape[2:] == (32, 32)
    saved(tmp_path, "cat/0.png", (1, 2, 3))
    assert load_images(tmp_path, 6).sha256 != data.sha256


def test_images_are_resized_bilinearly(tmp_path: Path):
    ramp = np.arange(0, 240, 30, dtype=np.uint8)[None].repeat(8, axis=0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(ramp).save(tmp_path / name / "ramp.png")
    pixels, _, _ = read_folder(tmp_path, 4)
    assert pixels.shape == (2, 1, 4, 4)
    row = pixels[0, 0, 0].float()
    assert (row.diff() - 60).abs().max() <= 10
    assert row.mean() == pytest.approx(105, abs=2)


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [
        ("1", "png", 1),
        ("L", "jpg", 1),
        ("LA", "png", 1),
        ("RGBA", "png", 3),
        ("P", "png", 3),
        ("CMYK", "jpeg", 3),
    ],
)
def test_modes_of_images(tmp_path: Path, mode: str, suffix: str, channels: int):
    for name, value in (("a", 0), ("b", 255)):
        path = tmp_path / name / f"one.{suffix}"
        path.parent.mkdir()
        Image.new("L", (4, 4), value).convert(mode if mode != "CMYK" else "RGB").convert(mode).save(path)
    pixels, _, _ = read_folder(tmp_path, 2)
    assert pixels.shape == (2, channels, 2, 2)
    assert (pixels[0] < 5).all()
    assert (pixels[1] > 250).all()


def test_transparent_palettes_do_not_warn(tmp_path: Path):
    for name in ("a", "b"):
        path = tmp_path / name / "one.png"
        path.parent.mkdir()
        image = Image.new("P", (4, 4), 1)
        image.putpalette([0, 0, 0, 9, 99, 199])
        image.save(path, transparency=b"\x00\x80")
    assert read_folder(tmp_path, 2)[0][0, :, 0, 0].tolist() == [9, 99, 199]


@pytest.mark.parametrize(
    "content", [b"", b"no image", b"\x89PNG\r\n\x1a\n torn"], ids=["empty", "text", "torn"]
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, content: bytes):
    bad = zoo(tmp_path) / "dog" / "7.png"
    bad.write_bytes(content)
    with pytest.raises(DataError, match=r"7\.png: cannot be read as an image"):
        load_images(tmp_path)


def test_half_an_image_is_named(tmp_path: Path):
    path = saved(zoo(tmp_path), "dog/7.png", (1, 2, 3), (64, 64))
    path.write_bytes(path.read_bytes()[:80])
    with pytest.raises(DataError, match=r"7\.png: cannot be read as an image"):
        load_images(tmp_path)


def test_images_of_sixteen_bits_are_refused(tmp_path: Path):
    saved(zoo(tmp_path), "dog/7.png", 300, mode="I;16")
    with pytest.raises(DataError, match=r"7\.png: .* its mode is I;16, and 8 bits for each channel"):
        load_images(tmp_path)


def test_folders_that_do_not_fit_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"expected two folders or more, one for each class, got \[\]"):
        load_images(tmp_path)
    saved(tmp_path, "cat/0.png", (1, 2, 3))
    with pytest.raises(DataError, match=r"expected two folders or more, .* got \['cat'\]"):
        load_images(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(DataError, match=r"dog: expected files ending in \.png, \.jpg, \.jpeg, found none"):
        load_images(tmp_path)
    saved(tmp_path, "dog/0.png", (1, 1, 1))
    with pytest.raises(ValueError, match="side must be at least 2, got 1"):
        load_images(tmp_path, 1)
    with pytest.raises(ValueError, match=r"side must be an integer >= 1, got 2\.5"):
        load_images(tmp_path, 2.5)


def test_images_that_are_all_the_same_are_refused(tmp_path: Path):
    for name in ("a/0.png", "a/1.png", "b/0.png"):
        saved(tmp_path, name, 7, mode="L")
    with pytest.raises(DataError, match="every pixel of every image is 7"):
        load_images(tmp_path)


def test_without_pillow_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    zoo(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(DataError, match="Pillow is needed to read images: pip install pillow"):
        load_images(tmp_path)
