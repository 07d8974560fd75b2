"""How much processor time each process took, and how much all others had. Linux only."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Moment(NamedTuple):
    """Processor seconds up to an instant.

    Attributes:
        at_s: When, by a steady clock.
        spent_s: By name of the process, user and system, all threads.
        busy_s: Of the whole machine, time given to other machines included.
    """

    at_s: float
    spent_s: dict[str, float]
    busy_s: float


def look(pids: dict[str, int]) -> Moment:
    """Return what each of *pids*, by name, has taken so far; one that has ended took nothing."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _, _, interrupts, soft, steal = map(int, fields)
    busy = user + nice + system + interrupts + soft + steal
    spent_s = {name: _spent_s(pid) for name, pid in pids.items()}
    return Moment(time.monotonic(), spent_s, busy / _TICKS)


def _spent_s(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def shares(before: Moment, after: Moment) -> str:
    """Return the cores that each process kept busy in between, and all others together."""
    took_s = after.at_s - before.at_s
    cores = {
        name: (spent_s - before.spent_s.get(name, 0.0)) / took_s
        for name, spent_s in after.spent_s.items()
    }
    others = max(0.0, (after.busy_s - before.busy_s) / took_s - sum(cores.values()))
    told = [f"{name} {share:.2f}" for name, share in cores.items()]
    return f"cores busy: {', '.join(told)}; others {others:.2f} of {os.cpu_count()}"
