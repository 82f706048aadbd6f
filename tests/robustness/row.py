"""One bad input: what is given, how it ends, and words of what is said.

A row is Python, evaluated with ``names.NAMES``, or a command line. It runs in the folder of ``world``.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """ends: the type of an error, or "exit 2". words: parts of what is said, in any order."""

    part: str
    given: str
    ends: str
    words: tuple[str, ...]


USE = "exit 2"


def rows(part: str, *listed: tuple[str, str, str | tuple[str, ...]]) -> tuple[Row, ...]:
    """The rows of one part."""
    return tuple(
        Row(part, given, ends, (said,) if isinstance(said, str) else said) for given, ends, said in listed
    )
