"""A file is there whole or not at all."""

import os
import threading

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


def test_two_writers_at_once_leave_one_of_their_files_whole(tmp_path):
    """The other one begins and ends while this one writes."""
    path = tmp_path / "a.json"
    with whole_file(path) as part:
        part.write_text("this")
        other = threading.Thread(target=written, args=(path,))
        other.start()
        other.join()
        assert path.read_text() == "new"
        assert part.read_text() == "this"
    assert path.read_text() == "this"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_are_those_of_what_was_there_or_of_any_new_file(tmp_path):
    path, usual = tmp_path / "a.json", tmp_path / "usual"
    usual.write_text("")
    written(path)
    assert path.stat().st_mode == usual.stat().st_mode
    for mode in (0o600, 0o664):
        path.chmod(mode)
        written(path)
        assert path.stat().st_mode & 0o777 == mode


def test_a_link_stays_and_what_it_points_at_is_replaced(tmp_path):
    there, link, nowhere = tmp_path / "there", tmp_path / "link", tmp_path / "nowhere"
    there.mkdir()
    link.symlink_to(there / "a.json")  # which is not there yet
    for text in ("old", "new"):
        with whole_file(link) as part:
            part.write_text(text)
        assert link.is_symlink()
        assert (there / "a.json").read_text() == text
    nowhere.symlink_to(tmp_path / "no folder" / "a.json")
    with pytest.raises(FileNotFoundError):
        written(nowhere)
    assert names(there) == ["a.json"]
