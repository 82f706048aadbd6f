"""The documentation site: pages made from the objects, mathematics without a network, one picture."""

import importlib
import re
import runpy
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from sphinx.errors import SphinxError

from tests.workbench.report_toys import verified
from workbench.catalogue import CATALOGUE
from workbench.statement import claim_latex, claim_text
from workbench.theorems import THEOREMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SAMPLE = ("bpm/line", "page/pl", "gd/convex", "subgradient/smooth")


@pytest.fixture(scope="module")
def site():
    """The modules of the extension, as ``conf.py`` finds them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS / "_ext"))
        names = ("api", "architecture", "built", "formulas", "found", "library", "markup", "pages")
        importlib.import_module("workbench_docs")
        yield {name: importlib.import_module(f"workbench_docs.{name}") for name in names}


@pytest.fixture(scope="module")
def library(site):
    """Without results, and with four theorems: matching all takes half a minute."""
    made = site["library"].Library(DOCS / "gallery", site["found"].Found(), DOCS / "no.json")
    made.registry.theorems = tuple(t for t in THEOREMS if t.id in SAMPLE)
    return made


def parsed(text):
    """The document, with every complaint of the parser as an error; roles of Sphinx as plain text."""
    plain = re.sub(r":(?:doc|py:obj):`", "`", text).replace(":orphan:", "")
    return publish_doctree(plain, settings_overrides={"halt_level": 2, "report_level": 2})


def test_the_configuration_is_read_and_counts_the_library(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = runpy.run_path(str(DOCS / "conf.py"))
    assert found["myst_substitutions"]["n_theorems"] == len(THEOREMS)
    assert "workbench_docs" in found["extensions"]
    assert found["html_math_renderer"] == "mathml"


def test_every_object_has_a_page(library, site):
    assert library.names("theorems") == [t.id for t in THEOREMS]
    for kind in site["library"].KINDS:
        names = library.names(kind)
        assert len(names) == len({n.lower() for n in names}) == len(CATALOGUE[kind])
        index = site["pages"].index(kind)
        assert all(f"</library/{kind}/{name}>" in index for name in names)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_page_of_a_theorem_says_what_the_theorem_says(library, site, name):
    theorem = next(t for t in THEOREMS if t.id == name)
    page = site["pages"].page(library, "theorems", name)
    assert claim_latex(theorem) in page
    assert claim_text(theorem) in page
    assert f"*{theorem.source.status}*" in page
    text = site["markup"].text
    for mutant in theorem.mutants:
        assert text(mutant.why) in page
    for assumed in theorem.assumes:
        assert f"</library/assumptions/{assumed.__name__}>" in page
    for constant in theorem.constants:
        assert f"``{constant}`` of" in page
    assert "</library/problems/Huber>" in page.split("Where it applies")[1] or name == "page/pl"
    assert parsed(page.replace(".. math::", ".. code-block::"))


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("problems", "Huber", ("L times a convex increasing", "bpm/line", "Huber\\(")),
        ("assumptions", "Smooth", ("norm of x - y", "gd/convex", "Implications")),
        ("methods", "BPM", ("``brox``", "bpm/line", "2502.02002")),
        ("options", "TopK", ("Fields",)),
        ("figures", "bpm-gap", ("/gallery/bpm-gap.png", "workbench figure bpm-gap")),
    ],
)
def test_the_pages_of_other_objects(library, site, kind, name, words):
    page = site["pages"].page(library, kind, name)
    for word in words:
        assert word.replace("\\(", "(") in page.replace("\\_", "_")
    shown = parsed(page)
    assert shown.findall(nodes.title)


def test_a_theorem_shows_what_a_verification_found(site, tmp_path):
    found = site["found"].Found.read(verified(tmp_path))
    theorem = found.results.records[0].theorem
    shown = found.of_theorem(theorem)
    assert shown["rows"]
    assert {row["problem"] for row in shown["rows"]} <= {r.problem for r in found.results.records}
    assert "UTC" in shown["made"]
    assert site["found"].Found.read(tmp_path / "nothing").of_theorem(theorem)["rows"] == []


@pytest.mark.parametrize(
    "plain",
    [
        "|x|_* <= L |x - y|",
        "(*batch, d), or f_",
        "a `quoted` word* and <tag>",
        "[x] \\in {y}",
        "``code_`` and *",
        "-",
        "n.",
        "2) - 1.",
    ],
)
def test_plain_text_stays_what_it_is(site, plain):
    shown = parsed(site["markup"].text(plain)).astext()
    assert shown == plain.replace("``", "")


def test_docstrings_keep_paragraphs_lists_and_tables(site):
    lines = [
        "One |x|.",
        "",
        "- a_ item",
        "  goes on",
        "- b",
        "",
        "name   what it is",
        "other  more",
        "",
        "End*",
    ]
    shown = parsed("\n".join(site["markup"].docstring(lines)).replace(".. code-block:: text", "::"))
    assert [n.astext() for n in shown.findall(nodes.list_item)] == ["a_ item goes on", "b"]
    (table,) = shown.findall(nodes.literal_block)
    assert table.astext() == "name   what it is\nother  more"
    assert shown.astext().endswith("End*")


def test_mathematics_is_mathml_in_a_line_or_on_its_own(site):
    translator = SimpleNamespace(body=[])
    for render, display in ((site["formulas"].inline, "inline"), (site["formulas"].display, "block")):
        translator.body = []
        with pytest.raises(nodes.SkipNode):
            render(translator, nodes.math("", r"x_k \leq 1"))
        (made,) = translator.body
        assert f'display="{display}"' in made
        assert r'alttext="x_k \leq 1"' in made
    with pytest.raises(SphinxError, match="cannot be shown"):
        site["formulas"].inline(translator, nodes.math("", r"\left("))


def test_the_picture_holds_every_module_once_in_the_order_of_the_contract(site):
    architecture = site["architecture"]
    contract = architecture.contract(ROOT / "pyproject.toml")
    modules = [m for row in contract.inside for m in row]
    there = {
        p.stem for p in (ROOT / "workbench").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert sorted(modules) == sorted(there - {"__init__"})
    drawn = ET.fromstring(architecture.svg(contract, ROOT))
    boxes = [e for e in drawn.iter() if e.get("class") == "module-name"]
    height = {str(e.text): float(e.get("y", 0)) for e in boxes}
    assert sorted(height) == sorted({*modules, "figures", "problems", "assumptions"})
    assert height["cli"] < height["figures"] < height["verify"] < height["theorem"] < height["problems"]
    assert height["theorem"] == height["engine"]
    assert height["problems"] < height["assumptions"]


def test_the_picture_fails_where_the_contract_is_gone(site, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.importlinter]\ncontracts = []\n")
    with pytest.raises(KeyError):
        site["architecture"].contract(tmp_path / "pyproject.toml")


def test_every_public_name_is_described_and_only_once(site):
    pages = dict(site["api"].pages())
    for name in site["api"].MODULES:
        for public in site["api"].public_names(importlib.import_module(name)):
            assert re.search(rf"(:: ?|``|\.){public}(``|\n|$)", pages[name]), (name, public)
    described = re.findall(r"^\.\. auto\w+:: (\S+)$", "".join(pages.values()), re.M)
    assert len(described) == len(set(described)) > 200


def test_pages_that_are_gone_are_taken_away_and_others_keep_their_date(site, tmp_path):
    keep = site["pages"].keep
    keep({"a": "one\n", "b/c": "two\n"}, tmp_path)
    before = (tmp_path / "a.rst").stat().st_mtime_ns
    keep({"a": "one\n"}, tmp_path)
    assert (tmp_path / "a.rst").stat().st_mtime_ns == before
    assert [p.name for p in tmp_path.rglob("*.rst")] == ["a.rst"]


HAND = """# By hand

