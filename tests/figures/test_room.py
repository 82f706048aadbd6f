"""Every figure: its facts, its numbers, and that it is drawn right for every venue, byte by byte."""

import dataclasses
import os
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures import FIGURES, FORMATS, STATUSES, STYLES, WIDTHS, Numbers, NumbersError, render, write
from figures.recipe import Recipe
from figures.stacked import StackedFigure
from figures.style import looks, settings
from tests.figures.computed import computed as numbers_of
from tests.figures.look import faults

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("kind", FIGURES, ids=lambda kind: kind.name)


@cache
def drawn(kind: type[Recipe]) -> Figure:
    """As it is drawn if nothing else is asked for."""
    return render(kind(), numbers_of(kind))


@EVERY
def test_a_figure_says_what_it_is(kind):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.name)
    assert kind.status in STATUSES
    assert bool(kind.paper) == (kind.status != "own")
    assert kind.see.endswith(".")
    assert (kind.__doc__ or "").partition("\n")[0].endswith(".")


def test_names_are_distinct():
    assert len({kind.name for kind in FIGURES}) == len(FIGURES)


@EVERY
def test_saved_numbers_are_the_same_numbers(kind, tmp_path):
    numbers = numbers_of(kind)
    assert (numbers.figure, numbers.full, numbers.seed) == (kind.name, False, 0)
    again = Numbers.load(numbers.save(tmp_path / "n.json"), kind.name)
    assert {*again.tables} == {*numbers.tables}
    assert all(np.array_equal(again[name], numbers[name], equal_nan=True) for name in numbers.tables)
    assert all(bool(np.isfinite(table).any()) for table in numbers.tables.values())


EXTREMES = (("neurips", "two"), ("icml", "one"), ("siam", "one"), ("slides", "one"), ("slides", "two"))
"""Largest and smallest letters, narrowest columns."""
BETWEEN = tuple(venue for venue in product(STYLES, WIDTHS) if venue not in EXTREMES)
"""The same letters and panels, another width: each is tried on every fifth figure."""
VENUES = [
    (kind, *venue) for i, kind in enumerate(FIGURES) for venue in (*EXTREMES, BETWEEN[i % len(BETWEEN)])
]


@pytest.mark.parametrize(("kind", "style", "width"), VENUES, ids=lambda value: getattr(value, "name", value))
def test_nothing_is_cut_hidden_or_empty(kind, style, width):
    usual = (style, width) == ("neurips", "two")
    figure = drawn(kind) if usual else render(kind(), numbers_of(kind), style, width)
    assert figure.get_figwidth() == STYLES[style].width(width)
    assert faults(figure) == []


