"""The page of ``workbench report`` in a real browser, opened from disk."""

import re
from urllib.parse import unquote

import pytest

from tests.workbench.chromium import launched, needs_chromium
from tests.workbench.report_toys import absent, made, odd_numbers, verified, witness, write
from workbench.report import Library, document, page, read_results

api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
pytestmark = needs_chromium

HOSTILE = "</script><b>bold</b>\"'& a/b"


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, library):
    """Pages by name: real results, the same against an earlier folder, hostile texts."""
    home = tmp_path_factory.mktemp("pages")
    real = read_results(verified(home / "real"))
    earlier = read_results(write(home / "earlier", made(problem="Gone()"), made(theorem="gone/theorem")))
    odd = [
        made(theorem=HOSTILE, problem=HOSTILE, reason=HOSTILE, parameters={HOSTILE: HOSTILE}),
        made(theorem=HOSTILE, mutant=HOSTILE, verdict="refuted", witness=witness(file=HOSTILE)),
        made(theorem=HOSTILE, problem="Bad()", verdict="refuted", expected=False, witness=witness(k=1)),
        made(theorem="%", problem="Other()", verdict="out of domain", expected=None),
        absent(HOSTILE, "Absent()", HOSTILE),
        *odd_numbers(),
    ]
    hostile = read_results(write(home / "hostile", *odd))
    recalled = {"source_status": "RECALLED", "expected": None}
    again = [made(seed=7, steps=9, tightness=0.25, **recalled), made(problem="Same()", **recalled)]
    reseeded = read_results(write(home / "reseeded", *again))
    seeded = read_results(write(home / "seeded", made(), made(problem="Same()")))
    documents = {
        "real": document(real, library),
        "compared": document(real, library, earlier),
        "hostile": document(hostile, library, hostile),
        "reseeded": document(reseeded, library, seeded),
    }
    for name, shown in documents.items():
        (home / f"{name}.html").write_text(page(shown), encoding="utf-8")
    return {name: (home / f"{name}.html").as_uri() for name in documents}


@pytest.fixture
def opened(browser, addresses):
    """Opens a page; in the end nothing was complained of, and nothing but the file was asked for."""
    complaints: list[str] = []
    pages = []

    def goto(name: str, anchor: str = "", **options):
        tab = browser.new_page(**options)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "request",
            lambda r: (
                None if r.url.split("#")[0] in (addresses[name], "data:,") else complaints.append(r.url)
            ),
        )
        tab.goto(addresses[name] + anchor)
        pages.append(tab)
        return tab

    yield goto
    for tab in pages:
        tab.close()
    assert complaints == []


def shown_theorems(tab) -> list[str]:
    return [unquote(a.get_attribute("href"))[3:] for a in tab.locator("#table-pane tbody th.id a").all()]


def test_the_matrix_shows_every_theorem_and_cell(opened):
    tab = opened("real")
    assert shown_theorems(tab) == ["bpm/distance", "bpm/line", "sgd/noise-descent-step"]
    assert tab.title().startswith("Results: ")
    assert tab.locator("html").get_attribute("lang") == "en"
    cell = tab.locator("a[aria-label^='bpm/line on AbsAffine: not refuted, tightness ']")
    assert cell.inner_text().startswith("✓")
    assert tab.locator("#table-pane thead th.problem").count() >= 3
    assert "all as expected" in tab.locator("#overview").inner_text()


@pytest.mark.parametrize("name", ["real", "compared", "hostile"])
def test_every_anchor_resolves(opened, name):
    tab = opened(name)
    missing = tab.evaluate(
        """() => [...document.querySelectorAll("a[href^='#']")].map(a => a.getAttribute("href"))
        .filter(h => !document.getElementById(decodeURIComponent(h.slice(1))))"""
    )
    assert missing == []
    outside = tab.evaluate(
        "() => [...document.querySelectorAll('a')].map(a => a.href).filter(h => !h.includes('#'))"
    )
    assert outside == []


def test_every_theorem_opens_and_its_source_is_the_only_way_out(opened):
    tab = opened("real")
    for name in shown_theorems(tab):
        tab.locator("#table-pane tbody th.id a", has_text=name).first.click()
        assert tab.locator("#statement .tools code").inner_text() == name
        assert tab.locator("#statement math").count() >= 1
        outside = tab.locator("#statement a[href^='http']").all()
        assert [a.get_attribute("href").startswith("https://arxiv.org/abs/") for a in outside] == [
            True
        ] * len(outside)


