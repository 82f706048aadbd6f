"""The page of ``workbench report`` where no script runs: a table made beforehand."""

from html.parser import HTMLParser

import pytest

from tests.workbench.chromium import launched, needs_chromium
from tests.workbench.report_toys import absent, made, odd_numbers, verified, write
from workbench.report import Library, document, page, read_results
from workbench.report.matrix import static_legend, static_matrix
from workbench.verify import Verdict


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


class Cells(HTMLParser):
    """The rows of a table, each a list of the texts of its cells."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(table)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.rows[-1][-1] += data


def test_each_theorem_has_its_row_and_each_family_its_column(tmp_path, library):
    records = [
        made(tightness=0.25),
        made(problem="Huber(d=2)", tightness=0.99999),
        made(problem="Cosine()", verdict="refuted", expected=False, tightness=1.5),
        made(problem="Cosine()", verdict="inconclusive", tightness=None),
        made(problem="Power()", mutant="false", verdict="refuted", tightness=9.0),
        made(theorem="mine/own", problem="Cosine()", source_status="RECALLED", expected=None, tightness=None),
        absent("gd/convex", "Power()"),
    ]
    shown = document(read_results(write(tmp_path, *records)), library)
    assert Cells(static_matrix(shown)).rows == [
        ["Theorem", "Status", "Verdict", "Tightness", "Mutants", "Huber", "Cosine"],
        ["gd/convex", "derived", "○ untested", "", "", "", ""],
        ["bpm/line", "derived", "✗ refuted", "1.5", "1/1", "✓ 0.9999", "✗ 1.5"],
        ["mine/own", "recalled", "✓ not refuted", "", "", "", "✓"],
    ]


def test_odd_numbers_do_not_hide_others(tmp_path, library):
    shown = document(read_results(write(tmp_path, *odd_numbers())), library)
    assert Cells(static_matrix(shown)).rows[1][3:] == ["inf", "", "✓ inf"]
    alone = [r for r in odd_numbers() if r.tightness is not None and r.tightness != r.tightness]
    shown = document(read_results(write(tmp_path / "nan", *alone)), library)
    assert Cells(static_matrix(shown)).rows[1][3:] == ["nan", "", "✓ nan"]


def test_no_verdict_is_called_more_than_it_is(tmp_path, library):
    shown = document(
        read_results(write(tmp_path, made(), made(problem="C()", verdict="consistent"))), library
    )
    meaning = {v["name"]: v["meaning"] for v in shown["verdicts"]}
    assert [v for v in Verdict if "no proof" in meaning[v]] == ["not refuted", "consistent"]
    assert not [v for v in Verdict if {"holds", "held", "true", "proved"} & set(meaning[v].split())]
    assert f"not refuted: {meaning['not refuted']}" in static_legend(shown)


@needs_chromium
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_without_scripts_shows_the_table(tmp_path, library, width):
    api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    html = tmp_path / "page.html"
    html.write_text(page(document(read_results(verified(tmp_path / "r")), library)), encoding="utf-8")
    with api.sync_playwright() as playwright:
        browser = launched(playwright)
        tab = browser.new_page(java_script_enabled=False, viewport={"width": width, "height": 800})
        asked = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(html.as_uri())
        names = tab.locator("#table-pane tbody th.id").all_inner_texts()
        assert names == ["bpm/distance", "bpm/line", "sgd/noise-descent-step"]
        assert tab.locator("#table-pane tbody th.id").first.is_visible()
        assert tab.locator("#table-pane").inner_text().count("✓ not refuted") == 3
        assert "as expected, 0 not as expected" in tab.locator("#overview").inner_text()
        assert tab.locator("#filters").is_hidden()
        assert "does not run here" in tab.locator("noscript").inner_text()
        assert tab.locator("html").bounding_box()["width"] == width
        assert asked == [html.as_uri()]
        browser.close()
