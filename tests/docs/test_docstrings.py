"""Docstrings say what a reader needs: the formula, what to fill in, what is raised, where it is proved.

That everything public has one, and that its first line is a sentence, is for ruff (D1, D415).
"""

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

from assumptions import ASSUMPTIONS
from figures import FIGURES
from problems import INSTANCES, PROBLEMS
from tests.docs.docstring_lint import sources, unsaid_errors, unsaid_fields
from workbench.methods import METHODS
from workbench.registry import OPTIONS
from workbench.theorems import THEOREMS

ROOT = Path(__file__).parents[2]
ROOMS = ("assumptions", "problems", "workbench", "figures")
RELATION = re.compile(r"<=|>=|=|<-|->")


def api_classes():
    """Every class that the reference of the site describes, and the objects of the library."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs/_ext"))
        api = importlib.import_module("workbench_docs.api")
    found = {*ASSUMPTIONS, *PROBLEMS, *METHODS, *OPTIONS, *FIGURES}
    for name in api.MODULES:
        module = importlib.import_module(name)
        found |= {v for n in api.public_names(module) if inspect.isclass(v := getattr(module, n))}
    own = [kind for kind in found if kind.__module__.partition(".")[0] in ROOMS]
    return sorted(own, key=lambda kind: (kind.__module__, kind.__qualname__))


@pytest.mark.parametrize("room", ROOMS)
def test_every_error_that_is_raised_is_named(room):
    left = [line for path in sources(ROOT, (room,)) for line in unsaid_errors(path)]
    assert not left, "\n".join(left)


def test_every_field_that_a_user_fills_in_is_named():
    kinds = api_classes()
    assert len(kinds) > 250
    left = [line for kind in kinds for line in unsaid_fields(kind)]
    assert not left, "\n".join(left)


def test_every_object_states_its_formula():
    kinds = [*ASSUMPTIONS, *PROBLEMS, *METHODS]
    assert not [inspect.getsourcefile(k) for k in kinds if not RELATION.search(vars(k).get("__doc__") or "")]


def test_every_method_names_its_source():
    assert not [inspect.getsourcefile(m) for m in METHODS if "Source" not in (inspect.getdoc(m) or "")]


def test_every_constant_of_a_problem_is_proved():
    assert not [(repr(p), c) for p in INSTANCES for c in p.certified if not c.proof.strip()]


def test_every_theorem_names_its_place_or_its_proof():
    """What is recalled has no place yet, and is never counted."""
    where = {t.id: (t.source.where or t.proof).strip() for t in THEOREMS if t.source.status != "RECALLED"}
    assert not [name for name, said in where.items() if not said]
    assert not [t.id for t in THEOREMS if t.source.status == "DERIVED" and not t.proof.strip()]


SAMPLE = '''
from dataclasses import dataclass

class OddError(ValueError):
    """Odd."""

def reads(path):
    """Read."""
    def inner():
        raise KeyError
    raise OddError(path)

def says(path):
    """Read; OddError if odd."""
    raise OddError(path)

@dataclass
class Thing:
    """A thing with a size; ValueError if that is negative.

    size: >= 0.
    """

    size: int
    color: str
    """Of the thing."""
    weight: float = 1.0

    def __post_init__(self):
        require_positive(self.size)
        raise ValueError

    def move(self):
        """Move."""
        raise TypeError("no")

    def turn(self):
        """Turn."""
        try:
            raise KeyError
        except (KeyError, OSError):
            pass

class Heavy(Thing):
    """A thing, see ``Thing``, with a mass."""

    def __init__(self, size, mass, weight):
        pass

class Guarded:
    """Guarded."""

    def __init__(self, low):
        require_positive(low)
'''


def test_the_lint_sees_what_is_left_out_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "sample_of_the_lint.py"
    path.write_text(SAMPLE)
    found = [re.sub(r"^.*?py:", "", line) for line in unsaid_errors(path)]
    assert found == [
        "11: reads raises OddError, which its docstring does not name",
        "35: Thing.move raises TypeError, which its docstring does not name",
        "53: Guarded.__init__ checks its arguments, and names no error",
    ]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, path.stem, raising=False)
    module = importlib.import_module(path.stem)
    said = [
        line.rpartition(": ")[2]
        for kind in (module.Thing, module.Heavy, module.Guarded)
        for line in unsaid_fields(kind)
    ]
    assert said == [
        "Thing does not say what weight is",
        "Heavy does not say what weight is",
        "Guarded does not say what low is",
    ]


def test_private_modules_are_left_out(tmp_path):
    for name in ("room/__init__.py", "room/open.py", "room/_shut.py", "room/_inner/open.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in sources(tmp_path, ("room",))] == ["__init__.py", "open.py"]
