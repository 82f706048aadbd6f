"""Files of records that were cut, damaged, doubled or are foreign: refused by line, or read as they were."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest

from tests.robustness.world import RECORD
from workbench.records import ResultsError, Store
from workbench.report import read_results
from workbench.verify import Record

FIELDS = [field.name for field in dataclasses.fields(Record)]
OTHER_TYPES = {"text": "many", "list": [1], "object": {"a": 1}, "bool": True, "null": None, "number": 1.5}


def made(unit: str, **changes) -> Record:
    return dataclasses.replace(RECORD, unit=unit, **changes)


def line(**changes) -> bytes:
    return json.dumps({**RECORD.to_json(), **changes}).encode() + b"\n"


def one_file(folder: Path, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "records-0.jsonl"
    path.write_bytes(content)
    return path


# -- records: cut anywhere --------------------------------------------------------------------------


def boundaries(content: bytes) -> dict[str, int]:
    """One place of every kind at which a file of two lines can end."""
    first = content.index(b"\n") + 1
    return {
        "nothing": 0,
        "one byte": 1,
        "inside a name": content.index(b'"verdict"') + 3,
        "after a comma": content.index(b",") + 1,
        "after a colon": content.index(b":") + 1,
        "inside a text": content.index(b"not refuted") + 3,
        "inside a number": content.index(b"0.5") + 2,
        "before the last brace": first - 2,
        "before the newline": first - 1,
        "after the newline": first,
        "inside the second line": first + 7,
        "before the last newline": len(content) - 1,
        "whole": len(content),
    }


CUTS = list(boundaries(line() + line(unit="v")))


@pytest.mark.parametrize("cut", CUTS)
def test_records_cut_anywhere_are_what_is_whole_and_go_on(tmp_path, cut):
    whole = [made("u"), made("v")]
    Store(tmp_path).write(whole[:1])
    Store(tmp_path).write(whole[1:])
    path = tmp_path / "records-0.jsonl"
    content = path.read_bytes()[: boundaries(path.read_bytes())[cut]]
    path.write_bytes(content)
    left = content.count(b"\n")
    if left:
        assert read_results(tmp_path).records == tuple(whole[:left])
    else:
        with pytest.raises(ResultsError, match="no complete record"):
            read_results(tmp_path)
    assert path.read_bytes() == content  # the report touches nothing
    store = Store(tmp_path)
    assert [store.done(r.unit) for r in whole] == [[r] if i < left else None for i, r in enumerate(whole)]
    assert len(store.notes) == int(not content.endswith(b"\n") and content != b"")
    store.write(whole[left:])
    assert read_results(tmp_path).records == tuple(whole)


# -- records: not what they should be ---------------------------------------------------------------

STILL_FINE = {
    *(("reason", "text"), ("code", "text"), ("unit", "text"), ("theorem", "text"), ("problem", "text")),
    *(("method", "text"), ("norm", "text"), ("mutant", "text"), ("mutant", "null")),
    *((name, "null") for name in ("tightness", "measured", "bound", "e_value", "lower", "detectable")),
    *((name, "number") for name in ("tightness", "measured", "bound", "e_value", "lower", "detectable")),
    *(("statistics", "null"), ("witness", "null"), ("witness", "object"), ("seconds", "number")),
    *(("expected", "bool"), ("expected", "null"), ("statistics", "object")),
}
"""Another value of the type that the field has."""


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_another_type_is_never_trusted(tmp_path, name):
    for kind, value in OTHER_TYPES.items():
        if (name, kind) in STILL_FINE:
            continue
        folder = tmp_path / kind
        path = one_file(folder, line() + line(**{"unit": "v", name: value}))
        before = path.read_bytes()
        for reader in (Store, read_results):
            with pytest.raises(ResultsError, match=r"records-0.jsonl, line 2 is not a record"):
                reader(folder)
        assert path.read_bytes() == before


FOREIGN = {
    "binary": b"\x7fELF\x00\x01\xff\xfe\n",
    "utf-16": line().decode().encode("utf-16") + b"\n",
    "nothing but zeros": b"\0" * 100 + b"\n",
    "a blank line": b"\n" + line(),
    "two records on a line": line().strip() + line(),
    "deeply nested": b"[" * 100_000 + b"\n",
    "a huge number": line(seed=0).replace(b'"seed": 0', b'"seed": ' + b"9" * 5000),
    "nan": line().replace(b'"measured": 1.0', b'"measured": NaN'),
    "an older version": line(version=1),
    "a newer version": line(version=99),
    "the version as text": line(version="2"),
    "a field more": line(more=1),
    "a field less": json.dumps({k: v for k, v in RECORD.to_json().items() if k != "unit"}).encode() + b"\n",
    "an unknown verdict": line(verdict="proved"),
    "a negative part": line(part=[-1, 1]),
    "a part beyond": line(part=[1, 1]),
    "three parts": line(part=[0, 1, 2]),
    "another program's": b'{"level": "info", "message": "started"}\n',
    "a list": b"[]\n",
}


@pytest.mark.parametrize("what", [name for name in FOREIGN if name != "nan"])
def test_a_foreign_line_is_refused_by_number_and_kept(tmp_path, what):
    path = one_file(tmp_path, FOREIGN[what])
    before = path.read_bytes()
    for reader in (Store, read_results):
        with pytest.raises(ResultsError, match=r"line \d+ is not a record"):
            reader(tmp_path)
    assert path.read_bytes() == before


def test_a_number_that_json_lacks_is_no_verdict(tmp_path):
    one_file(tmp_path, FOREIGN["nan"])
    (record,) = read_results(tmp_path).records
    assert record.measured != record.measured
    assert record.to_json()["measured"] == "nan"


def test_records_that_are_there_twice_count_once_and_the_last_wins(tmp_path):
    one_file(tmp_path, line(checked=1) + line(checked=2) + line(unit="v") + line(checked=3))
    assert [r.checked for r in Store(tmp_path).done("u") or ()] == [3]
    assert sorted((r.unit, r.checked) for r in read_results(tmp_path).records) == [("u", 3), ("v", 3)]


def test_parts_of_two_runs_are_never_mixed(tmp_path):
    halves = [line(part=[i, 2], checked=c) for c, i in itertools.product((1, 2), (0, 1))]
    one_file(tmp_path, halves[0] + halves[2] + halves[3])
    assert [r.checked for r in Store(tmp_path).done("u") or ()] == [2, 2]


@pytest.mark.parametrize("where", ["file", "folder"])
def test_what_a_link_points_to_is_read_and_gone_on_with(tmp_path, where):
    real = tmp_path / "real"
    Store(real).write([made("u")])
    linked = tmp_path / "linked"
    if where == "folder":
        linked.symlink_to(real)
    else:
        linked.mkdir()
        (linked / "records-0.jsonl").symlink_to(real / "records-0.jsonl")
    store = Store(linked)
    store.write([made("v")])
    assert [r.unit for r in read_results(linked).records] == ["u", "v"]
    assert [r.unit for r in read_results(real).records] == ["u", "v"]


def test_a_link_to_nothing_and_a_folder_for_a_file(tmp_path):
    gone, folder = tmp_path / "gone", tmp_path / "folder"
    gone.mkdir()
    (gone / "records-7.jsonl").symlink_to(tmp_path / "no such file")
    (folder / "records-7.jsonl").mkdir(parents=True)
    for place in (gone, folder):
        with pytest.raises(ResultsError, match=r"records-7.jsonl"):
            read_results(place)
        with pytest.raises(ResultsError, match=r"records-7.jsonl"):
            Store(place)
