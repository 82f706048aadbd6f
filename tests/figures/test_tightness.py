"""The overview of tightness: rows, order, and what is read from saved results."""

from types import SimpleNamespace

import numpy as np
import pytest

from figures import Numbers, NumbersError, render
from figures.recipes.tightness import QUICK, SOME, Tightness, by_theorem
from tests.figures.computed import computed as numbers
from workbench.records import Store
from workbench.theorems import THEOREMS
from workbench.verify import Verdict, verify

THEOREM = {t.id: t for t in THEOREMS}


def test_no_theorem_is_exceeded_and_rows_are_sorted():
    n = numbers(Tightness)
    names = n.facts["theorems"]
    assert len(names) >= len(SOME)
    most = [n["tightness"][n["theorem"] == i].max() for i in range(len(names))]
    assert max(most) <= 1 + 1e-9
    assert most == sorted(most)
    assert most[names.index("gd/pl")] == pytest.approx(1)
    assert most[names.index("adago/untuned")] < 0.5


def record(theorem, problem, tightness, verdict=Verdict.NOT_REFUTED, mutant=None):
    return SimpleNamespace(
        theorem=theorem, problem=problem, tightness=tightness, verdict=str(verdict), mutant=mutant
    )


def test_rows_take_the_tightest_record_of_each_problem():
    records = [
        record("b", "p", 0.2),
        record("b", "p", 0.5),
        record("b", "q", 0.1),
        record("a", "p", 0.9),
        record("b", "r", 3.0, mutant="wrong"),
        record("b", "s", 0.9, verdict=Verdict.OUT_OF_DOMAIN),
        record("c", "p", None),
    ]
    assert by_theorem(records) == (["b", "a"], [[0.1, 0.5], [0.9]])  # pyright: ignore[reportArgumentType]
    assert by_theorem([]) == ([], [])


def test_tightness_is_drawn_from_a_folder_of_results(tmp_path):
    made = verify([THEOREM["gd/convex"], THEOREM["gd/pl"]], (), budget=QUICK, mutants=True)
    store = Store(tmp_path)
    for unit in {record.unit for record in made}:
        store.write([record for record in made if record.unit == unit])
    n = Tightness.from_saved(tmp_path)
    names, rows = by_theorem(made)
    assert set(names) == {"gd/convex", "gd/pl"}
    assert n.facts["theorems"] == names
    assert n["tightness"].tolist() == [value for row in rows for value in row]
    n.save(tmp_path / "tightness.json")
    assert Tightness.from_saved(tmp_path).facts == Tightness.from_saved(tmp_path / "tightness.json").facts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no records"),
        ("", "holds no complete record"),
        ('{"theorem": "gd/pl"}\n', "line 1 is not a record that this program can read"),
        ("not json\n", "line 1 is not a record"),
    ],
    ids=["none", "empty", "other-version", "damaged"],
)
def test_a_folder_that_holds_no_results_is_said(tmp_path, content, said):
    if content is not None:
        (tmp_path / "records-0.jsonl").write_text(content)
    with pytest.raises(NumbersError, match=f"tightness can be drawn from results of verify: .*{said}"):
        Tightness.from_saved(tmp_path)
    with pytest.raises(NumbersError, match="cannot be read: No such file"):
        Tightness.from_saved(tmp_path / "nothing")


def test_a_refuted_claim_stands_right_of_one():
    n = Numbers("tightness", {"theorem": np.array([0.0, 1.0]), "tightness": np.array([0.5, np.inf])},
                {"theorems": ["a", "b"]})  # fmt: skip
    ax = render(Tightness(), n).axes[0]
    assert ax.get_lines()[1].get_xdata().tolist() == [0.5, 10.0]
    assert ax.get_xlim()[1] > 10
