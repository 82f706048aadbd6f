"""An environment of its own for the libraries that the workbench is compared with.

It is a layer over the environment in use: what that has is found there, at the same versions, so that both
sides of a comparison run on the same torch, NumPy and SciPy; what a peer needs beyond, or in another version,
goes into the layer alone, and the environment in use stays as it is.
"""

import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

from benchmarks.report import PACKAGES, surroundings, versions

PEERS = ("PEPit", "cvxpy", "scipy", "scikit-learn", "curvlinops-for-pytorch", "benchopt")
"""Distributions of the package index. torch.optim.Muon comes with torch."""
SECONDS = 600
"""For one of them."""


def interpreter(folder: Path) -> Path:
    """That of the environment in a folder."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def made(folder: Path) -> Path:
    """The interpreter of the layer, which is made where there is none.

    ValueError if the folder holds something else.
    """
    python = interpreter(folder)
    if (folder / "pyvenv.cfg").is_file() and python.exists():
        return python
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"--peers must be a new or empty folder or a virtual environment, got {str(folder)!r}"
        )
    venv.create(folder, with_pip=True)
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    below = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    Path(own, "_below.pth").write_text("".join(f"{path}\n" for path in below))
    return python


def install(python: Path, names: tuple[str, ...] = PEERS) -> dict[str, str]:
    """Install those that are not there, one after the other.

    Returns those that failed, with the last line of what pip said.
    """
    held = "".join(f"{name}=={version}\n" for name, version in versions(PACKAGES).items())
    failed, there = {}, present(str(python), names)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(held)
        for name in (name for name in names if name not in there):
            call = [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-c",
                constraints,
            ]
            try:
                done = subprocess.run(
                    [*call, name], capture_output=True, text=True, timeout=SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                failed[name] = f"not installed after {SECONDS} s"
                continue
            if done.returncode != 0:
                failed[name] = last_line(done.stderr) or f"pip ended with {done.returncode}"
    return failed


def last_line(text: str) -> str:
    """That is not empty; empty if there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def present(python: str, names: tuple[str, ...]) -> dict[str, str]:
    """Versions of the distributions that an interpreter finds."""
    code = (
        "import sys\nfrom importlib.metadata import PackageNotFoundError, version\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        print(name, version(name))\n"
        "    except PackageNotFoundError:\n        pass\n"
    )
    call = [python, "-c", code, *names]
    said = subprocess.run(call, check=True, capture_output=True, text=True, env=surroundings()).stdout
    return dict(line.split(maxsplit=1) for line in said.splitlines())
