"""1, 2 and 4 workers find the same."""

import pytest

from tests.robustness.victims import prepare
from workbench.records import Store
from workbench.user_file import load_user_file
from workbench.verify import Budget, verify


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, 4])
def test_the_number_of_workers_changes_nothing(tmp_path, monkeypatch, jobs):
    monkeypatch.chdir(prepare(tmp_path))
    user = load_user_file("mine.py")

    def records(n: int) -> list[dict[str, object]]:
        short = Budget("short", steps=10, starts=8)
        found = verify(list(user.theorems), list(user.problems), budget=short, store=Store(f"out{n}"), jobs=n)
        return [{k: v for k, v in r.to_json().items() if k != "seconds"} for r in found]

    alone = records(1)
    assert len(alone) == 5
    assert {r["verdict"] for r in alone} == {"not refuted"}
    assert records(jobs) == alone
