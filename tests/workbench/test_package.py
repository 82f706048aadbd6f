"""What ``import workbench`` gives, costs and checks; ``assert_holds``."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import workbench
from problems import Huber
from workbench.testing import assert_holds
from workbench.theorems.gruntkowska2025 import DISTANCE

ROOT = Path(workbench.__file__).parents[1]


def python(code: str, *path: Path | str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, check=False)


def test_every_export_is_there():
    assert set(workbench.__all__) <= set(dir(workbench))
    assert all(getattr(workbench, name) is not None for name in workbench.__all__)
    assert sorted(workbench._HOME_OF) == sorted(workbench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        workbench.nonsense  # noqa: B018


def test_the_import_is_cheap():
    code = "import sys, workbench; print({'numpy', 'torch', 'sympy', 'problems'} & set(sys.modules))"
    assert python(code).stdout == "set()\n"


@pytest.mark.parametrize("before", ["", "import workbench.symbols, workbench.verify.run\n"])
def test_functions_that_bear_the_name_of_their_module(before):
    code = before + (
        "from workbench import symbols, verify\n"
        "from workbench.verify.run import plan\n"
        "from workbench.symbols import symbols as same\n"
        "from workbench import verify as again\n"
        "import workbench\n"
        "assert symbols is same is workbench.symbols and verify is again is workbench.verify\n"
        "print(symbols('gap'), callable(verify))\n"
    )
    assert python(code).stdout == "gap True\n"


@pytest.mark.parametrize("room", ["problems", "assumptions", "figures"])
@pytest.mark.parametrize("form", ["{room}.py", "{room}/__init__.py"])
def test_a_shadowed_room_is_named(tmp_path, room, form):
    file = tmp_path / form.format(room=room)
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    done = python("import workbench", cwd=tmp_path)
    found = tmp_path / (room if "/" in form else f"{room}.py")
    assert done.returncode == 1
    assert f"{found} shadows the package {room!r} of workbench" in done.stderr
    assert "Rename it" in done.stderr


def test_a_room_on_the_path_before_ours(tmp_path):
    (tmp_path / "problems.py").write_text("")
    (tmp_path / "elsewhere").mkdir()
    assert "shadows" in python("import workbench", tmp_path, cwd=tmp_path / "elsewhere").stderr


def test_a_room_that_is_already_someone_elses():
    done = python(
        "import sys, types; sys.modules['problems'] = types.ModuleType('problems'); import workbench"
    )
    assert "ImportError" in done.stderr


def test_another_folder_is_no_problem(tmp_path):
    assert python("import workbench", cwd=tmp_path).returncode == 0


def test_assert_holds():
    records = assert_holds(DISTANCE, problems=[Huber()])
    assert any(r.mutant for r in records)
    assert all(r.expected is not False for r in records)


def test_assert_holds_shows_the_witness():
    false = replace(DISTANCE, bound=DISTANCE.mutants[0].change["bound"], mutants=(), tight=())
    with pytest.raises(AssertionError, match=r"on Huber\(\).*refuted.*witness \{'k'"):
        assert_holds(false, problems=[Huber()])


def test_assert_holds_wants_mutants_caught_and_something_tested():
    blunt = replace(DISTANCE.mutants[0], change={"title": "changes nothing"})
    with pytest.raises(AssertionError, match="mutant 'gains 2 radius"):
        assert_holds(replace(DISTANCE, mutants=(blunt,)), problems=[Huber()])
    with pytest.raises(AssertionError, match="untested"):
        assert_holds(replace(DISTANCE, mutants=(), tight=()), problems=[])
