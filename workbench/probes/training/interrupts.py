"""Ctrl-C that waits until something whole is done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class InterruptedTrainingError(KeyboardInterrupt):
    """Ctrl-C, after everything was saved; says where."""


@contextmanager
def patient(wanted: bool = True, say: Callable[[str], Any] | None = None) -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C is only told by what is given; a second one interrupts at once.

    say: told once that it waits. Where it is not wanted, outside the main thread, and where Ctrl-C does
    something else already, nothing changes, and it is never told.
    """
    came: list[int] = []

    def note(number: int, _: Any) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)
        if say is not None:
            with suppress(RuntimeError):  # of a stream that was being written to
                say("this step is finished and saved first; Ctrl-C again does not wait")

    main = threading.current_thread() is threading.main_thread()
    if not (wanted and main and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
