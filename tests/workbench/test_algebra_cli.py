"""What `workbench show` says of a theorem by algebra, and `workbench evidence`."""

import json

import pytest

from workbench.algebra.summary import summary
from workbench.cli import evidence, show
from workbench.cli.evidence_page import page
from workbench.cli.output import WrongUseError
from workbench.registry import Registry

THEOREMS = {t.id: t for t in Registry().theorems}
FIRST_OF_KIND = {t.kind: name for name, t in reversed(THEOREMS.items())}
SAMPLE = sorted({*FIRST_OF_KIND.values(), *list(THEOREMS)[::12]})


@pytest.mark.parametrize("name", SAMPLE)
def test_every_theorem_has_a_summary(name):
    found = summary(THEOREMS[name])
    texts, data = found.shown(), found.to_json()
    assert texts["rate"]
    assert texts["units"].startswith(("agree", "not checked"))
    assert texts["worst case"].startswith(("none: ", "exact: "))
    assert all(i["holds"] for i in data["identities"])
    assert all(
        rate["kind"] in ("power", "linear", "floor", "constant", "step", "none") for rate in data["rates"]
    )
    json.dumps(data, allow_nan=False)


def test_show_prints_it(capsys):
    assert show.main("gd/convex", None, False) == 0
    out = capsys.readouterr().out
    assert "rate          k^-1, times dist0**2/(4*stepsize)" in out
    assert "steps         K(epsilon) = ceil((L*dist0**2/epsilon - 2)/(4*L*stepsize))" in out
    assert "units         agree (f)" in out
    assert "1/2 * |g0 + 1/2 g1 - 1/2 x0|^2" in out
    assert "worst case    exact" in out


def test_show_has_it_as_data(capsys):
    assert show.main("bpm/next-distance", None, True) == 0
    shown = json.loads(capsys.readouterr().out)
    algebra = shown["algebra"]
    assert algebra["rates"][0]["factor"] == "1/(1 + radius/dist_next)"
    assert algebra["identities"][0]["name"] == "the gap over the next distance"
    assert algebra["units"]["agree"] is True
    assert "rate" not in shown


def run(out, *names, budget=30, json_=False):
    return evidence.main(list(names), budget, out, 0, json_)


def test_evidence_writes_a_page_and_goes_on_where_it_stopped(tmp_path, capsys, monkeypatch):
    out = tmp_path / "evidence.md"
    assert run(out, "gd/convex") == 0
    text = out.read_text()
    assert "| gd/convex | `k^-1, times dist0**2/(4*stepsize)` | 1 | " in text
    assert "| as is |" in text
    kept = json.loads(out.with_suffix(".json").read_text())
    assert kept["rows"]["gd/convex"]["exact"]["verdict"] == "certified"
    asked = []

    def stop(theorem, *_):
        asked.append(theorem.id)
        raise KeyboardInterrupt

    monkeypatch.setattr(evidence, "row", stop)
    assert run(out, "gd/convex", "gd/pl") == evidence.INTERRUPTED
    assert asked == ["gd/pl"]
    assert out.read_text() == text
    kept["rows"]["gd/convex"]["statement"][0] = "gap <= 0"
    out.with_suffix(".json").write_text(json.dumps(kept))
    assert run(out, "gd/convex") == evidence.INTERRUPTED
    assert asked == ["gd/pl", "gd/convex"]
    assert run(out, "gd/pl", budget=31) == evidence.INTERRUPTED
    assert "made with another budget" in capsys.readouterr().err


def test_evidence_says_where_ours_is_better(tmp_path, capsys):
    out = tmp_path / "page.md"
    assert run(out, "bpm/line", json_=True) == 0
    (row,) = json.loads(capsys.readouterr().out)["theorems"]
    assert row["exact"]["verdict"] == "certified"
    assert row["exact"]["ratio"] == pytest.approx(1)
    text = page([row], 30, 0)
    better = text.partition("## Better than published")[2].partition("## Bounds with room")[0]
    assert "**bpm/line**" in better
    assert "1 - radius/dist" in better
    assert "triangle" not in better
    assert "Proof: the published factor less ours" in better


@pytest.mark.parametrize(
    ("out", "budget", "names", "said"),
    [
        (None, 0, ["gd/convex"], "--budget must be at least 1, got 0"),
        ("page.txt", 5, ["gd/convex"], "ends in .md"),
        ("no/such/page.md", 5, ["gd/convex"], "cannot be written"),
        (None, 5, ["gd/none"], "gd/none"),
    ],
)
def test_wrong_use_is_said_before_any_work(tmp_path, out, budget, names, said):
    path = None if out is None else tmp_path / out
    with pytest.raises(WrongUseError, match=said):
        evidence.main(names, budget, path, 0, False)


def test_a_foreign_file_is_not_written_over(tmp_path):
    (tmp_path / "page.json").write_text("[1]")
    with pytest.raises(WrongUseError, match="not what this command writes"):
        run(tmp_path / "page.md", "gd/convex")
    assert (tmp_path / "page.json").read_text() == "[1]"
