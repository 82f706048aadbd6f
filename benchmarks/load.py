"""How much of the processors others took while something ran."""

import os
import time
from pathlib import Path
from typing import NamedTuple

STAT = Path("/proc/stat")
BUSY = 0.1
"""Share of all processors from which on a measurement is marked as disturbed."""


def busy_seconds(path: Path = STAT) -> float | None:
    """Seconds that all processors together have worked since the start; None where that is not told.

    The fields of the first line are user, nice, system, idle, iowait, irq, softirq, steal, in ticks.
    """
    try:
        ticks = [int(field) for field in path.read_text().splitlines()[0].split()[1:9]]
    except (OSError, IndexError, ValueError):
        return None
    if len(ticks) < 8:
        return None
    return (sum(ticks) - sum(ticks[3:5])) / os.sysconf("SC_CLK_TCK")


class Mark(NamedTuple):
    """Wall clock, work of the machine, and own work with that of finished children, in seconds."""

    wall: float
    busy: float | None
    own: float

    @classmethod
    def now(cls) -> "Mark":
        """At this moment."""
        spent = os.times()
        own = spent.user + spent.system + spent.children_user + spent.children_system
        return cls(time.perf_counter(), busy_seconds(), own)

    def others(self, start: "Mark") -> float | None:
        """Share of all processors, 0 to 1, that others took since then; None where it is not known."""
        if self.busy is None or start.busy is None or self.wall <= start.wall:
            return None
        work = (self.busy - start.busy) - (self.own - start.own)
        return min(1.0, max(0.0, work / (self.wall - start.wall) / (os.cpu_count() or 1)))
