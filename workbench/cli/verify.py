"""``workbench verify``: choose, run, store, report."""

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from problems import Problem
from problems.well_formed import IllFormedError
from workbench.cli.output import (
    WrongUseError,
    console,
    note,
    write_json,
    wrong_use,
)
from workbench.cli.progress import progress
from workbench.cli.targets import require_targets
from workbench.cli.verdict_table import report
from workbench.match import match
from workbench.records import Store, results_json, source_hash
from workbench.registry import Registry
from workbench.theorem import Theorem
from workbench.user_code import told
from workbench.user_file import UserFile, load_user_file
from workbench.verify import DEFAULT, FULL, QUICK, Budget, Record, plan, verify
from workbench.verify.cluster import Cluster, ClusterError
from workbench.verify.pool import UnsendableError, WorkerLostError, require_jobs


def main(
    selectors: Sequence[str],
    file: Path | None,
    mutants: bool,
    quick: bool,
    full: bool,
    json: str | None,
    out: Path,
    seed: int,
    fresh: bool,
    jobs: int | None,
    dry_run: bool,
    not_applicable: bool,
    scheduler: str | None = None,
) -> int:
    """Verify; 0 if every counted record is as expected, else 1. WrongUseError for --quick with --full."""
    if quick and full:
        raise WrongUseError("--quick and --full exclude each other")
    budget = QUICK if quick else FULL if full else DEFAULT
    with wrong_use():
        workers = _workers(jobs, scheduler)
        user = load_user_file(file) if file else None
        registry = Registry(user)
        theorems, problems = _chosen(registry, selectors, full)
        if mutants:
            theorems, problems = _with_mutants(theorems), []
        if dry_run:
            return _list_plan(registry, theorems, problems, budget, seed, not_applicable)
        require_targets({"--json": json})
        store = Store(out, fresh=fresh)
    for line in store.notes:
        note(line)
    with contextlib.redirect_stdout(sys.stderr):  # what a user's objects print is not part of the result
        records = _run(registry, theorems, problems, budget, seed, store, workers)
    if mutants:
        records = [r for r in records if r.mutant is not None]
    if json != "-":
        report(records, store, not_applicable)
    if json is not None:
        write_json(results_json(records, seed), json)
    return int(any(r.expected is False for r in records))


def _workers(jobs: int | None, scheduler: str | None) -> int | Cluster:
    """Processes of this machine, or a cluster whose workers are there. ValueError else."""
    if scheduler is None:
        return require_jobs(1 if jobs is None else jobs)
    if jobs is not None:
        raise WrongUseError(
            f"--jobs and --scheduler exclude each other: --jobs {jobs} starts processes here, --scheduler "
            f"{scheduler} gives the work to the workers of a cluster; leave one out"
        )
    return require_jobs(Cluster(scheduler, source_hash))


def _chosen(registry: Registry, selectors: Sequence[str], full: bool) -> tuple[list[Theorem], list[Problem]]:
    """The user's theorems on all problems; else the library's on the user's problems, if there are any."""
    user = registry.user
    instances = list(registry.instances(full))
    if user is None:
        return registry.select_theorems(selectors), instances
    if not user.theorems and not user.problems:
        raise WrongUseError(
            f"{user.path} holds no theorem and no problem, so there is nothing to verify; "
            "add a Theorem about what it defines, or an instance of its problem class"
        )
    theorems = registry.select_theorems(selectors) if selectors else list(user.theorems or registry.theorems)
    own = any(t in theorems for t in user.theorems)
    return theorems, instances if own or not user.problems else list(user.problems)


def _with_mutants(theorems: Sequence[Theorem]) -> list[Theorem]:
    """Without tight instances, nothing but the mutants is left to run."""
    chosen = [dataclasses.replace(t, tight=()) for t in theorems if t.mutants]
    if not chosen:
        raise WrongUseError("none of the selected theorems has a mutant")
    return chosen


def _list_plan(
    registry: Registry,
    theorems: Sequence[Theorem],
    problems: Sequence[Problem],
    budget: Budget,
    seed: int,
    not_applicable: bool,
) -> int:
    lines, skipped = [], []
    for unit in plan(theorems, problems, budget=budget, seed=seed):
        cases = match(unit.theorem, unit.problem, registry.implications)
        if isinstance(cases, str):
            skipped.append(f"{unit.label}: {cases}")
        else:
            lines.append(unit.label)
    lines.append(f"\n{len(lines)} to run, {len(skipped)} not applicable; {budget!r}, seed {seed}")
    if not_applicable:
        lines += ["", "Not applicable:", *skipped]
    console().print("\n".join(lines), soft_wrap=True)
    return 0


def _run(
    registry: Registry,
    theorems: Sequence[Theorem],
    problems: Sequence[Problem],
    budget: Budget,
    seed: int,
    store: Store,
    workers: int | Cluster,
) -> list[Record]:
    user = registry.user
    finished = (0, 0)

    with progress() as show:

        def tell(done: int, total: int, label: str) -> None:
            nonlocal finished
            finished = (done, total)
            show(done, total, label)

        try:
            return verify(
                theorems,
                problems,
                budget=budget,
                seed=seed,
                store=store,
                code=source_hash(user.sources if user else ()),
                progress=tell,
                implications=registry.implications,
                file=str(user.path) if user else None,
                report_untested=user is None or any(t in user.theorems for t in theorems),
                jobs=workers,
            )
        except KeyboardInterrupt:
            note(f"{_saved(finished, store)}; the same command goes on from there")
            raise
        except (IllFormedError, UnsendableError, ClusterError) as error:
            raise WrongUseError(str(error)) from error
        except WorkerLostError as error:
            raise WrongUseError(
                f"{error}; {_saved(finished, store)}, and the same command goes on from there"
            ) from error
        except OSError as error:
            raise WrongUseError(
                f"{store.folder} cannot be written ({error}); {_saved(finished, store)}"
            ) from error
        except Exception as error:
            raise _explained(error, user, finished, store) from error


def _saved(finished: tuple[int, int], store: Store) -> str:
    return f"{finished[0]} of {finished[1]} pieces of work are saved in {store.folder}"


def _explained(error: Exception, user: UserFile | None, finished: tuple[int, int], store: Store) -> Exception:
    """An error in the user's code is said with its line; any other is a defect and stays as it is."""
    message = told(error, user.path if user else None)
    return WrongUseError(f"{message}; {_saved(finished, store)}") if message else error
