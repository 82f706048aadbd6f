"""The table of bad inputs."""

from tests.robustness import command_rows as commands
from tests.robustness import object_rows as objects
from tests.robustness.row import Row

__all__ = ["ROWS", "Row"]

ROWS = (
    *objects.ASSUMPTIONS,
    *objects.PROBLEMS,
    *objects.METHODS,
    *objects.THEOREMS,
    *objects.VERIFY,
    *objects.USER_FILES,
    *commands.CHECK,
    *commands.RUN,
    *commands.REPLAY,
    *commands.FIGURE,
    *commands.REPORT,
    *commands.PROBE,
    *commands.NEW,
    *commands.CALIBRATE,
    *commands.TABLE,
    *commands.FALSIFY,
)
