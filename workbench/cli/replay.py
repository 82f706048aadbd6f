"""``workbench replay``: rerun the case that refuted a claim."""

import json as json_format
from pathlib import Path
from typing import Any

import torch

from workbench.cli.output import WrongUseError, console, note, print_table, write_json, wrong_use
from workbench.records import file_hash, source_hash
from workbench.registry import Registry
from workbench.statement import claim_text, condition_text
from workbench.user_code import told
from workbench.user_file import UserFile, load_user_file
from workbench.verify import Replayed, replay


def main(witness: Path, json: bool) -> int:
    """0 if the violation is there again, else 1."""
    data = _witness(witness)
    with wrong_use():
        user = _user_file(data)
        registry = Registry(user)
    if data.get("code") not in (None, source_hash(user.sources if user else ())):
        note("the sources or the versions of torch and numpy are not those that made this witness")
    torch.set_num_threads(1)
    result = _replayed(data, registry, witness)
    if json:
        write_json(_document(result, data), "-")
    else:
        _print(result, data)
    return int(not result.reproduced)


FIELDS = {
    **dict.fromkeys(("theorem", "problem"), str),
    **dict.fromkeys(("seed", "block", "row", "k", "horizon", "leaves", "replicates", "replicate"), int),
    **dict.fromkeys(("measured", "bound", "tolerance"), (int, float, str)),
    **dict.fromkeys(("rules", "hyperparameters", "state", "values"), dict),
    **dict.fromkeys(("methods", "certificates", "x0", "start"), list),
    **dict.fromkeys(("file", "mutant", "dropped"), (str, type(None))),
}
"""What the fields of a witness hold."""


def _witness(path: Path) -> dict[str, Any]:
    """A witness file, a record, or the document of ``verify --json`` with one witness."""
    try:
        data = json_format.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUseError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WrongUseError(f"{path} is not JSON: {error}") from None
    if isinstance(data, dict) and isinstance(data.get("records"), list):
        with_witness = [r for r in data["records"] if isinstance(r, dict) and r.get("witness")]
        if len(with_witness) != 1:
            raise WrongUseError(f"{path} holds {len(with_witness)} records with a witness; one is needed")
        data = with_witness[0]
    if isinstance(data, dict) and "verdict" in data:
        if not isinstance(data.get("witness"), dict):
            raise WrongUseError(f"{path} is a record without a witness: its verdict is {data['verdict']}")
        data = {**data["witness"], "code": data.get("code")}
    if not isinstance(data, dict) or "theorem" not in data or "problem" not in data:
        raise WrongUseError(f"{path} is not a witness; `workbench verify` writes them to results/witnesses")
    for name, kinds in FIELDS.items():
        if name in data and not isinstance(data[name], kinds):
            raise WrongUseError(f"{path} is a damaged witness: its field {name!r} holds {data[name]!r}")
    return data


def _user_file(data: dict[str, Any]) -> UserFile | None:
    """The file that was verified, as it was."""
    file = data.get("file")
    if file is None:
        return None
    if not Path(file).is_file():
        raise WrongUseError(f"the witness needs {file}, which is not there any more")
    if data.get("file_hash") not in (None, file_hash(file)):
        raise WrongUseError(f"{file} has changed since the witness was written; verify it again")
    return load_user_file(file)


def _replayed(data: dict[str, Any], registry: Registry, path: Path) -> Replayed:
    user = registry.user
    try:
        return replay(data, registry, registry.implications)
    except Exception as error:
        if message := told(error, user.path if user else None):
            raise WrongUseError(message) from error
        if isinstance(error, ValueError):
            raise WrongUseError(f"{path}: {error}") from error
        if isinstance(error, KeyError | IndexError | TypeError):
            raise WrongUseError(f"{path} is not a witness of this program: {error!r}") from error
        raise


def _print(result: Replayed, data: dict[str, Any]) -> None:
    theorem = result.theorem
    lines = [
        f"theorem      {theorem.id}" + (f", mutant {data['mutant']!r}" if data.get("mutant") else ""),
        *([f"without      {dropped_text(data)}"] if data.get("dropped") else []),
        f"claim        {claim_text(theorem)}",
        *([f"when         {condition_text(theorem.when)}"] if condition_text(theorem.when) else []),
        f"problem      {result.problem!r}",
        *(f"{name:12} {value!r}" for name, value in result.hyperparameters.items()),
        f"place        {result.place}",
        f"measured     {result.measured!r}",
        f"bound        {result.bound!r}",
        f"excess       {result.measured - result.bound:.6g} (rounding reaches {result.tolerance:.2g})",
        "",
    ]
    out = console()
    out.print("\n".join(lines), soft_wrap=True)
    rows = [(str(k), repr(m), repr(b), "<-" if k == result.k else "") for k, m, b in result.table]
    if rows:
        print_table(("k", "measured", "bound", ""), rows, right=("k",))
    same = ", digit by digit" if result.identical else ""
    out.print(f"\n{f'reproduced{same}' if result.reproduced else 'not reproduced'}")


def dropped_text(witness: dict[str, Any]) -> str:
    """The assumption that a search has dropped, with what stands for its constants."""
    constants = ", ".join(f"{name} = {text}" for name, text in witness.get("values", {}).items())
    return f"{witness['dropped']}, with {constants}" if constants else witness["dropped"]


def _document(result: Replayed, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "theorem": result.theorem.id,
        "dropped": data.get("dropped"),
        "problem": repr(result.problem),
        "hyperparameters": {name: _number(v) for name, v in result.hyperparameters.items()},
        "place": result.place,
        "k": result.k,
        "row": result.row,
        "measured": _number(result.measured),
        "bound": _number(result.bound),
        "tolerance": _number(result.tolerance),
        "reproduced": result.reproduced,
        "identical": result.identical,
        "table": [[k, _number(m), _number(b)] for k, m, b in result.table],
    }


def _number(value: Any) -> Any:
    """JSON has no inf and nan: these become strings, as in records."""
    return str(value) if isinstance(value, float) and not abs(value) < float("inf") else value
