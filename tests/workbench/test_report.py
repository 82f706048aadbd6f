"""``workbench report``: folders read, the data of the page, two folders compared."""

import json
import shlex
from pathlib import Path

import pytest

from tests.workbench.report_toys import RECORD, absent, made, verified, witness, write
from workbench.records import ResultsError, Store, source_hash
from workbench.report import Library, document, read_results, theorem_rows
from workbench.report.looks import LOOKS
from workbench.verify import WORST_FIRST, Verdict


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return verified(tmp_path_factory.mktemp("results"))


def test_every_record_is_read_and_nothing_is_touched(folder):
    stored = [json.loads(line) for line in (folder / "records-0.jsonl").read_text().splitlines()]
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    results = read_results(folder)
    assert [r.to_json() for r in results.records] == stored
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
    assert (results.older, results.notes) == (0, ())
    assert [(f.name, f.lines) for f in results.files] == [("records-0.jsonl", len(stored))]
    with_witness = [r for r in results.records if r.witness]
    assert with_witness
    assert all(path and path.is_file() for path in map(results.witness_file, with_witness))


def test_a_folder_that_is_being_written_to_is_read(tmp_path):
    store = Store(tmp_path)  # holds the lock
    store.write([made(), made(problem="Cosine()")])
    with (tmp_path / "records-0.jsonl").open("a") as file:
        file.write('{"theorem": "bpm')
        file.flush()
        results = read_results(tmp_path)
    assert len(results.records) == 2
    assert len(results.notes) == 1
    assert "line 3 is torn" in results.notes[0]


def test_a_unit_that_was_cut_off_is_left_out_and_does_not_hide_an_earlier_one(tmp_path):
    pair = [made(unit="u", part=(i, 2), problem=f"Huber(d={i})") for i in (0, 1)]
    Store(tmp_path).write(pair)
    write(tmp_path, made(unit="u", part=(0, 3), checked=9), made(unit="half", part=(0, 2)))
    results = read_results(tmp_path)
    assert list(results.records) == pair
    assert results.notes == ("2 records belong to work that was cut off and were left out",)


def test_work_done_again_counts_once(tmp_path):
    write(tmp_path, made(unit="u", checked=1), made(unit="u", checked=2))
    assert [r.checked for r in read_results(tmp_path).records] == [2]


