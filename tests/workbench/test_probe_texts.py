"""Texts for networks, and what is said of texts that cannot be used."""

import gzip
import hashlib
import sys
from pathlib import Path

import pytest
import torch

from problems.data.libsvm import DataError
from workbench.probes.data import default_text, load_text
from workbench.probes.data import text as texts

ZEBRA = "Zebra, żółw 🦓\n zebra"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "zebra.txt"
    path.write_text(ZEBRA, encoding="utf-8")
    return path


def test_characters_of_a_file_are_its_tokens(file: Path):
    text = load_text(file)
    assert text.symbols == "".join(sorted(set(ZEBRA)))
    assert text.vocabulary == len(text.symbols)
    assert "".join(text.symbols[token] for token in text.tokens.tolist()) == ZEBRA
    assert text.tokens.dtype == torch.int32
    assert text.sha256 == hashlib.sha256(ZEBRA.encode()).hexdigest()
    assert (text.name, text.note) == (str(file), "")


def test_bytes_of_a_file_are_its_tokens(file: Path):
    text = load_text(file, "bytes")
    assert bytes(text.tokens.tolist()) == ZEBRA.encode()
    assert (text.vocabulary, text.symbols) == (256, None)


def test_a_mark_of_the_byte_order_is_no_token(tmp_path: Path):
    path = tmp_path / "marked.txt"
    path.write_text("ab", encoding="utf-8-sig")
    assert load_text(path).symbols == "ab"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "two different characters or more, got ''"),
        (b"aaaa", "two different characters or more, got 'aaaa'"),
        (b"PNG\x00\x01", "byte 3 is 0: the file is binary"),
        (b"abc\xff\xfe", "expected a text in UTF-8: byte 3: invalid start byte"),
    ],
    ids=["empty", "marked", "single", "binary", "latin"],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_text(path)
    assert str(path) in str(caught.value)


def test_texts_that_are_not_there_are_named(tmp_path: Path, file: Path):
    with pytest.raises(DataError, match="text must be 'king_james', 'jargon', 'pydoc' or the path of a text"):
        load_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match=r"cannot be read: Is a directory"):
        load_text(tmp_path)
    with pytest.raises(ValueError, match="tokens must be one of chars, bytes, got 'words'"):
        load_text(file, "words")


def test_python_has_a_text_of_its_own():
    text = load_text("pydoc")
    assert len(text.tokens) > 100_000
    assert text.symbols is not None
    assert "\n" in text.symbols


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the packages; its root is returned."""
    monkeypatch.setattr(texts, "debian_roots", lambda: [tmp_path])
    monkeypatch.setattr(texts.shutil, "which", lambda name: None)
    return tmp_path


def jargon(root: Path, content: bytes) -> None:
    path = root / texts.JARGON
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def bible(root: Path, script: str) -> None:
    """A program where bible-kjv has its own."""
    path = root / "usr/bin/bible"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    (root / "usr/lib").mkdir()
    (root / "usr/lib/bible.data").write_text("the data")


def test_the_default_text_is_the_best_that_is_there(bare: Path):
    missing = "king_james is not installed: apt-get install bible-kjv"
    assert default_text() == (
        "pydoc",
        f"the default; {missing}; jargon is not installed: apt-get install jargon-text",
    )
    jargon(bare, gzip.compress(b"foo bar"))
    assert default_text() == ("jargon", f"the default; {missing}")
    assert load_text("jargon").symbols == " abfor"
    bible(bare, "")
    assert default_text() == ("king_james", "the default")


def test_missing_and_torn_packages_are_named(bare: Path):
    with pytest.raises(DataError, match="text 'king_james' was not found: apt-get install bible-kjv"):
        load_text("king_james")
    with pytest.raises(DataError, match="text 'jargon' was not found: apt-get install jargon-text"):
        load_text("jargon")
    jargon(bare, gzip.compress(b"foo bar")[:-9])
    with pytest.raises(DataError, match=r"jargon.txt.gz: cannot be read"):
        load_text("jargon")


def test_verses_come_from_the_program(bare: Path):
    """It runs where its data are, and is asked for all verses."""
    said = "print('Ge1:1 In the beginning', open('bible.data').read(), sys.argv[1:])"
    bible(bare, f"import sys; {said}")
    text = load_text("king_james")
    assert text.symbols is not None
    words = "".join(text.symbols[token] for token in text.tokens.tolist())
    assert words == "Ge1:1 In the beginning the data ['-f', 'gen1:1-rev22:21']\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "import sys; sys.exit('Cannot open data file')",
            "expected the verses .* got 'Cannot open data file'",
        ),
        ("print('another program')", "expected the verses .* got 'another program'"),
    ],
    ids=["failed", "another"],
)
def test_programs_that_give_no_verses_are_named(bare: Path, script: str, message: str):
    bible(bare, script)
    with pytest.raises(DataError, match=message):
        load_text("king_james")


@pytest.mark.parametrize(("name", "least", "symbols"), [("king_james", 4e6, 73), ("jargon", 1.5e6, 155)])
def test_texts_of_packages_are_read(name: str, least: float, symbols: int):
    if texts.TEXTS[name].find() is None:
        pytest.skip(f"{name} is not installed: {texts.TEXTS[name].install}")
    text = load_text(name)
    assert len(text.tokens) > least
    assert text.vocabulary == symbols
    assert int(text.tokens.max()) == symbols - 1
