"""The page of ``workbench report`` as text: mathematics, well-formed, nothing loaded, nothing injected."""

import base64
import dataclasses
import hashlib
import json

import pytest

from tests.workbench.html_reader import parsed
from tests.workbench.report_toys import absent, made, odd_numbers, verified, witness, write
from workbench.report import (
    Library,
    Results,
    document,
    page,
    read_results,
)
from workbench.report.mathml import mathml
from workbench.statement import claim_latex
from workbench.theorems import THEOREMS

HOSTILE = "</script><b>&amp;<!--\u2028\"'`${x}@data@\ud800"


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return verified(tmp_path_factory.mktemp("results"))


def test_every_claim_of_the_library_becomes_mathml():
    for theorem in THEOREMS:
        shown = mathml(claim_latex(theorem))
        assert shown is not None, theorem.id
        assert "\\" not in shown, theorem.id


def test_words_are_joined_and_stand_apart():
    shown = mathml(r"L \mathrm{step} + \mathrm{cost_i}^2") or ""
    assert '<mi>L</mi><mspace width="0.17em" /><mrow><mi mathvariant="normal">step</mi></mrow>' in shown
    assert '<mi mathvariant="normal">cost</mi><mi mathvariant="normal">i</mi>' in shown


@pytest.mark.parametrize("latex", [r"\href{javascript:alert(1)}{x}", r"\frac{", r"\left(", r"\|x\|_i_{k+1}"])
def test_what_is_not_mathematics_is_not_converted(latex):
    assert mathml(latex) is None


def test_the_page_is_well_formed_and_loads_nothing(folder, library):
    shown = document(read_results(folder), library)
    text = page(shown)
    reader = parsed(text)
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    ids = [a["id"] for _, a in reader.seen if "id" in a]
    assert len(ids) == len(set(ids))
    assert not [a for _, a in reader.seen if "src" in a]
    assert {a["href"] for _, a in reader.seen if "href" in a} == {"#matrix", "data:,"}
    assert {"title", "noscript", "main"} <= {tag for tag, _ in reader.seen}
    assert json.loads(reader.raw["script"][0]) == shown


def test_the_policy_allows_exactly_the_script_and_the_style_of_the_page(folder, library):
    reader = parsed(page(document(read_results(folder), library)))
    [policy] = [a["content"] for _, a in reader.seen if a.get("http-equiv")]
    for kind, content in (("script", reader.raw["script"][1]), ("style", reader.raw["style"][0])):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_hostile_texts_stay_texts(tmp_path, library):
    record = made(
        theorem=HOSTILE,
        problem=HOSTILE,
        reason=HOSTILE,
        method=HOSTILE,
        norm=HOSTILE,
        parameters={HOSTILE: HOSTILE},
        certificate=(HOSTILE,),
        mutant=HOSTILE,
        witness=witness(theorem=HOSTILE),
    )
    results = read_results(write(tmp_path / "<b>&", record, made(theorem=HOSTILE)))
    shown = document(results, library, results)
    text = page(shown)
    plain = read_results(write(tmp_path / "plain", made(mutant="m", theorem="a"), made(theorem="a")))
    ordinary = page(document(plain, library, plain))
    assert [t for t, _ in parsed(text).seen] == [t for t, _ in parsed(ordinary).seen]
    assert json.loads(parsed(text).raw["script"][0]) == shown
    assert "&lt;b&gt;&amp;" in text


def test_the_hostile_title_of_a_users_theorem_stays_text(tmp_path, library):
    [known] = [t for t in THEOREMS if t.id == "bpm/line"]
    texts = {"title": HOSTILE, "proof": HOSTILE}
    results = read_results(write(tmp_path, made()))
    pages = []
    for theorem in (
        known,
        dataclasses.replace(
            known, **texts, source=dataclasses.replace(known.source, title=HOSTILE, where=HOSTILE)
        ),
    ):
        library.theorems["bpm/line"] = theorem
        pages.append(parsed(page(document(results, library))))
    library.theorems["bpm/line"] = known
    plain, hostile = pages
    assert [t for t, _ in hostile.seen] == [t for t, _ in plain.seen]
    told = json.loads(hostile.raw["script"][0])["theorems"][0]["statement"]
    assert told["title"] == told["proof"] == HOSTILE.replace("\ud800", "?")
    assert hostile.seen.count(("th", {"scope": "row", "class": "id", "title": told["title"]})) == 1


def test_odd_numbers_are_kept(tmp_path, library):
    shown = document(read_results(write(tmp_path, *odd_numbers())), library)
    assert shown["records"]["tightness"] == ["inf", "-inf", "nan", 0.0, -2.0, 1e-30, 1.0000001]
    assert shown["theorems"][0]["tightness"] == "inf"


def test_the_whole_library_stays_under_five_megabytes(tmp_path, library):
    """As many records as a quick run of everything writes, with specifications of a common length."""
    problems = [f"Family{i}(weights=({', '.join(['1.25'] * 30)}), start=({i}.5,))" for i in range(66)]
    records = [
        made(theorem=t.id, problem=p, tightness=0.1234567890123456 + i, measured=i / 7, bound=i / 3)
        if i % 3 == 0
        else absent(t.id, p)
        for t in THEOREMS
        for i, p in enumerate(problems)
    ]
    assert len(records) > 11_600
    assert len(page(document(Results(tmp_path, tuple(records), ()), library)).encode()) < 5_000_000