def test_records_of_earlier_sources_give_way_pair_by_pair(tmp_path):
    kept = [made(problem="Cosine()", code="old"), made(mutant="m", code="old"), made(code="new")]
    write(tmp_path, made(code="old"), made(code="old", parameters={}), *kept)
    results = read_results(tmp_path)
    assert list(results.records) == kept
    assert results.older == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no records"),
        ("", "holds no complete record"),
        ('{"torn', "line 1 is torn"),
        ("[1]\n", "line 1 is not a record that this program can read"),
        ("nonsense\n", "line 1 is not a record that this program can read"),
        (json.dumps(RECORD.to_json() | {"version": 1}) + "\n", "record version 1, this program reads 2"),
        (json.dumps({"theorem": "a"}) + "\n", "not a record of this version: missing"),
    ],
)
def test_a_folder_without_records_is_named(tmp_path, content, said):
    if content is not None:
        (tmp_path / "records-0.jsonl").write_text(content)
    with pytest.raises(ResultsError, match=said) as caught:
        read_results(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_no_folder_and_a_file_are_named(tmp_path):
    with pytest.raises(ResultsError, match=r"there is no folder .*nowhere"):
        read_results(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="is a file"):
        read_results(tmp_path / "file")


def test_a_damaged_witness_file_does_no_harm(tmp_path):
    refuted = made(verdict="refuted", expected=False, witness=witness())
    write(tmp_path, refuted)
    for name, content in {"a": "{", "b": "[]", "c": "{}"}.items():
        (tmp_path / "witnesses" / f"witness-{name}.json").write_text(content)
    assert read_results(tmp_path).witness_file(refuted) in (tmp_path / "witnesses").iterdir()


def decoded(shown: dict) -> list[tuple]:
    texts, columns = shown["texts"], shown["records"]
    told = zip(*(columns[name] for name in ("theorem", "problem", "verdict", "rules")), strict=True)
    numbers = zip(*(columns[name] for name in ("tightness", "measured", "bound", "checked")), strict=True)
    return [(*(texts[i] for i in t), *n) for t, n in zip(told, numbers, strict=True)]


def test_the_document_holds_every_record(folder, library):
    results = read_results(folder)
    shown = document(results, library)
    written = [r.to_json() for r in results.records if r.verdict != Verdict.NOT_APPLICABLE]
    expected = [
        (
            *(r["theorem"], r["problem"], r["verdict"]),
            ", ".join(f"{k} = {v}" for k, v in r["parameters"].items()),
            *(r["tightness"], r["measured"], r["bound"], r["checked"]),
        )
        for r in written
    ]
    assert decoded(shown) == expected
    skipped = [r for r in results.records if r.verdict == Verdict.NOT_APPLICABLE]
    assert skipped
    assert [shown["texts"][i] for i in shown["not_applicable"]["reason"]] == [r.reason for r in skipped]
    assert len(set(shown["texts"])) == len(shown["texts"])
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_theorems_come_in_the_order_of_the_library_with_their_statements(tmp_path, library):
    write(tmp_path, made(theorem="mine/own"), made(theorem="bpm/line"), made(theorem="gd/convex"))
    theorems = document(read_results(tmp_path), library)["theorems"]
    assert [t["id"] for t in theorems] == ["gd/convex", "bpm/line", "mine/own"]
    assert theorems[2]["statement"] is None
    line = theorems[1]["statement"]
    assert line["url"] == "https://arxiv.org/abs/2502.02002"
    assert line["assumes"][0][0] == "Convex"
    assert line["mathml"].startswith("<math")
    assert "radius" in line["parameters"]


def test_rows_show_the_worst_and_the_largest(tmp_path, library):
    records = [
        made(tightness=0.2),
        made(problem="Cosine()", tightness=0.9),
        made(problem="Cosine()", verdict="inconclusive", tightness=None),
        made(mutant="false", verdict="refuted", tightness=5.0),
        made(mutant="missed", expected=False),
        absent("bpm/line", "Power()"),
        absent("gd/convex", "Power()"),
    ]
    write(tmp_path, *records)
    never, row = theorem_rows(read_results(tmp_path), library)
    assert (row.verdict, row.tightness, row.tried) == (Verdict.INCONCLUSIVE, 0.9, 2)
    assert (row.caught, row.mutants) == (1, 2)
    assert (never.verdict, never.tightness, never.tried) == (Verdict.UNTESTED, None, 0)


def test_the_order_of_verdicts_is_that_of_the_command_line():
    assert tuple(LOOKS) == WORST_FIRST
    assert sorted(WORST_FIRST) == sorted(Verdict)
    assert len({look.symbol for look in LOOKS.values()}) == len(LOOKS)


def test_sources_are_known_by_their_hash(tmp_path):
    write(tmp_path, made(), made(problem="Cosine()", code=source_hash()))
    codes = document(read_results(tmp_path), Library())["folders"][0]["codes"]
    assert [here for _, _, here in codes] == [False, True]


def test_a_witness_comes_with_its_command(tmp_path, library):
    folder = tmp_path / "it's here"
    big = witness(x0=[0.125] * 1000)
    write(
        folder, made(verdict="refuted", expected=False, witness=big), made(mutant="m", witness=witness(k=7))
    )
    first, second = document(read_results(folder), library)["witnesses"]
    program, command, path = shlex.split(first["command"])
    assert (program, command) == ("workbench", "replay")
    assert json.loads(Path(path).read_text())["x0"] == big["x0"]
    assert first["told"]["hyperparameters"] == "radius = 0.5"
    assert first["told"]["x0"].endswith("(whole in the file)")
    assert second["told"]["k"] == "7"


def test_the_command_of_a_witness_takes_no_path_for_an_option(tmp_path, library, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("-r"), made(verdict="refuted", expected=False, witness=witness()))
    [told] = document(read_results(Path("-r")), library)["witnesses"]
    assert told["command"].startswith("workbench replay ./-r/witnesses/witness-")
