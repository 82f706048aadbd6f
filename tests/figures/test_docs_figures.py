"""What the page about figures shows is what happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from figures import FIGURES, STYLES, Numbers, render
from tests.figures.look import faults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "figures.md").read_text()
EXAMPLE = ROOT / "docs" / "examples" / "my_figures.py"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def test_the_example_runs_and_stands_in_the_page(tmp_path):
    assert EXAMPLE.read_text().split('"""\n\n', 1)[1] == BLOCKS[0]
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLE],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = [
        f"{name}.{ending}" for name in ("descent", "methods", "nesterov", "sgd") for ending in ("pdf", "png")
    ]
    assert done.stdout.split() == names
    assert {path.name for path in (tmp_path / "figures-out").iterdir()} == {*names}


def test_the_recipe_of_the_page_works(tmp_path):
    room: dict = {}
    exec(compile(BLOCKS[1], "recipe", "exec"), room)
    recipe = room["Bowl"]()
    numbers = recipe.compute()
    for i in range(2):
        assert (numbers[f"gap_{i}"] <= numbers[f"bound_{i}"]).all()
    again = Numbers.load(numbers.save(tmp_path / "n.json"), "bowl")
    assert np.array_equal(again["gap_1"], numbers["gap_1"])
    assert faults(render(recipe, again)) == []
    assert len(BLOCKS[1].splitlines()) <= 45


def test_the_gallery_shows_every_figure_with_its_command():
    page = (ROOT / "docs" / "gallery.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.M) == [kind.name for kind in FIGURES]
    for kind, section in zip(FIGURES, page.split("\n## ")[1:], strict=True):
        assert kind.see in section
        assert f"`workbench figure {kind.name}`" in section
        assert f"*{kind.status}" in section
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (ROOT / "docs" / link).is_file(), link


def test_the_pictures_of_the_gallery_are_small_and_shown():
    pictures = [*(ROOT / "docs" / "gallery").glob("*.png")]
    assert {path.stem for path in pictures} == {kind.name for kind in FIGURES}
    assert sum(path.stat().st_size for path in pictures) < 3 * 2**20


def test_the_table_of_styles_is_that_of_the_room():
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) in \| ([\d.]+) in \| .*, (\d+) pt \|$", PAGE, re.M)
    assert {name: (float(one), float(two), float(size)) for name, one, two, size in rows} == {
        name: (venue.one, venue.two, venue.size) for name, venue in STYLES.items()
    }
