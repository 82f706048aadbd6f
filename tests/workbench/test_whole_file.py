"""A file is there whole or not at all."""

import pytest

from tests.robustness.full_disk import DENIED, FULL, failing
from workbench.whole_file import whole_file


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_it_takes_the_place_of_what_was_there_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with whole_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"  # until the block ends
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.json"]


def written(path):
    with whole_file(path) as part:
        part.write_text("new")


def left_early(path, stop):
    with whole_file(path) as part:
        part.write_text("ne")
        raise stop


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_a_block_that_is_left_early_changes_nothing(tmp_path, stop):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(stop):
        left_early(path, stop)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("code", [FULL, DENIED], ids=["full", "denied"])
def test_the_error_of_the_disk_comes_through(tmp_path, code):
    with failing("*a.json*", code), pytest.raises(OSError, match=r"No space|denied") as caught:
        written(tmp_path / "a.json")
    assert caught.value.errno == code
    assert names(tmp_path) == []


def test_what_cannot_be_moved_is_an_error_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "a.json"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        written(path)
    assert names(tmp_path) == ["a.json"]
