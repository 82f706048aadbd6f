"""``workbench falsify``: search the instance that breaks a claim, or its exact worst case."""

from pathlib import Path

from workbench.cli.falsify_asked import Asked, asked, require_alone
from workbench.cli.falsify_exact import exact_main
from workbench.cli.falsify_report import print_mutants, print_search
from workbench.cli.falsify_search import Search, mutated, searched, write
from workbench.cli.output import write_json

INTERRUPTED = 130
"""Exit status after a Ctrl-C, once what was found is written and shown."""


def main(
    name: str,
    budget: int,
    drop: str | None,
    mutants: bool,
    exact: bool,
    steps: int | None,
    file: Path | None,
    seed: int,
    out: Path | None,
    json: bool,
) -> int:
    """1 if a theorem that is sourced or derived is refuted, 130 if interrupted, else 0.

    What lacks an assumption and what is a mutant may be refuted: 0.
    """
    require_alone(exact, drop, mutants)
    question = asked(name, file, budget, drop, steps, seed, out)
    if exact:
        return exact_main(question, json)
    if mutants:
        return _mutants(question, json)
    search = searched(question, question.theorem)
    paths = {} if out is None else write(out, _file_name(question), search)
    if json:
        write_json(search.document(), "-")
    else:
        print_search(question, search, paths)
    if search.stopped:
        return INTERRUPTED
    counted = drop is None and question.theorem.source.status != "RECALLED"
    return int(search.refuted and counted)


def _mutants(question: Asked, json: bool) -> int:
    """Every mutant in turn, each with the whole budget; its instance is not told."""
    searches: list[Search] = []
    for index, (why, theorem) in enumerate(mutated(question), 1):
        search = searched(question, theorem, why)
        searches.append(search)
        if question.out is not None:
            write(question.out, f"{_file_name(question)}-mutant-{index}", search)
        if search.stopped:
            break
    if json:
        write_json({"mutants": [search.document() for search in searches]}, "-")
    else:
        print_mutants(question, searches)
    return INTERRUPTED if searches[-1].stopped else 0


def _file_name(question: Asked) -> str:
    without = f"-without-{question.drop}" if question.drop else ""
    return question.theorem.id.replace("/", "-") + without
