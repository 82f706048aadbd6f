"""Objects found by text, and a user's file with all that can be wrong in it."""

import pickle
import sys

import pytest

from assumptions import Lp, Weighted
from problems import INSTANCES, Huber
from workbench.methods import BPM
from workbench.registry import Registry
from workbench.unknown_name import UnknownNameError
from workbench.user_file import UserFileError, load_user_file

CLAIM = """
from assumptions import Convex
from problems import Huber, from_function
from workbench import Source, Theorem, symbols
from workbench.methods import BPM
dist, dist0, dist_next, radius = symbols("dist dist0 dist_next radius")
def claim(name):
    return Theorem(id=name, title="t", source=Source("mine", "DERIVED"), method=BPM,
                   parameters={"radius": dist0 / 7}, assumes=(Convex,), measured=dist_next, bound=dist)
"""


@pytest.fixture
def write(tmp_path):
    def written(text: str, name: str = "mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def test_objects_are_collected_also_in_tuples_and_lists(write):
    path = write(
        CLAIM
        + """
from dataclasses import dataclass
from assumptions import IMPLICATIONS, Implies
from problems import INSTANCES, FULL_INSTANCES
from workbench import Method
from workbench.theorems import THEOREMS
ONE = claim("mine/one")
MORE = (claim("mine/two"), [claim("mine/three"), ONE])
P = from_function(lambda x: x.square().sum(-1), d=2, name="f")
H = Huber(L=17.0)
ROW = Implies((Convex,), lambda c: None, proof="none")
@dataclass(frozen=True)
class Mine(BPM):
    pass
"""
    )
    user = load_user_file(path)
    assert [t.id for t in user.theorems] == ["mine/one", "mine/two", "mine/three"]
    assert [repr(p) for p in user.problems] == ["from_function(f, d=2)", "Huber(L=17.0)"]
    assert [m.__name__ for m in user.methods] == ["Mine"]
    assert len(user.implications) == 1
    assert user.assumptions == user.families == ()
    assert str(path.parent) not in sys.path


def test_instances_can_be_pickled_for_workers(write):
    text = "from dataclasses import dataclass\nfrom problems import Huber\n"
    path = write(text + "@dataclass(frozen=True)\nclass Mine(Huber):\n    pass\nP = Mine(L=3.0)\n")
    problem = load_user_file(path).problems[0]
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_a_file_may_import_its_neighbour(write):
    write(CLAIM, "neighbour_of_mine.py")
    user = load_user_file(write("from neighbour_of_mine import claim\nC = claim('mine/one')"))
    assert [t.id for t in user.theorems] == ["mine/one"]


def test_a_changed_file_is_read_again(write):
    assert load_user_file(write(CLAIM + "C = claim('a/1')")).theorems[0].id == "a/1"
    assert load_user_file(write(CLAIM + "C = claim('a/2')")).theorems[0].id == "a/2"


def test_what_it_prints_goes_to_stderr(write, capsys):
    load_user_file(write(CLAIM + "C = claim('a/1')\nprint('hello')"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", r"mine.py, line 1: '\(' was never closed"),
        ("x = 1\n\nraise KeyError('a')", "mine.py, line 3: KeyError: 'a'"),
        ("import sys\nsys.exit(3)", "mine.py, line 2: SystemExit: 3"),
        ("import no_such_thing", "line 1: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("x = 1", "holds no Theorem, Problem, Method or Assumption"),
        ("from problems import *\nfrom workbench.theorems import THEOREMS", "holds no Theorem"),
        (CLAIM + "A = claim('a/1'), claim('a/1')", "two theorems with the id a/1"),
        (
            CLAIM + "A = [from_function(lambda x, c=c: c * x.sum(-1), d=1, name='f') for c in (1, 2)]",
            r"two problems that print as from_function\(f, d=1\)",
        ),
        (CLAIM + "claim('has space')", "line .*: ValueError: id must be a word"),
    ],
)
def test_a_bad_file_is_said_to_be_so(write, text, message):
    with pytest.raises(UserFileError, match=message):
        load_user_file(write(text))


def test_no_file_a_folder_and_bytes(tmp_path):
    with pytest.raises(UserFileError, match="does not exist"):
        load_user_file(tmp_path / "none.py")
    with pytest.raises(UserFileError, match="is a folder"):
        load_user_file(tmp_path)
    (tmp_path / "bytes.py").write_bytes(b"\xff\x00\xff")
    with pytest.raises(UserFileError, match=r"bytes\.py"):
        load_user_file(tmp_path / "bytes.py")


def test_theorems_are_selected_by_id_and_glob():
    registry = Registry()
    assert [t.id for t in registry.select_theorems(["bpm/line", "gd/*"])][-1] == "bpm/line"
    assert registry.select_theorems([]) == list(registry.theorems)
    with pytest.raises(UnknownNameError, match=r"bpm/lin.*close: bpm/line.*list theorems"):
        registry.theorem("bpm/lin")
    with pytest.raises(UnknownNameError, match=r"no theorem fits 'zz\*'"):
        registry.select_theorems(["gd/*", "zz*"])


def test_an_id_of_the_library_cannot_be_taken(write):
    with pytest.raises(UserFileError, match="'bpm/line' is taken"):
        Registry(load_user_file(write(CLAIM + "C = claim('bpm/line')")))


def test_every_known_problem_is_found_by_its_text():
    registry = Registry()
    named = [x.on for t in registry.theorems for x in (*t.mutants, *t.tight)]
    for problem in (*INSTANCES, *named):
        assert repr(registry.problem(repr(problem))) == repr(problem)


def test_other_problems_are_made_from_their_text(write):
    assert Registry().problem("Huber(L=3.5, d=2)") == Huber(L=3.5, d=2)
    text = "from dataclasses import dataclass\nfrom problems import Huber, from_function\n"
    text += "@dataclass(frozen=True)\nclass Mine(Huber):\n    pass\n"
    text += "F = from_function(lambda x: x.sum(-1), d=3, name='f')"
    registry = Registry(load_user_file(write(text)))
    assert type(registry.problem("Mine(L=2.0)")).__name__ == "Mine"
    assert registry.problem("from_function(f, d=3)") is registry.user.problems[0]
    assert registry.instances()[0] is registry.user.problems[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Huber", "lacks its arguments; for example Huber"),
        ("Huber(L=-1.0)", "L must be finite and > 0"),
        ("Huber(M=1.0)", "unexpected keyword"),
        ("Hubert(L=1.0)", "unknown name 'Hubert'"),
        ("Convex()", "is not a problem"),
        ("from_function(g, d=1)", "--file"),
        ("__import__('os')", "unknown name"),
        ("Huber(L=(1).__class__)", "not accepted"),
        ("", "is not a call"),
        ("3", "is not a problem"),
    ],
)
def test_other_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Registry().problem(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BPM(radius=1.0)", "BPM is a method; a problem is needed, such as "),
        ("Hubert(L=1.0)", "close: Huber;"),
        ("Huber(M=1.0)", "unexpected keyword argument 'M'; for example Huber"),
    ],
)
def test_an_error_about_a_problem_names_what_is_meant(text, message):
    with pytest.raises(UnknownNameError, match=message):
        Registry().problem(text)


