"""A folder with everything a bad input may meet: results, a user's files, files that are none of ours."""

import hashlib
import json
from pathlib import Path

from tests.made_record import RECORD
from workbench.records import Store

SHRINKS = """
from dataclasses import dataclass
from assumptions import Convex
from workbench import Method, Point, Source, Theorem, symbols

NOISE = __import__("numpy").random.default_rng(0)


@dataclass(frozen=True)
class Halve(Method):
    def step(self, problem, state, draw):
        return Point(state.x / 2)


gap, gap_next = symbols("gap gap_next")
"""
CLAIM = """
CLAIM = Theorem(id="mine/halves", title="t", source=Source("mine", "DERIVED"), method=Halve, parameters={},
                assumes=(Convex,), measured=gap_next, bound=gap)
"""
PROBLEM = """
import torch
from problems import from_function
"""
TASK = """
import torch
from torch import nn

def make(seed):
    x = torch.zeros(8, 2)
    return {"model": nn.Linear(2, 2), "loss": lambda m, b: m(b).square().mean(), "batch": lambda step: x,
            "fixed": x, "rates": {"sgd": 0.1}}

def broken(seed):
    raise KeyError("mine")
"""

FILES = {
    "empty.py": "",
    "nothing.py": "ONE = 1\n",
    "syntax.py": "ONE = 1\ndef (:\n",
    "raises.py": "ONE = 1\n\nraise KeyError('mine')\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "stops.py": "\nclass Stop(BaseException):\n    pass\nraise Stop('mine')\n",
    "deep.py": "x = " + "-" * 100_000 + "1\n",
    "null.py": "x = 1\n\0\n",
    "silent.py": f"{SHRINKS}\nclass Odd:\n    __class__ = property(lambda self: 1 / 0)\nODD = Odd()\n{CLAIM}",
    "halves.py": f"{SHRINKS}{CLAIM}",
    "twice.py": f"{SHRINKS}{CLAIM}{CLAIM.replace('CLAIM', 'SAME')}",
    "ünï cödé/mine file.py": f"{SHRINKS}{CLAIM}",
    "ünï cödé/torn file.py": "(",
    "taken.py": f"{SHRINKS}{CLAIM.replace('mine/halves', 'gd/convex')}",
    "unknown.py": f"{SHRINKS}{CLAIM.replace('bound=gap', 'bound=symbols(chr(103) * 3)')}",
    "method.py": SHRINKS,
    "wrong_shape.py": (
        f"{PROBLEM}F = from_function(lambda x: x.square().sum(), d=2, name='f', f_star=0.0)\n"
    ),
    "wrong_star.py": (
        f"{PROBLEM}F = from_function(lambda x: x.square().sum(-1), d=2, name='f', f_star=7.0)\n"
    ),
    "raising_step.py": f"{SHRINKS.replace('return Point', 'return 1 / 0 + Point')}{CLAIM}",
    "not_pure.py": f"{SHRINKS.replace('state.x / 2', 'state.x + NOISE.normal()')}{CLAIM}",
    "task.py": TASK,
    "text.json": "this is no JSON",
    "list.json": "[1, 2]",
    "deep.json": "[" * 100_000,
    "not_refuted.json": json.dumps(RECORD.to_json()),
    "witness.json": json.dumps({"theorem": "gd/convex", "problem": "Huber()", "seed": "zero"}),
    "unknown.json": json.dumps({"theorem": "no/such", "problem": "Huber()", "seed": 0}),
    "bare.json": json.dumps({"theorem": "gd/convex", "problem": "Huber()"}),
    "older.json": json.dumps({"format": "workbench-figure-0", "figure": "bpm-gap"}),
    "torn.json": '{"format": "workbench-figure-1", "figure": "bpm-gap", "tab',
    "a_file": "mine",
    "run.npz": "PK not a zip",
    "binary.py": b"\x7fELF\x00\xff\xfe",
    "latin.py": b"# caf\xe9\nX = 1\n",
    "foreign/records-0.jsonl": b"\x00\xff binary\n",
    "foreign/checkpoint.pt": b"\x80\x05 not a checkpoint",
    "damaged/records-0.jsonl": json.dumps({**RECORD.to_json(), "checked": "many"}) + "\n",
    "empty_results/records-0.jsonl": "",
    "not_probe/probe.nc": "no netCDF",
}
"""Name -> content."""


def build(folder: Path) -> None:
    """Write the files, and a folder ``results`` with one finished record and a link to itself, ``loop``."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "loop").symlink_to("loop")
    Store(folder / "results").write([RECORD])


def contents(folder: Path) -> dict[str, str]:
    """Path -> hash of every file below, and every empty folder; but for locks, which hold no result."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.name != ".lock" and "__pycache__" not in path.parts:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_dir() and not any(path.iterdir()):
            found[name] = "an empty folder"
    return found
