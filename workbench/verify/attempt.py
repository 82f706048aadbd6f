"""What is found, or why nothing can be."""

from collections.abc import Callable

from problems.ball_newton import SolverError
from workbench.verify.outcome import Outcome
from workbench.verify.setting import NotApplicableError, UnknownStartError


def attempted(find: Callable[[], Outcome]) -> Outcome:
    """What ``find`` returns; an outcome that says so where a solver stops or the case does not apply."""
    try:
        return find()
    except SolverError as error:
        return Outcome(obstacle=f"a solver stopped: {error}")
    except UnknownStartError as error:
        return Outcome(bad_certificate=str(error))
    except NotApplicableError as error:
        return Outcome(not_applicable=str(error))