There are {{ n_theorems }} theorems; inline $x_{k+1}$, and

$$ f(x) \\le \\frac{L}{2} \\lVert x \\rVert^2 $$

```{eval-rst}
.. autoclass:: problems.Huber
.. autoclass:: workbench.Quantity
```
"""


def test_a_page_is_built_without_a_warning_and_looked_at(site, tmp_path):
    """``.ci/docs`` builds the whole site in this way; here is one page, with all that pages are made of."""
    source, out = tmp_path / "docs", tmp_path / "site"
    for folder in ("_ext", "_static"):
        shutil.copytree(DOCS / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(DOCS / "conf.py", source)
    (source / "index.md").write_text(HAND)
    options = ["-W", "-q", "-b", "html", "-D", "workbench_objects=0"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, source, out],
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    page = (out / "index.html").read_text()
    assert f"There are {len(THEOREMS)} theorems" in page
    assert page.count("<math ") == 2
    assert "L/2 |x|^2 if |x| &lt;= delta" in page
    assert "_no_cancellation" in page
    assert not list(site["built"].faults(out))


@pytest.mark.parametrize(
    ("page", "text", "said"),
    [
        (
            "a.html",
            '<script src="https://cdn.example/a.js"></script>',
            "a.html loads https://cdn.example/a.js",
        ),
        ("a.html", '<img alt="" src="//cdn.example/a.png">', "a.html loads //cdn.example/a.png"),
        ("a.html", "(rows=(&lt;class 'Convex'&gt;,))", "a.html shows &lt;class"),
        ("a.html", "at {{ n_theorems }}", "a.html shows {{ n_theorems }}"),
        ("a.html", "<ul><li></li></ul>", "a.html holds an item of a list without a text"),
        ("theorems/bpm/a.html", "<p>x</p>", "theorems/bpm/a.html holds no formula"),
    ],
    ids=["script", "image", "class", "substitution", "item", "formula"],
)
def test_what_is_wrong_with_a_page_is_seen(site, tmp_path, page, text, said):
    (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / page).write_text(text)
    assert list(site["built"].faults(tmp_path)) == [said]


def test_a_page_may_link_to_others_and_write_of_classes(site, tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="https://arxiv.org">a class</a><img src="b.png"><p>&lt;a, x&gt;</p>'
    )
    assert not list(site["built"].faults(tmp_path))
