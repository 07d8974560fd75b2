"""What processes and the machine have spent, as the kernel counts it. Linux only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return user and system time of all threads of *pid*, in seconds (ticks of 10 ms)."""
    return _spent_s(Path(f"/proc/{pid}/stat"))


def main_thread_cpu_s(pid: int) -> float:
    """Return the time of the first thread of *pid*, which in a worker runs the event loop."""
    return _spent_s(Path(f"/proc/{pid}/task/{pid}/stat"))


def _spent_s(stat: Path) -> float:
    # The command name, in brackets, may hold blanks; fields are counted after it.
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


@dataclass(frozen=True, slots=True)
class Steal:
    """Processor time that the host gave to others, counted since boot.

    Attributes:
        stolen: Ticks stolen.
        total: All ticks, idle ones included, over all processors.
    """

    stolen: int
    total: int

    @classmethod
    def now(cls) -> Steal:
        """Read the counters."""
        with Path("/proc/stat").open() as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        return cls(fields[7], sum(fields))

    def since(self, before: Steal) -> float:
        """Return the share stolen between two readings, 0 to 1."""
        return (self.stolen - before.stolen) / max(1, self.total - before.total)
