"""What the pages about probes show is what happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.levels import LEVELS
from workbench.probes.tasks import TASKS, load_task

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / f"docs/{name}.md").read_text() for name in ("probes", "trajectory_smoothness")}


def ran(*arguments, cwd=ROOT):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_three_estimators_give_what_the_page_shows():
    shown = [line.split() for line in ran("docs/examples/trajectory_smoothness.py").splitlines()]
    table = {row[0]: list(map(float, row[1:])) for row in shown[1:]}
    assert table["fixed"][0] == pytest.approx(4, rel=1e-5)
    assert table["training"][0] == pytest.approx(4, rel=1e-5)
    assert 1.3 < table["different"][1] < 1.45
    page = re.search(r"trajectory_smoothness.py\n(.*?)```", PAGES["trajectory_smoothness"], re.S)
    assert page is not None
    for line, (name, values) in zip(page[1].splitlines()[1:], table.items(), strict=True):
        assert line.split()[0] == name
        assert list(map(float, line.split()[1:])) == pytest.approx(values, rel=1e-2, abs=1e-4)


@pytest.mark.slow
def test_the_loop_of_ones_own_runs():
    text = ran("docs/examples/probe_your_loop.py")
    assert "6.weight" in text
    assert "identified" in text or "noise" in text


def test_the_task_of_ones_own_is_one(tmp_path):
    task = load_task(f"{ROOT}/docs/examples/probe_task.py:make")
    oracle = GradientOracle(task.model, task.loss)
    assert oracle.evaluate(oracle.point(), task.fixed).loss > 0
    text = ran(
        *("-m", "workbench", "probe", ROOT / "docs/examples/probe_task.py:make"),
        *("--steps", 6, "--every", 2, "--out", tmp_path / "out"),
        cwd=tmp_path,
    )
    assert "head.weight" in text
    assert (tmp_path / "out/probe.nc").exists()


def test_the_page_names_every_level_and_network():
    for level in LEVELS:
        assert f"| `{level}`" in PAGES["probes"]
    for network in TASKS:
        assert f"workbench probe {network}" in PAGES["probes"]