def test_filters(opened):
    tab = opened("real")
    tab.fill("#search", "GRADIENT noise")
    assert shown_theorems(tab) == ["sgd/noise-descent-step"]
    assert tab.locator("#count").inner_text().startswith("1 of 3 theorems")
    tab.fill("#search", "no such thing")
    assert shown_theorems(tab) == []
    assert "No theorem fits" in tab.locator("#table-pane").inner_text()
    tab.click("#clear")
    assert len(shown_theorems(tab)) == 3
    tab.select_option("#method", "BPM")
    assert shown_theorems(tab) == ["bpm/distance", "bpm/line"]
    tab.click("#clear")
    tab.select_option("#paper", "arXiv:1309.5549")
    assert shown_theorems(tab) == ["sgd/noise-descent-step"]
    tab.click("#clear")
    tab.select_option("#problem", "AbsAffine")
    assert shown_theorems(tab) == ["bpm/distance", "bpm/line"]
    assert tab.locator("#table-pane thead th.problem").all_inner_texts() == ["AbsAffine"]


def test_verdicts_filter_and_sort(opened):
    tab = opened("hostile")
    everything = shown_theorems(tab)
    assert everything == ["bpm/line", HOSTILE, "%"]
    chip = tab.locator(".chip[data-verdict='refuted']")
    chip.click()
    assert chip.get_attribute("aria-pressed") == "true"
    assert shown_theorems(tab) == [HOSTILE]
    chip.click()
    assert shown_theorems(tab) == everything
    tab.locator(".chip[data-verdict='untested']").click()
    assert shown_theorems(tab) == ["%"]
    tab.click("#clear")
    tab.select_option("#sort", "verdict")
    assert shown_theorems(tab)[0] == HOSTILE
    tab.select_option("#sort", "tightness")
    assert shown_theorems(tab)[0] == "bpm/line"
    tab.select_option("#sort", "id")
    assert shown_theorems(tab) == ["%", HOSTILE, "bpm/line"]
    tab.select_option("#columns", "instance")
    assert "Huber(d=1)" in tab.locator("#table-pane thead th.problem").all_inner_texts()


def test_cells_say_tightness_in_few_characters(opened):
    tab = opened("hostile")
    tab.select_option("#columns", "instance")
    told = {c.get_attribute("data-column"): c.inner_text() for c in tab.locator(".cell a").all()}
    values = [told[f"Huber(d={i + 1})"] for i in range(7)]
    assert values == ["✓∞", "✓<0", "✓", "✓0", "✓<0", "✓<.01", "✓1"]
    assert told["Bad()"] == "✗.50"


def focused(tab) -> str:
    return tab.evaluate(
        "() => document.activeElement.getAttribute('aria-label') || document.activeElement.id"
    )


def test_the_keyboard_alone_opens_reads_and_closes(opened):
    tab = opened("real")
    tab.keyboard.press("/")
    assert focused(tab) == "search"
    for _ in range(40):
        tab.keyboard.press("Tab")
        if focused(tab).startswith("bpm/distance"):
            break
    assert focused(tab) == "bpm/distance: not refuted"
    assert tab.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("ArrowDown")
    assert focused(tab) == "bpm/line: not refuted"
    tab.keyboard.press("ArrowRight")
    assert focused(tab).startswith("bpm/line on AbsAffine")
    tab.keyboard.press("ArrowUp")
    assert focused(tab).startswith("bpm/distance on AbsAffine")
    tab.keyboard.press("End")
    assert not focused(tab).startswith("bpm/distance on AbsAffine")
    tab.keyboard.press("Home")
    tab.keyboard.press("Enter")
    assert tab.locator("#statement").is_visible()
    assert tab.locator("#statement math").first.bounding_box()["width"] > 40
    assert focused(tab) == "statement-title"
    tab.keyboard.press("Escape")
    assert tab.locator("#statement").is_hidden()
    assert focused(tab) == "bpm/distance: not refuted"


def test_closing_a_theorem_that_a_filter_hides_keeps_the_keyboard_in_the_matrix(opened):
    tab = opened("real", "#t:bpm%2Fline")
    tab.fill("#search", "noise")
    tab.click("#close")
    assert tab.locator("#statement").is_hidden()
    assert tab.evaluate("() => document.activeElement.id") == "table-pane"


