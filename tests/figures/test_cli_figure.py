"""``workbench figure``: what it writes, what it refuses before computing, and what stays."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from figures import Numbers
from figures.recipe import Recipe
from workbench.cli import figure
from workbench.cli.app import app

ROOT = Path(__file__).parents[2]


class Toy(Recipe):
    """A line of so many points."""

    name = "toy-line"
    paper = ""
    status = "own"
    see = "It goes up."
    computed: ClassVar[list[tuple[bool, int]]] = []

    def compute(self, full=False, seed=0):
        Toy.computed.append((full, seed))
        return Numbers(self.name, {"y": np.arange(9.0 if full else 4.0) + seed}, {}, full, seed)

    def draw(self, numbers, figure):
        ax = figure.subplots()
        ax.plot(numbers["y"])
        ax.set(xlabel="step $k$", ylabel="height")


class Stopped(Toy):
    """Interrupted while it computes."""

    name = "toy-stopped"

    def compute(self, full=False, seed=0):
        raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    Toy.computed.clear()
    monkeypatch.setattr(figure, "FIGURES", (Toy, Stopped))


def cli(*arguments, status=0):
    result = CliRunner().invoke(app, ["figure", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def test_a_figure_is_written_with_its_numbers(tmp_path):
    out = tmp_path / "deep" / "out"
    said = cli("toy-line", "--out", out, "--seed", 3).stdout
    assert {path.name for path in out.iterdir()} == {"toy-line.pdf", "toy-line.png", "toy-line.json"}
    assert re.fullmatch(r"toy-line  own  \d+\.\d s  \S+toy-line\.pdf \.png \.json\n", said)
    assert Numbers.load(out / "toy-line.json")["y"].tolist() == [3, 4, 5, 6]


def test_full_is_handed_on(tmp_path):
    cli("toy-line", "--out", tmp_path, "--full", "--format", "svg")
    assert Toy.computed == [(True, 0)]
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg", ".json"}


def test_saved_numbers_are_drawn_without_computing(tmp_path):
    cli("toy-line", "--out", tmp_path / "a")
    for data in (tmp_path / "a" / "toy-line.json", tmp_path / "a"):
        Toy.computed.clear()
        cli("toy-line", "--out", tmp_path / "b", "--data", data)
        assert Toy.computed == []
        for path in (tmp_path / "a").iterdir():
            assert (tmp_path / "b" / path.name).read_bytes() == path.read_bytes()


def test_style_and_width_change_the_page(tmp_path):
    sizes = set()
    for style, width in (("neurips", "one"), ("neurips", "two"), ("slides", "two")):
        cli("toy-line", "--out", tmp_path, "--style", style, "--width", width, "--format", "pdf")
        content = (tmp_path / "toy-line.pdf").read_bytes()
        sizes.add(float(re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)[1]))
    assert sizes == {2.7 * 72, 5.5 * 72, 12.0 * 72}


@pytest.mark.parametrize("target", ["-", "said.json"])
def test_json_says_the_same(tmp_path, target):
    file = target if target == "-" else tmp_path / target
    stdout = cli("toy-line", "--out", tmp_path, "--json", file).stdout
    (entry,) = json.loads(stdout if target == "-" else file.read_text())
    assert (entry["name"], entry["status"], entry["computed"]) == ("toy-line", "own", True)
    assert all(Path(path).is_file() for path in entry["files"])


def test_globs_choose_in_the_order_of_the_room():
    assert [kind.name for kind in figure.chosen(["*stop*", "toy-l*"])] == ["toy-line", "toy-stopped"]
    assert figure.chosen(["all"]) == [Toy, Stopped]


def test_what_is_done_stays(tmp_path):
    result = cli("all", "--out", tmp_path, status=130)
    assert "interrupted" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"toy-line.pdf", "toy-line.png", "toy-line.json"}
    assert "toy-line  own" in result.stdout


def test_the_gallery_shows_each_figure_with_its_command(tmp_path):
    page = tmp_path / "docs" / "gallery.md"
    page.parent.mkdir()
    cli("toy-line", "--out", tmp_path / "pictures", "--gallery", page, "--full", "--seed", 2)
    text = page.read_text()
    assert "## toy-line" in text
    assert "*own.* It goes up. `workbench figure toy-line --full --seed 2`" in text
    (link,) = re.findall(r"!\[.*\]\((.*)\)", text)
    assert link == "../pictures/toy-line.png"
    assert (page.parent / link).is_file()


# -- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["toy-lin"], "no figure 'toy-lin'; close: toy-line; `workbench list figures` shows all"),
        (["nothing-*"], "no figure 'nothing-\\*'; `workbench list"),
        (["toy-line", "zzz"], "no figure 'zzz'"),
        (["toy-line", "--style", "icm"], "--style must be one of neurips, .*, got 'icm'; close: icml"),
        (["toy-line", "--width", "three"], "--width must be one of one, two, got 'three'"),
        (["toy-line", "--format", "eps"], "--format must be one of pdf, png, svg, got 'eps'"),
        (["toy-line", "--out", "FILE"], "--out .*file is a file; a folder is needed"),
        (["toy-line", "--out", "FILE/deeper"], "--out .*deeper cannot be made: Not a directory"),
        (["toy-line", "--json", "nowhere/x.json"], "nowhere/x.json cannot be written"),
        (["toy-line", "--gallery", "nowhere/x.md"], "nowhere/x.md cannot be written"),
        (["toy-line", "--gallery", "x.md", "--format", "pdf"], "--gallery shows PNG files"),
        (["toy-line", "--data", "nowhere.json"], "nowhere.json cannot be read: No such file"),
        (["toy-line", "--data", "FILE"], "does not hold the numbers of a figure: it is no JSON, or torn"),
        (["toy-line", "--data", "OLD"], "has the format 'workbench-figure-0', and this version reads"),
        (["toy-stopped", "--data", "SAVED"], "holds the numbers of 'toy-line', not of 'toy-stopped'"),
        (["all", "--data", "SAVED"], "holds one figure, 2 are asked for"),
        (["all", "--data", "."], "holds no toy-line.json"),
        (["toy-line", "--data", "SAVED", "--full"], "--full computes and --data does not"),
        (["toy-line", "--data", "OTHER"], "not those of this version \\(no table 'y'"),
    ],
    ids=lambda value: "-".join(value).replace("/", "_") if isinstance(value, list) else "",
)
def test_mistakes_are_named_before_anything_is_computed(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    files = {"FILE": tmp_path / "file", "OLD": tmp_path / "old.json", "SAVED": tmp_path / "saved.json",
             "OTHER": tmp_path / "other.json"}  # fmt: skip
    files["FILE"].write_text("{")
    files["OLD"].write_text('{"format": "workbench-figure-0"}')
    Numbers("toy-line", {"y": np.arange(3.0)}).save(files["SAVED"])
    Numbers("toy-line", {"z": np.arange(3.0)}).save(files["OTHER"])
    for name, path in files.items():
        arguments = [a.replace(name, str(path)) for a in arguments]
    result = cli(*arguments, status=2)
    assert re.search(said, result.stderr), result.stderr
    assert result.stderr.startswith("workbench figure: ")
    assert Toy.computed == []
    assert not list(tmp_path.rglob("*.pdf"))


WITHOUT = """
import sys
sys.modules.pop("matplotlib", None)
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from workbench.cli.app import main
main()
"""


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.slow
def test_without_matplotlib_the_extra_is_named():
    done = python("-c", WITHOUT, "figure", "all")
    assert done.returncode == 2
    assert done.stderr == "workbench figure: figures need matplotlib: pip install 'workbench[figures]'\n"


@pytest.mark.parametrize("arguments", [["figure", "--help"], ["list", "figures"]], ids=["help", "list"])
def test_help_and_lists_import_no_libraries(arguments):
    code = (
        "import sys\nsys.argv = ['workbench', *sys.argv[1:]]\nfrom workbench.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print({'matplotlib', 'torch', 'numpy', 'sympy'} & set(sys.modules))"
    )
    done = python("-c", code, *arguments)
    assert done.stdout.endswith("set()\n"), done.stdout + done.stderr
