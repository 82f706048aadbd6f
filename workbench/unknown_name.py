"""A name that nothing has, and the known names that come close."""

import difflib
from collections.abc import Iterable


class UnknownNameError(ValueError):
    """A name that nothing has; says which ones come close."""


def close_to(name: str, known: Iterable[str]) -> str:
    """What to add to an error: the known names that come close, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"; close: {', '.join(close)}" if close else ""
