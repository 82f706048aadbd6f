"""All comparisons with other libraries, one after the other: numbers as JSON, a table as Markdown.

    python -m benchmarks [--only NAME ...] [--quick] [--peers DIR] [--out docs/benchmarks.md] [--list]

Each comparison is a process of its own on one thread. One that fails is named and does not stop the others;
the command then ends with 1.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.comparisons import COMPARISONS, Comparison, chosen
from benchmarks.load import Mark
from benchmarks.page import page
from benchmarks.peers import install, last_line, made, present
from benchmarks.report import ROOT, hardware, positive, surroundings

SCHEMA = "workbench-benchmarks/1"


def measure(name: str, comparison: Comparison, quick: bool, python: str, limit: int) -> dict[str, Any]:
    """One comparison: rows and the script's own numbers, or the error; and the circumstances."""
    environment = surroundings()
    there = present(python, comparison.peers) if comparison.peers else {}
    call = comparison.call(quick)
    found: dict[str, Any] = {
        "title": comparison.title,
        "command": " ".join(("python", *call)),
        "quick": quick,
        "peers": there,
        "left_out": [peer for peer in comparison.peers if peer not in there],
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    start = Mark.now()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "numbers.json")
        try:
            done = subprocess.run(
                [python, *call, "--json", str(file)],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
            )
            if done.returncode != 0:
                found["error"] = last_line(done.stderr) or f"ended with {done.returncode}"
            else:
                numbers = json.loads(file.read_text())
                found |= {"rows": comparison.rows(numbers), "numbers": numbers}
        except subprocess.TimeoutExpired:
            found["error"] = f"not finished after {limit} s (--limit)"
        except (OSError, ValueError, KeyError) as error:
            found["error"] = f"{name} wrote no numbers that can be read: {error!r}"
    end = Mark.now()
    return found | {"seconds": round(end.wall - start.wall, 1), "others": end.others(start)}


def kept(path: Path, machine: Mapping[str, str], some: bool) -> dict[str, Any]:
    """Results that an earlier run left on the same machine with the same versions.

    some: only a part runs anew, so that the rest must go with it. ValueError if it does not, and for a file
    that is not of this command.
    """
    if not path.exists():
        return {}
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if earlier["schema"] != SCHEMA:
            raise ValueError(f"its schema is {earlier['schema']!r}")
        results, before = dict(earlier["results"]), dict(earlier["hardware"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not of this command ({error!r}); give another --out") from None
    if before == machine:
        return {name: results[name] for name in COMPARISONS if name in results}
    if some:
        raise ValueError(f"{path} is of another machine or other versions; run all, or give another --out")
    return {}


def written(out: Path, numbers: Mapping[str, Any]) -> None:
    """Markdown, and JSON of the same name beside it."""
    data = out.with_suffix(".json")
    out.parent.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    out.write_text(page(numbers, data.name), encoding="utf-8")


def listed() -> str:
    """A line for each comparison."""
    return "\n".join(f"{name:14} {comparison.title}" for name, comparison in COMPARISONS.items())


def arguments_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parsed and checked, before work starts."""
    read = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    read.add_argument("--only", action="append", default=[], metavar="NAME", help="this one; may be repeated")
    read.add_argument("--quick", action="store_true", help="sizes that only show that everything works")
    read.add_argument("--list", action="store_true", help="name the comparisons, run nothing")
    read.add_argument(
        "--out", type=Path, default=Path("benchmarks.md"), help="Markdown file; JSON goes beside it"
    )
    read.add_argument(
        "--peers", type=Path, metavar="DIR", help="virtual environment for peers, made if needed"
    )
    read.add_argument("--limit", type=positive, default=3600, help="seconds for one comparison")
    options = read.parse_args(arguments)
    try:
        options.chosen = chosen(options.only)
    except ValueError as error:
        read.error(str(error))
    if options.out.suffix != ".md":
        read.error(f"--out must end in .md, got {str(options.out)!r}")
    return options


def peers(folder: Path | None) -> tuple[str, dict[str, str]]:
    """The interpreter to use, and peers that could not be installed, with the reason."""
    if folder is None:
        return sys.executable, {}
    python = made(folder.resolve())
    failed = install(python)
    for name, why in failed.items():
        print(f"not installed: {name}: {why}", flush=True)
    return str(python), failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a line for each, write. Returns 0, or 1 if a comparison failed."""
    options = arguments_of(arguments)
    if options.list:
        print(listed())
        return 0
    machine, data = hardware(), options.out.with_suffix(".json")
    try:
        results = kept(data, machine, bool(options.only))
        python, not_installed = peers(options.peers)
    except (ValueError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"python -m benchmarks: {error}")
    given = [word for word, on in (("--quick", options.quick), ("--peers DIR", options.peers)) if on]
    command = " ".join(["python -m benchmarks", *given, "--out", str(options.out)])
    failed = []
    for name, comparison in options.chosen.items():
        results[name] = measure(name, comparison, options.quick, python, options.limit)
        error = results[name].get("error")
        failed += [name] if error else []
        print(f"{name:14} {results[name]['seconds']:8.1f} s  {error or 'done'}", flush=True)
        ordered = {n: results[n] for n in COMPARISONS if n in results}
        numbers = {
            "schema": SCHEMA,
            "command": command,
            "hardware": machine,
            "not_installed": not_installed,
            "results": ordered,
        }
        written(options.out, numbers)
    print(f"written: {options.out}, {data}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
