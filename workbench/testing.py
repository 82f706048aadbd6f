"""For a user's own tests: ``assert_holds(MY_THEOREM)``."""

from collections.abc import Sequence

from assumptions import IMPLICATIONS, Implies
from problems import INSTANCES, Problem
from workbench.theorem import Theorem
from workbench.verify import QUICK, Budget, Record, verify


def assert_holds(
    theorem: Theorem,
    problems: Sequence[Problem] | None = None,
    budget: Budget = QUICK,
    seed: int = 0,
    implications: Sequence[Implies] = IMPLICATIONS,
) -> list[Record]:
    """Verify a theorem, its mutants included, on ``problems`` (default: the library's instances).

    Returns the records. AssertionError with every record that is not as expected: a refuted claim with
    its witness, a mutant that was not caught, a claim that nothing tested.
    """
    chosen = INSTANCES if problems is None else problems
    records = verify([theorem], chosen, budget=budget, seed=seed, implications=implications)
    unexpected = [_line(r) for r in records if r.expected is False]
    if unexpected:
        raise AssertionError(f"{theorem.id}: not as expected\n" + "\n".join(unexpected))
    return records


def _line(record: Record) -> str:
    rules = ", ".join(f"{name} = {rule}" for name, rule in record.parameters.items())
    what = f"mutant {record.mutant!r} on" if record.mutant is not None else "on"
    line = f"  {what} {record.problem} with {rules or 'no parameters'}: {record.verdict}"
    line += f", {record.reason}" if record.reason else ""
    if record.witness is None:
        return line
    seen = {name: record.witness[name] for name in ("k", "row", "hyperparameters") if name in record.witness}
    return f"{line}; witness {seen}"