def test_a_cell_shows_its_problem_and_back_returns(opened):
    tab = opened("real")
    tab.locator("a[aria-label^='bpm/line on AbsAffine']").click()
    assert "AbsAffine" in tab.locator("tr.chosen").first.inner_text()
    tab.click("button[aria-label='Next theorem']")
    assert tab.locator("#statement .tools code").inner_text() == "sgd/noise-descent-step"
    tab.go_back()
    assert tab.locator("#statement .tools code").inner_text() == "bpm/line"
    tab.go_back()
    assert tab.locator("#statement").is_hidden()


def test_a_statement_tells_all(opened):
    tab = opened("real", "#t:bpm%2Fline")
    text = tab.locator("#statement").inner_text()
    for word in (
        "Convex",
        "radius = dist0/7",
        "arXiv:2502.02002",
        "derived",
        "Proof",
        "caught",
    ):
        assert word in text, word
    assert tab.locator("#statement svg circle").count() >= 3
    tab.locator("#statement .witness summary").first.click()
    assert tab.locator("#statement .witness .copy code").first.inner_text().startswith("workbench replay ")
    tab.locator("#statement .math-box summary").click()
    assert r"\le" in tab.locator("#statement .math-box .copy code").inner_text()


def test_where_a_theorem_does_not_apply_is_counted_and_folded(opened):
    tab = opened("real", "#t:sgd%2Fnoise-descent-step")
    reasons = tab.locator("#statement details", has_text="Does not apply to")
    assert reasons.locator("dl").is_hidden()
    assert re.match(r"Does not apply to \d+ problem", reasons.locator("summary").inner_text())
    reasons.locator("summary").click()
    assert "AbsAffine" in reasons.locator("dl").inner_text()


def test_the_comparison(opened):
    tab = opened("compared", "#changes")
    assert tab.locator("#changes").is_visible()
    assert tab.locator("#matrix").is_hidden()
    text = tab.locator("#changes").inner_text()
    assert "Another verdict: none." in text
    assert "gone/theorem" in text
    assert "Gone 2" in text
    assert "may differ for that alone" not in text
    tab.locator("#changes a", has_text="bpm/distance").first.click()
    assert tab.locator("#statement .tools code").inner_text() == "bpm/distance"


def test_the_comparison_says_where_seeds_and_steps_differ(opened):
    tab = opened("reseeded", "#changes")
    text = tab.locator("#changes").inner_text()
    assert "1 of 2 claims in both ran with other seeds, steps or numbers of runs" in text
    assert "seed 0, now 7; steps 3, now 9" in text
    assert "none of them counts" in tab.locator("#overview").inner_text()


def test_hostile_texts_are_shown_as_they_are(opened):
    tab = opened("hostile")
    tab.locator("#table-pane th.id a", has_text="</script>").click()
    assert tab.locator("#statement-title").inner_text() == HOSTILE
    assert tab.locator("main b", has_text="bold").filter(has_not_text="<").count() == 0
    assert "✗ missed" not in tab.locator("#statement").inner_text()
    assert "not in this library" in tab.locator("#statement").inner_text()
    tab.click("#views a[href='#environment']")
    assert "other sources or versions" in tab.locator("#environment").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_reader_and_can_be_read(opened, scheme):
    tab = opened("hostile", color_scheme=scheme)
    ratios = tab.evaluate(CONTRAST)
    assert len(ratios) > 10
    assert min(ratios) >= 4.5
    dark = tab.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark is (scheme == "dark")


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = colours => {
    for (const c of colours) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = rgb => rgb.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const seen = "h1, #overview b, .chip, .cell a, th.id a, .num, label, #count";
  return [...document.querySelectorAll(seen)].map(e => {
    const backs = [];
    for (let at = e; at; at = at.parentElement) backs.unshift(getComputedStyle(at).backgroundColor);
    const back = over(backs);
    const [a, b] = [light(back), light(over([...backs, getComputedStyle(e).color]))].sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  });
}"""


def test_a_narrow_window_holds_the_page(opened):
    tab = opened("real", viewport={"width": 390, "height": 800})
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 390
    tab.locator("#table-pane th.id a").first.click()
    box = tab.locator("#statement").bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    tab.click("#close")
    assert tab.locator("#statement").is_hidden()


def test_it_prints(opened):
    tab = opened("real")
    tab.emulate_media(media="print")
    assert tab.locator("#filters").is_hidden()
    assert tab.locator("#table-pane table").is_visible()
