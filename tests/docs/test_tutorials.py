"""Every block of a tutorial runs, in order, and prints what stands under it."""

import re
from pathlib import Path

import pytest

TUTORIALS = sorted(
    p for p in (Path(__file__).parents[2] / "docs" / "tutorials").glob("*.md") if p.stem != "index"
)
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.S | re.M)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_prints_what_it_shows(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    room = {"__name__": "tutorial"}
    blocks = BLOCK.findall(page.read_text())
    assert len(blocks) >= 4
    for code, shown in blocks:
        exec(compile(code, page.name, "exec"), room)
        assert capsys.readouterr().out == shown, code


def test_the_four_tutorials_are_on_the_list():
    index = (TUTORIALS[0].parent / "index.md").read_text().split("```{toctree}")[1]
    assert sorted(re.findall(r"^(\w+)$", index, re.M)) == [page.stem for page in TUTORIALS]
    assert len(TUTORIALS) == 4
