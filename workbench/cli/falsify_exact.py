"""``workbench falsify --exact``: the worst case over the whole class, proved, at each of its parameters."""

from typing import Any

from workbench.cli.falsify_asked import Asked
from workbench.cli.output import WrongUseError, console, note, plain, print_table, write_json
from workbench.statement import claim_text, condition_text
from workbench.theorem import Theorem
from workbench.worst_case import CertificateError, NoExactClassError, ProgrammeError, WorstCase, worst_case
from workbench.worst_case.worst_function import worst_function

STEPS = 5
"""Length of the chain by default."""


def exact_main(question: Asked, json: bool) -> int:
    """1 if a theorem that is sourced or derived is refuted, else 0. WrongUseError where there is no class."""
    theorem, steps = question.theorem, question.steps or STEPS
    cases: list[WorstCase] = []
    failed: list[str] = []
    for index, rules in enumerate(theorem.variants()):
        text = rules_of(rules)
        try:
            cases.append(worst_case(theorem, steps=steps, parameter=index))
        except NoExactClassError as error:
            raise WrongUseError(f"{error}") from error
        except (ProgrammeError, CertificateError, ValueError) as error:
            failed.append(f"{text}: {error}")
    if not cases:
        raise WrongUseError(f"{theorem.id}: no worst case was found; {'; '.join(failed)}")
    found = [{**case.to_json(), "worst_functions": worst_functions(case)} for case in cases]
    document = {"theorem": theorem.id, "worst_cases": found, "failed": failed}
    if question.out is not None:
        path = question.out / f"exact-{theorem.id.replace('/', '-')}.json"
        write_json(plain(document), str(path))
        note(f"written to {path}")
    if json:
        write_json(plain(document), "-")
    else:
        _print(theorem, cases, failed)
    refuted = any(case.verdict == "refuted" for case in cases)
    return int(refuted and theorem.source.status != "RECALLED")


def rules_of(rules: dict[str, Any]) -> str:
    """One choice of hyperparameters in words."""
    return ", ".join(f"{name} = {rule}" for name, rule in rules.items())


def worst_functions(case: WorstCase) -> dict[str, str]:
    """Function -> the problem that attains the worst case, as a call, or why none could be made."""
    made = {}
    for function in case.functions:
        try:
            made[function.name] = repr(worst_function(case, function))
        except ValueError as error:
            made[function.name] = f"none: {error}"
    return made


def _print(theorem: Theorem, cases: list[WorstCase], failed: list[str]) -> None:
    out = console()
    lines = [f"theorem      {theorem.id}", f"claim        {claim_text(theorem)}"]
    if condition_text(theorem.when):
        lines.append(f"when         {condition_text(theorem.when)}")
    lines.append(f"steps        {cases[0].steps}, over the whole class of functions")
    fixed = {n: v for n, v in cases[0].values.items() if n not in theorem.fields}
    if fixed:
        lines.append(f"numbers      {', '.join(f'{n} = {v:g}' for n, v in fixed.items())}")
    out.print("\n".join(lines), soft_wrap=True)
    out.print()
    rows = [_row(theorem, case) for case in cases]
    columns = ("parameters", "verdict", "upper (proved)", "lower", "bound", "upper / bound")
    print_table(columns, rows, right=columns[2:], out=out)
    squares = " of both sides squared" if any(case.squared for case in cases) else ""
    out.print(
        f"\nupper: no function of the class exceeds it{squares}, proved in exact arithmetic; "
        "lower: one reaches it",
        soft_wrap=True,
    )
    for said in dict.fromkeys(f"{case.verdict}: {case.reason}" for case in cases):
        out.print(said, soft_wrap=True)
    for case in (c for c in cases if c.verdict == "refuted"):
        for problem in worst_functions(case).values():
            out.print(f"above it: {problem}", soft_wrap=True)
    for text in failed:
        out.print(f"none for {text}", soft_wrap=True)


def _row(theorem: Theorem, case: WorstCase) -> tuple[str, ...]:
    named = [f"{name} = {case.values[name]:.6g}" for name in case.values if name in theorem.fields]
    lower = "" if case.lower is None else f"{case.lower:.8g}"
    return (
        ", ".join(named),
        case.verdict,
        f"{case.upper:.8g}",
        lower,
        f"{case.bound:.8g}",
        f"{case.ratio:.8g}",
    )
