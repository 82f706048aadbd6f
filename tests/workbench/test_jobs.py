"""Work shared by processes: the same records, nothing finished lost, whatever ends and when."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from joblib import cpu_count
from typer.testing import CliRunner

import workbench
from tests.workbench.jobs_file import MINE, NEIGHBOUR
from tests.workbench.toys import SHORT
from workbench.cli.app import app
from workbench.records import Store
from workbench.registry import Registry
from workbench.user_file import load_user_file
from workbench.verify import verify
from workbench.verify.pool import GROWTH, UnsendableError, require_jobs, share

ROOT = Path(workbench.__file__).parents[1]


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("neighbour_for_jobs", None)
    (tmp_path / "neighbour_for_jobs.py").write_text(NEIGHBOUR)
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def timeless(records) -> list[dict]:
    plain = [r if isinstance(r, dict) else r.to_json() for r in records]
    return [{name: value for name, value in r.items() if name != "seconds"} for r in plain]


def process(*arguments: str) -> subprocess.Popen:
    """``workbench`` in a process group of its own, in which Ctrl-C works."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "workbench", *arguments]
    return subprocess.Popen(
        command,
        stdout=-1,
        stderr=-1,
        text=True,
        env=env,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    assert true()


def group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def lines(folder: str = "results") -> list[dict]:
    file = Path(folder) / "records-0.jsonl"
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


# -- the number of processes ------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [0, -2, 1.5, True, None])
def test_a_number_of_jobs_that_is_none(jobs):
    with pytest.raises(ValueError, match=f"jobs must be a number of processes >= 1, or -1 .* got {jobs!r}"):
        require_jobs(jobs)
    with pytest.raises(ValueError, match="jobs must be"):
        verify([], [], jobs=jobs)


def test_the_number_of_jobs():
    assert (require_jobs(3), require_jobs(-1)) == (3, cpu_count())


def test_one_job_stays_in_this_process(mine):
    assert list(share(lambda n: (n, os.getpid()), [5, 6], jobs=1)) == [
        (0, (5, os.getpid())),
        (1, (6, os.getpid())),
    ]
    assert "got 0" in cli("verify", "--jobs", "0", status=2).stderr
    assert not Path("results").exists()


def growth_of(_: int) -> int:
    from joblib.externals.loky import process_executor

    return process_executor._MAX_MEMORY_LEAK_SIZE


def test_a_worker_may_keep_what_serves_the_next_piece():
    assert [found for _, found in sorted(share(growth_of, [0, 1], 2))] == [GROWTH, GROWTH]
    assert growth_of(0) < GROWTH


def test_what_cannot_be_sent_is_said_before_any_process_is_started():
    lock = (n for n in range(3))
    with pytest.raises(UnsendableError, match=r"cannot be sent .*generator.*jobs = 1"):
        list(share(lambda n: (n, lock), [1, 2], jobs=2))


# -- the same records -------------------------------------------------------------------------------


def test_two_workers_give_the_records_of_one_also_after_a_part_of_them(mine, tmp_path):
    user = load_user_file(mine)
    theorems, problems = list(user.theorems), list(user.problems)

    def verified(out: str, jobs: int, progress=None) -> list:
        store = Store(tmp_path / out)
        options = {"store": store, "jobs": jobs, "progress": progress, "file": str(mine)}
        return verify(theorems, problems, budget=SHORT, **options)

    told = []
    one = verified("one", 1, lambda *said: told.append(said))
    assert [r.verdict for r in one] == [
        *["not refuted"] * 3,
        "not applicable",
        *["refuted"] * 3,
        "not applicable",
    ]
    assert [done for done, _, _ in told] == list(range(9))
    assert told[0][2].startswith("mine/shrinks on")
    # what one process began, two go on with
    (tmp_path / "two").mkdir()
    written = (tmp_path / "one" / "records-0.jsonl").read_text().splitlines(keepends=True)
    kept = [written[1], written[6]]
    (tmp_path / "two" / "records-0.jsonl").write_text("".join(kept))
    told.clear()
    two = verified("two", 2, lambda *said: told.append(said))
    assert timeless(two) == timeless(one)
    assert [done for done, _, _ in told] == list(range(2, 9))
    assert {total for _, total, _ in told} == {8}
    assert told[-1][2] == ""
    # each unit was written once, and a third run finds all of them
    again = (tmp_path / "two" / "records-0.jsonl").read_text().splitlines(keepends=True)
    assert again[:2] == kept
    assert sorted(json.loads(line)["unit"] for line in again) == sorted(r.unit for r in one)
    assert verified("two", 2) == two


@pytest.mark.slow
def test_the_library_gives_the_same_records():
    registry = Registry()
    theorems = registry.select_theorems(["gd/convex"])
    problems = [p for p in registry.instances() if p.family in ("Huber", "Quadratic")][:4]
    one, two = (verify(theorems, problems, budget=SHORT, jobs=jobs) for jobs in (1, 2))
    assert len(one) >= 4
    assert timeless(one) == timeless(two)


@pytest.mark.slow
def test_a_user_file_from_the_command_line(mine):
    arguments = ("verify", "--file", "mine.py", "--quick", "mine/*", "--json", "-")
    shared = process(*arguments, "--out", "two", "--jobs", "2")
    out, err = shared.communicate(timeout=120)
    assert shared.returncode == 1, err
    assert "noise" in err
    alone = cli(*arguments, "--out", "one", status=1)
    assert timeless(json.loads(out)["records"]) == timeless(json.loads(alone.stdout)["records"])


# -- what goes wrong --------------------------------------------------------------------------------


def test_an_error_in_my_code_is_said_with_its_line_and_the_rest_is_kept(mine):
    step = "        return State(shrink(state.x))"
    bad = '        if problem.slope == 3.0:\n            raise KeyError("mine")\n'
    mine.write_text(mine.read_text().replace(step, bad + step))
    number = mine.read_text().splitlines().index('            raise KeyError("mine")') + 1
    result = cli("verify", "--file", "mine.py", "--jobs", "2", "mine/shrinks", status=2)
    assert f"line {number}: KeyError: 'mine'; " in result.stderr
    assert result.stdout == ""
    assert f"{len(lines())} of " in result.stderr
    assert all("slope=3.0" not in r["problem"] for r in lines())


def test_an_error_that_comes_in_a_worker_alone(mine):
    home = os.getpid()

    def fails_away(n: int) -> int:
        if os.getpid() != home:
            raise KeyError(n)
        return n

    with pytest.raises(RuntimeError, match=r"(?s)does not come again here:.*KeyError"):
        list(share(fails_away, [1, 2], jobs=2))


def test_a_worker_that_is_killed_loses_nothing_that_is_done(mine):
    arguments = ("verify", "--file", "mine.py", "mine/shrinks", "--json")
    Path("poison").touch()
    result = cli(*arguments, "no.json", "--jobs", "2", status=2)
    assert "a worker process ended (SIGKILL(-9)" in result.stderr
    saved = lines()
    assert f"{len(saved)} of " in result.stderr
    assert "the same command goes on from there" in result.stderr
    assert not Path("no.json").exists()
    Path("poison").unlink()
    before = Path("results/records-0.jsonl").read_bytes()
    cli(*arguments, "rest.json")
    assert Path("results/records-0.jsonl").read_bytes().startswith(before)
    cli(*arguments, "whole.json", "--out", "other")
    rest, whole = (json.loads(Path(f"{name}.json").read_text())["records"] for name in ("rest", "whole"))
    assert timeless(rest) == timeless(whole)


def test_no_worker_sees_an_interrupt():
    code = """
import signal
from workbench.verify.pool import share
held = lambda _: signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
print([held for _, held in share(held, list(range(8)), jobs=2)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # no tracker yet
    assert done.stdout == f"{[True] * 8}\n", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(mine, how):
    Path("slow").touch()
    run = process("verify", "--file", "mine.py", "mine/shrinks", "--jobs", "2")
    wait_until(lambda: len(lines()) >= 1)
    began = time.monotonic()
    if how == signal.SIGINT:
        os.killpg(run.pid, how)  # as a terminal does
    else:
        run.kill()
    _, err = run.communicate(timeout=20)
    wait_until(lambda: group_is_gone(run.pid), 20)
    assert time.monotonic() - began < 20
    assert "Traceback" not in err
    if how == signal.SIGINT:
        assert run.returncode == 130, err
        assert f"{len(lines())} of " in err
        assert "saved in results; the same command goes on from there" in err
    # the folder is free, and the rest is done
    Path("slow").unlink()
    before = Path("results/records-0.jsonl").read_bytes()
    cli("verify", "--file", "mine.py", "mine/shrinks", "--quick")
    assert Path("results/records-0.jsonl").read_bytes().startswith(before)
