"""What processes and the machine have spent, as the kernel counts it. Linux only."""

from __future__ import annotations

import os
import resource
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


def finished_children_cpu_s() -> float:
    """Return what all ended child processes of this one took together."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True, slots=True)
class Machine:
    """What all processors together have done since boot, in seconds.

    Attributes:
        total_s: All time, idle included.
        busy_s: Given to any process.
        stolen_s: Given by the host to others.
    """

    total_s: float
    busy_s: float
    stolen_s: float

    @classmethod
    def now(cls) -> Machine:
        """Read the counters."""
        with Path("/proc/stat").open() as stat:
            fields = [int(field) * _TICK_S for field in stat.readline().split()[1:9]]
        _, _, _, idle, waiting, _, _, stolen = fields
        total = sum(fields)
        return cls(total, total - idle - waiting - stolen, stolen)

    def steal_since(self, before: Machine) -> float:
        """Return the share stolen between two readings, 0 to 1."""
        return (self.stolen_s - before.stolen_s) / max(_TICK_S, self.total_s - before.total_s)

    def others_since(self, before: Machine, ours_s: float) -> float:
        """Return the share taken by processes that are not ours, which took *ours_s*."""
        theirs_s = self.busy_s - before.busy_s - ours_s
        return max(0.0, theirs_s) / max(_TICK_S, self.total_s - before.total_s)
