"""Folders of records that are not what this program writes: each is named, none is believed."""

import json
import math

import pytest

from tests.workbench.report_toys import made, witness, write
from workbench.records import ResultsError
from workbench.report import Library, document, page, read_results
from workbench.verify.wellformed import require_wellformed

GOOD = made(verdict="refuted", expected=False, witness=witness()).to_json()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("verdict", "holds", "verdict must be one of not refuted, .*got 'holds'"),
        ("kind", "proof", "kind must be one of path, .*got 'proof'"),
        ("source_status", "PROVED", "source_status must be one of SOURCED, DERIVED, RECALLED, got 'PROVED'"),
        ("theorem", 5, "theorem must be str, got '5'"),
        ("theorem", ["a"], "theorem must be str"),
        ("problem", None, "problem must be str, got 'None'"),
        ("parameters", [1], "parameters must be .*Mapping"),
        ("parameters", {"a": {"b": 1}}, "parameters must be .*Mapping"),
        ("certificate", [1], "certificate must be tuple"),
        ("tightness", "abc", "must be a number"),
        ("tightness", 10**400, "too large"),
        ("witness", [1], "witness must be .*Mapping.* or None|witness must be .*Mapping"),
        ("statistics", {"whole": "much"}, "statistics must be"),
        ("seed", "0", "seed must be int, got '0'"),
        ("checked", True, "checked must be int, got 'True'"),
        ("seconds", -1.0, "seconds must be at least 0"),
        ("seconds", math.nan, "seconds must be at least 0 and finite, got nan"),
        ("expected", "yes", "expected must be bool"),
        ("mutant", 3, "mutant must be"),
        ("part", [0], "part must be"),
        ("part", [1, 1], "part must be .*index < count"),
        ("part", [0, 0], "part must be .*index < count"),
    ],
)
def test_a_field_of_another_kind_is_named_with_file_and_line(tmp_path, field, value, said):
    path = tmp_path / "records-0.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD | {field: value})}\n")
    with pytest.raises(ResultsError, match=said) as caught:
        read_results(tmp_path)
    assert f"{path}, line 2 is not a record that this program can read" in str(caught.value)


@pytest.mark.parametrize("line", ["[" * 100_000 + "]" * 100_000, '{"theorem": ' + "1" * 5000 + "}", "\0" * 9])
def test_a_line_that_no_parser_likes_is_named(tmp_path, line):
    (tmp_path / "records-0.jsonl").write_text(f"{line}\n")
    with pytest.raises(ResultsError, match="line 1 is not a record that this program can read"):
        read_results(tmp_path)


def test_whatever_a_run_writes_is_well_formed():
    odd = made(
        tightness=math.inf,
        bound=math.nan,
        statistics={"low": -math.inf, "whole": 2},
        verdict="consistent",
        kind="slope",
        expected=None,
        seconds=3,
    )
    require_wellformed(odd)
    require_wellformed(type(odd).from_json(json.loads(json.dumps(odd.to_json()))))


def test_a_witness_that_no_parser_likes_is_nobodys(tmp_path):
    refuted = made(verdict="refuted", expected=False, witness=witness())
    write(tmp_path, refuted)
    (tmp_path / "witnesses" / "witness-a.json").write_text("[" * 100_000)
    path = read_results(tmp_path).witness_file(refuted)
    assert path
    assert path.name != "witness-a.json"


def test_half_characters_reach_no_file(tmp_path):
    write(tmp_path / "\udcff", made(theorem="a\ud800", parameters={"\udc00": "1"}))
    shown = document(read_results(tmp_path / "\udcff"), Library())
    assert shown["theorems"][0]["id"] == "a?"
    assert shown["folders"][0]["name"].endswith("/?")
    json.dumps(shown, ensure_ascii=False).encode()
    page(shown).encode()
