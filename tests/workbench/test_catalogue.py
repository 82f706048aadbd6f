"""The committed catalogue is what the rooms hold."""

import ast
from pathlib import Path

from workbench import catalogue
from workbench.cli import generate


def test_the_catalogue_is_up_to_date():
    again = "run `python -m workbench.cli.generate`"
    assert generate.build() == catalogue.CATALOGUE, again
    assert generate.source_text() == Path(catalogue.__file__).read_text(encoding="utf-8"), again


def test_the_catalogue_imports_nothing():
    tree = ast.parse(Path(catalogue.__file__).read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_strings_survive_the_printer():
    for text in ("plain", 'say "x"', "it's", "both ' and \"", "back\\slash", "two\nlines", "é"):
        assert ast.literal_eval(generate._string(text)) == text
