"""Processes that are ended at a random moment, and the same work done to its end."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import workbench
from tests.robustness.world import CLAIM, SHRINKS
from workbench.probes.result import load
from workbench.report import read_results

ROOT = Path(workbench.__file__).parents[1]
LONG = 120.0
"""Seconds after which a process that should have ended counts as stuck."""

MINE = f"""
import time
import torch
from assumptions import Convex
from problems import from_function
{SHRINKS.replace("return Point", "time.sleep(0.004); return Point")}
{CLAIM}
def bowl(n):
    return from_function(lambda x: n * x.square().sum(-1), d=2, name=f"bowl{{n}}", f_star=0.0,
                         assume=(Convex(),))
BOWLS = tuple(bowl(n) for n in range(1, 6))
"""
TASK = """
import time
import torch
from torch import nn

def make(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(32, 4, generator=generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))

    def batch(step):
        time.sleep(0.02)
        return x[torch.randint(32, (8,), generator=torch.Generator().manual_seed(step))]

    return {"model": model, "loss": lambda m, b: (m(b) - b[:, :1]).square().mean(), "batch": batch,
            "fixed": x, "rates": {"sgd": 0.1}}
"""
# a verification of the user's problems alone: the library's are not what is tried here
VERIFY = """
import sys
from pathlib import Path
from workbench.records import Store
from workbench.user_file import load_user_file
from workbench.verify import Budget, verify
user = load_user_file("mine.py")
store = Store("out")
print("ready", flush=True)
verify(list(user.theorems), list(user.problems), budget=Budget("short", steps=20, starts=8), store=store,
       jobs=int(sys.argv[1]))
"""


@dataclass(frozen=True)
class Victim:
    """A command; what shows that its work has begun; the seconds that follow, about."""

    name: str
    command: tuple[str, ...]
    begun: str
    lasts: float

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        """In a process group of its own, in which Ctrl-C works."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with (folder / "said.txt").open("ab") as said:
            return subprocess.Popen(
                [sys.executable, *self.command],
                cwd=folder,
                env=env,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def finish(self, folder: Path) -> None:
        """Do the work to its end, or the rest of it."""
        with self.start(folder) as process:
            assert process.wait(LONG) in (0, 1), (folder / "said.txt").read_text()


VICTIMS = {
    "verify": Victim("verify", ("-c", VERIFY, "1"), "out/records-0.jsonl", 1.5),
    "verify, 2 workers": Victim("verify, 2 workers", ("-c", VERIFY, "2"), "out/records-0.jsonl", 2.5),
    "probe": Victim(
        "probe",
        (
            *("-m", "workbench", "probe", "task.py:make", "--optimizer", "sgd", "--steps", "40"),
            *("--every", "4", "--save-every", "0.1", "--out", "run"),
        ),
        "run/checkpoint.pt",
        2.5,
    ),
    "figure": Victim(
        "figure",
        ("-m", "workbench", "figure", "bpm-envelopes", "bpm-balls", "--format", "pdf", "--out", "drawn"),
        "drawn",
        2.5,
    ),
}


def prepare(folder: Path) -> Path:
    """A folder with the user's files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(MINE)
    (folder / "task.py").write_text(TASK)
    return folder


def result(folder: Path) -> dict[str, object]:
    """What the work has found: all but times."""
    found: dict[str, object] = {}
    if (folder / "out").exists():
        records = sorted(read_results(folder / "out").records, key=lambda r: r.unit)
        found["records"] = [{k: v for k, v in r.to_json().items() if k != "seconds"} for r in records]
    if (folder / "run").exists():
        found["probe"] = load(folder / "run").drop_vars("seconds").to_dict()
        found["losses"] = (folder / "run" / "training.csv").read_text()
    if (folder / "drawn").exists():
        found |= {p.name: p.read_bytes() for p in sorted((folder / "drawn").iterdir())}
    return found


def whole_so_far(folder: Path) -> None:
    """Nothing that is there is torn: every file of a result can be read, whenever the process was ended."""
    for path in folder.glob("drawn/*.json"):
        json.loads(path.read_text())
    for path in folder.glob("drawn/*.pdf"):
        assert path.read_bytes().rstrip().endswith(b"%%EOF"), path
    for path in folder.glob("out/witnesses/witness-*.json"):
        json.loads(path.read_text())


def ended(victim: Victim, folder: Path, how: signal.Signals, moment: float) -> float:
    """Start it, end it ``moment`` of its length after its work has begun; the seconds that this took."""
    began = time.monotonic()
    with victim.start(folder) as process:
        while not (folder / victim.begun).exists() and process.poll() is None:
            assert time.monotonic() - began < LONG, "the work never began"
            time.sleep(0.005)
        time.sleep(moment * victim.lasts)
        if how == signal.SIGKILL:
            process.kill()
        elif process.poll() is None:
            os.killpg(process.pid, how)
        process.wait(LONG)
    return time.monotonic() - began


def survives(victim: Victim, folder: Path, seed: int, expected: dict[str, object]) -> tuple[str, float]:
    """Ended at a moment drawn from the seed, then done: "" if the result is the expected one, else why."""
    draw = random.Random(seed)
    how = draw.choice((signal.SIGKILL, signal.SIGINT))
    seconds = ended(prepare_again(victim, folder), folder, how, draw.random())
    whole_so_far(folder)
    victim.finish(folder)
    said = (folder / "said.txt").read_text()
    if "Traceback" in said and "KeyboardInterrupt" not in said:
        return f"{how.name}: a traceback", seconds
    return ("" if result(folder) == expected else f"{how.name}: another result"), seconds


def prepare_again(victim: Victim, folder: Path) -> Victim:
    """An empty folder but for the user's files."""
    shutil.rmtree(folder, ignore_errors=True)
    prepare(folder)
    return victim
