"""Two folders of results against one another."""

from tests.workbench.report_toys import absent, made, verified, write
from workbench.report import changes, read_results


def test_changes_between_two_folders(tmp_path):
    before = [
        made(problem="Same()", tightness=0.5),
        made(problem="Worse()"),
        made(problem="Tighter()", tightness=0.5),
        made(problem="Gone()"),
        made(problem="Lost()"),
        absent("bpm/line", "Found()"),
        made(problem="Same()", mutant="m", verdict="refuted"),
        made(problem="None()", tightness=None),
    ]
    now = [
        made(problem="Same()", tightness=0.5 * (1 + 1e-9), seed=4),
        made(problem="Worse()", verdict="refuted", expected=False, tightness=1.5),
        made(problem="Tighter()", tightness=0.5 * (1 + 1e-5)),
        absent("bpm/line", "Lost()"),
        made(problem="Found()"),
        made(problem="Same()", mutant="m"),
        made(problem="None()", tightness=None),
    ]
    found = changes(read_results(write(tmp_path / "b", *now)), read_results(write(tmp_path / "a", *before)))
    told = {
        k: [(e["problem"], e["before"], e["now"]) for e in found[k]]
        for k in ("verdict", "tightness", "new", "gone")
    }
    assert told == {
        "verdict": [
            ("Worse()", ["not refuted", 0.5], ["refuted", 1.5]),
            ("Same()", ["refuted", 0.5], ["not refuted", 0.5]),
        ],
        "tightness": [("Tighter()", ["not refuted", 0.5], ["not refuted", 0.5 * (1 + 1e-5)])],
        "new": [("Found()", ["not applicable", None], ["not refuted", 0.5])],
        "gone": [
            ("Gone()", ["not refuted", 0.5], ["", None]),
            ("Lost()", ["not refuted", 0.5], ["not applicable", None]),
        ],
    }
    assert (found["same"], found["both"], found["other_settings"]) == (2, 5, 1)
    assert not any(e["settings"] for k in told for e in found[k])


def test_changes_say_what_else_is_different(tmp_path):
    before, now = made(), made(seed=3, steps=9, replicates=4, tightness=0.25)
    found = changes(read_results(write(tmp_path / "b", now)), read_results(write(tmp_path / "a", before)))
    [entry] = found["tightness"]
    assert entry["settings"] == "seed 0, now 3; steps 3, now 9; runs 1, now 4"
    assert (found["both"], found["other_settings"]) == (1, 1)


def test_a_folder_against_itself_has_no_changes(tmp_path):
    results = read_results(verified(tmp_path))
    found = changes(results, results)
    assert [len(found[k]) for k in ("verdict", "tightness", "new", "gone")] == [0, 0, 0, 0]
    assert found["same"] > 10