def test_methods_are_made_from_their_text(write):
    registry = Registry()
    assert registry.method("BPM(radius=0.5)") == BPM(radius=0.5)
    assert registry.method(" BPM(radius=2, norm=Lp(p=inf)) ") == BPM(2, norm=Lp(float("inf")))
    weighted = BPM(0.5, norm=Weighted((1.0, 2.0), p=1.0))
    assert registry.method(repr(weighted)) == weighted
    text = "from dataclasses import dataclass\nfrom workbench.methods import BPM\n"
    text += "@dataclass(frozen=True)\nclass Mine(BPM):\n    radius: float = 3.0\n"
    registry = Registry(load_user_file(write(text)))
    assert registry.method("Mine()") == registry.methods[-1](radius=3.0)  # pyright: ignore[reportCallIssue]
    with pytest.raises(UnknownNameError, match=r"Mine needs its brackets; for example Mine\(\)"):
        registry.method("Mine")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BPM", r"BPM needs radius; for example BPM\(radius=0.5\)"),
        ("BPM( )", r"BPM needs radius; for example BPM\(radius=0.5\)"),
        ("BPM(r=1.0)", r"unexpected keyword argument 'r'; for example BPM\(radius=0.5\)"),
        ("BPM(1.0, 2.0, 3.0)", "positional arguments"),
        ("BMP(radius=1.0)", "no method 'BMP'; close: BPM; `workbench list methods`"),
        ("Huber()", "Huber is a problem; a method is needed, such as "),
        ("BPM(radius=-1.0)", "radius must be finite and > 0, got -1.0"),
        ("BPM(radius=nan)", "radius must be finite and > 0, got nan"),
        ("BPM(radius='a')", "radius must be a number"),
        ("BPM(radius=1.0, norm=2)", "norm must be a Norm"),
        ("BPM(radius=1.0, norm=Lp(p=0.5))", "p must be >= 1"),
        ("BPM(radius=1.0, norm=Huber())", "unknown name 'Huber'"),
        ("BPM(radius=__import__('os'))", "unknown name '__import__'"),
        ("BPM(radius=1.0).radius", "not accepted"),
        ("BPM(radius=1.0", "is not a call"),
        ("", "no method ''"),
    ],
)
def test_other_text_is_no_method(text, message):
    with pytest.raises(ValueError, match=message):
        Registry().method(text)


def test_norms_are_made_from_their_text():
    assert Registry().norm("Lp(p=1)") == Lp(1.0)
    for text, message in (
        ("Lp", r"lacks its arguments; one is Lp\(p=2.0\)"),
        ("Lp()", "missing 1 required"),
        ("Lp(p=0)", "p must be >= 1"),
        ("Huber()", r"no norm 'Huber\(\)'; one is Lp\(p=1.0\); there are Lp"),
        ("2", "no norm '2'"),
    ):
        with pytest.raises(ValueError, match=message):
            Registry().norm(text)