@EVERY
def test_the_same_numbers_make_the_same_bytes_with_fonts_embedded(kind, tmp_path):
    saved = Numbers.load(numbers_of(kind).save(tmp_path / "n.json"))
    written = [
        write(figure, tmp_path / str(i), FORMATS, "neurips")
        for i, figure in enumerate((drawn(kind), render(kind(), saved)))
    ]
    for one, two in zip(*written, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.suffix
        assert one.stat().st_size > 1000
    require_truetype(written[0][FORMATS.index("pdf")])


@pytest.mark.parametrize("kind", [k for k in FIGURES if k.name in ("bpm-norms", "sppm-stepsizes")])
def test_fonts_of_slides_are_embedded(kind, tmp_path):
    (path,) = write(render(kind(), numbers_of(kind), "slides"), tmp_path / "f", ("pdf",), "slides")
    require_truetype(path)


def require_truetype(path):
    content = path.read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


OTHER_PROCESS = """
import sys
from pathlib import Path
from figures import FIGURES, FORMATS, Numbers, render, write
kind = next(kind for kind in FIGURES if kind.name == sys.argv[1])
write(render(kind(), Numbers.load(Path(sys.argv[2]))), Path(sys.argv[3]), FORMATS, "neurips")
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tmp_path):
    kind = FIGURES[0]
    saved = numbers_of(kind).save(tmp_path / "n.json")
    here = write(drawn(kind), tmp_path / "here", FORMATS, "neurips")
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"  # another one than here
    command = [sys.executable, "-c", OTHER_PROCESS, kind.name, str(saved), str(tmp_path / "there")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed})
    for path in here:
        assert path.with_stem("there").read_bytes() == path.read_bytes(), path.suffix


def test_neighbouring_looks_differ_in_grey():
    several = looks(12)
    for one, two in pairwise(several):
        assert one.linestyle != two.linestyle
        assert one.marker != two.marker
    assert len({(look.linestyle, look.marker) for look in several}) == 12


def test_venues_need_no_latex_and_embed_their_fonts():
    for style in STYLES:
        chosen = settings(style)
        assert (chosen["text.usetex"], chosen["pdf.fonttype"]) == (False, 42)


def test_the_users_settings_do_not_count(tmp_path):
    import matplotlib as mpl

    kind = FIGURES[0]
    (plain,) = write(render(kind(), numbers_of(kind)), tmp_path / "plain", ("svg",), "neurips")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.dpi": 20}):
        (same,) = write(render(kind(), numbers_of(kind)), tmp_path / "same", ("svg",), "neurips")
    assert same.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize(
    ("asked", "inches", "made"),
    [((1, 2), 5.5, (1, 2)), ((1, 2), 2.7, (2, 1)), ((1, 4), 5.5, (2, 2)), ((2, 2), 2.7, (4, 1))],
)
def test_narrow_panels_are_stacked(asked, inches, made):
    figure = StackedFigure(asked, 0.75, inches, 8.0)
    axes = figure.subplots(*asked, squeeze=False)
    assert axes.shape == asked
    spans = [ax.get_subplotspec() for ax in axes.flat]
    assert [span.num1 for span in spans] == list(range(len(spans)))
    assert spans[0].get_gridspec().get_geometry() == made


# -- bad input ---------------------------------------------------------------------------------------

SOME = Numbers("toy", {"a": np.array([1.0, np.nan, np.inf])}, {"b": [1, "two"]}, seed=3)


def test_nan_and_inf_survive(tmp_path):
    path = SOME.save(tmp_path / "n.json")
    assert "NaN" not in path.read_text()
    again = Numbers.load(path)
    assert np.array_equal(again["a"], SOME["a"], equal_nan=True)
    assert (again.facts, again.seed) == (SOME.facts, 3)


def test_a_table_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no table 'c'; there are a"):
        SOME["c"]


def test_facts_must_be_plain(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        dataclasses.replace(SOME, facts={"x": float("nan")}).save(tmp_path / "n.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "torn"),
        ('{"format": "workbench-fig', "torn"),
        ("[1]", "has the format None"),
        ('{"format": "workbench-figure-0"}', "has the format 'workbench-figure-0'"),
        ('{"format": "workbench-figure-1", "figure": "other"}', "of 'other', not of 'toy'"),
        ('{"format": "workbench-figure-1", "figure": "toy"}', "parts are missing"),
        ('{"format": "workbench-figure-1", "figure": "toy", "full": false, "seed": 0, "facts": [], '
         '"tables": {}}', "parts are missing"),
        ('{"format": "workbench-figure-1", "figure": "toy", "full": false, "seed": 0, "facts": {}, '
         '"tables": {"a": ["x"]}}', "parts are missing"),
    ],
    ids=["empty", "torn", "list", "old", "other", "short", "facts", "words"],
)  # fmt: skip
def test_what_are_no_numbers_is_said(tmp_path, text, said):
    path = tmp_path / "n.json"
    path.write_text(text)
    with pytest.raises(NumbersError, match=said):
        Numbers.load(path, "toy")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NumbersError, match=r"n\.json cannot be read: No such file"):
        Numbers.load(tmp_path / "n.json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("iclr", "two"), "style must be one of neurips, .*, got 'iclr'"),
     (("icml", "three"), "width must be one of one, two, got 'three'")],
    ids=["style", "width"],
)  # fmt: skip
def test_unknown_venues_are_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        render(FIGURES[0](), numbers_of(FIGURES[0]), *arguments)


def test_an_unknown_format_is_named_and_leaves_nothing(tmp_path):
    figure = render(FIGURES[0](), numbers_of(FIGURES[0]))
    with pytest.raises(ValueError, match="format must be one of pdf, png, svg, got 'eps'"):
        write(figure, tmp_path / "f", ("pdf", "eps"), "neurips")
    assert not list(tmp_path.iterdir())
