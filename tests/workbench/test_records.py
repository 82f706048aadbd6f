"""Records on disk: found again, torn lines dropped, foreign lines refused, nothing deleted."""

import dataclasses
import errno
import fcntl
import gc
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.made_record import RECORD as BASE
from workbench.records import ResultsError, Store, results_json, source_hash
from workbench.verify import Record, Verdict

SCHEMA = Path(__file__).parents[2] / "workbench" / "record.schema.json"
RECORD = dataclasses.replace(BASE, theorem="a/b", bound=math.inf, seconds=0.1)


def made(unit: str, index: int, count: int, **changes) -> Record:
    return dataclasses.replace(RECORD, unit=unit, part=(index, count), **changes)


def test_a_later_run_finds_what_is_complete(tmp_path):
    pair = [made("u", 0, 2), made("u", 1, 2)]
    store = Store(tmp_path)
    store.write(pair)
    store.write([made("half", 0, 2)])
    assert store.done("u") == pair
    again = Store(tmp_path)
    assert again.done("u") == pair
    assert again.done("half") is None
    assert again.done("other") is None
    assert again.notes == []


def test_fresh_ignores_what_is_there_and_wins_later(tmp_path):
    Store(tmp_path).write([made("u", 0, 2), made("u", 1, 2)])
    fresh = Store(tmp_path, fresh=True)
    assert fresh.done("u") is None
    fresh.write([made("u", 0, 1, checked=7)])
    assert [r.checked for r in Store(tmp_path).done("u")] == [7]


def test_an_unfinished_second_set_does_not_hide_the_first(tmp_path):
    first = [made("u", 0, 2), made("u", 1, 2)]
    Store(tmp_path).write(first)
    Store(tmp_path, fresh=True).write([made("u", 0, 2, checked=9)])
    assert Store(tmp_path).done("u") == first


@pytest.mark.parametrize("keep", [1, 40, -1])
def test_a_torn_last_line_is_dropped_and_appending_is_safe(tmp_path, keep):
    store = Store(tmp_path)
    store.write([made("whole", 0, 1)])
    store.write([made("torn", 0, 1)])
    file = tmp_path / "records-0.jsonl"
    first, second, _ = file.read_bytes().split(b"\n")
    file.write_bytes(first + b"\n" + (second[:keep] if keep > 0 else second))
    again = Store(tmp_path)
    assert again.done("whole") is not None
    assert again.done("torn") is None
    assert "line 2" in again.notes[0]
    again.write([made("torn", 0, 1)])
    assert Store(tmp_path).done("torn") == [made("torn", 0, 1)]


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"[1]",
        b"\xff\xfe",
        b"{}",
        b"",
        b'{"version": 1}',
        json.dumps({**RECORD.to_json(), "more": 1}).encode(),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_foreign_line_is_refused_by_number_and_kept(tmp_path, line, place):
    Store(tmp_path).write([made("u", 0, 1)])
    file = tmp_path / "records-0.jsonl"
    lines = file.read_bytes().splitlines()
    lines.insert(place, line)
    content = b"\n".join(lines) + b"\n"
    file.write_bytes(content)
    with pytest.raises(ResultsError, match=rf"records-0.jsonl, line {place + 1} .*--out"):
        Store(tmp_path)
    assert file.read_bytes() == content


def test_another_version_is_refused(tmp_path):
    (tmp_path / "records-0.jsonl").write_text(json.dumps({**RECORD.to_json(), "version": 99}) + "\n")
    with pytest.raises(ResultsError, match="version 99"):
        Store(tmp_path)


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(ResultsError, match="is a file"):
        Store(tmp_path / "results")
    with pytest.raises(ResultsError, match="cannot be written"):
        Store(tmp_path / "results" / "deeper")
    assert (tmp_path / "results").read_text() == "mine"


def test_workers_have_files_of_their_own(tmp_path):
    Store(tmp_path, worker="1").write([made("a", 0, 1)])
    Store(tmp_path, worker="2").write([made("b", 0, 1)])
    store = Store(tmp_path)
    assert store.done("a") is not None
    assert store.done("b") is not None


HOLD = """
import sys
from workbench.records import Store
store = Store("held")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_belongs_to_one_process_at_a_time(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(SCHEMA.parents[1])}
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ResultsError, match=rf"held is being written to by process {other.pid}; .*--out"):
            Store(tmp_path / "held")
        (tmp_path / "held" / "records-1.jsonl").write_text('{"torn')
        Store(tmp_path / "another")
        other.kill()  # nothing is cleaned up, and nothing need be
    store = Store(tmp_path / "held")
    store.write([made("u", 0, 1)])
    assert Store(tmp_path / "held").done("u") is not None
    assert str(os.getpid()) in (tmp_path / "held" / ".lock").read_text()


def test_a_file_system_without_locks_is_said_to_be_so(tmp_path, monkeypatch):
    def flock(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    store = Store(tmp_path)
    assert store.notes == [f"{tmp_path} cannot be locked (No locks available): let no other run write there"]
    store.write([made("u", 0, 1)])
    assert store.done("u") is not None


def test_a_lock_of_another_user(tmp_path):
    (tmp_path / ".lock").mkdir()  # what cannot be opened, root included
    with pytest.raises(ResultsError, match="cannot be written"):
        Store(tmp_path)


def test_a_store_that_is_gone_frees_its_folder(tmp_path):
    def locked() -> bool:
        with (tmp_path / ".lock").open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    one, two = Store(tmp_path), Store(tmp_path)
    assert locked()
    del one
    assert locked()
    del two
    gc.collect()
    assert not locked()


def test_a_refuted_record_has_a_witness_file(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("")
    witness = {"theorem": "a/b", "measured": math.nan, "file": str(mine)}
    refuted = made("u", 0, 1, verdict="refuted", expected=False, witness=witness)
    store = Store(tmp_path / "out")
    store.write([refuted])
    path = store.witness(refuted)
    data = json.loads(path.read_text())
    assert path.parent == tmp_path / "out" / "witnesses"
    assert (data["measured"], data["code"], len(data["file_hash"])) == ("nan", RECORD.code, 64)
    assert len(list(path.parent.iterdir())) == 1
    with pytest.raises(ValueError, match="no witness"):
        store.witness(RECORD)


def test_the_source_hash_sees_the_users_file(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("a = 1")
    first = source_hash([mine])
    assert first == source_hash([mine])
    assert first != source_hash()
    mine.write_text("a = 2")
    assert source_hash([mine]) != first


def test_the_schema_describes_records():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    records = [made("u", 0, 1), made("v", 0, 1, tightness=math.nan, expected=None, witness={"k": 1})]
    document = json.loads(json.dumps(results_json(records, seed=0), allow_nan=False))
    jsonschema.validate(document, schema)
    fields = {f.name for f in dataclasses.fields(Record)}
    record = schema["$defs"]["record"]
    assert fields == set(record["properties"]) == set(record["required"])
    assert set(record["properties"]["verdict"]["enum"]) == set(Verdict)
    document["records"][0]["verdict"] = "proved"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)
    assert Record.from_json(json.loads(json.dumps(records[0].to_json()))) == records[0]
