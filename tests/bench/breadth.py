"""What breadth costs: one worker with every kind of grading, against one with a single tier.

Each round runs both, each on a fresh broker and an empty Redis, over the same records::

    python -m tests.bench.breadth [--rounds N] [--events N]
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from agents.settings import from_environment
from tests.bench.arena import arena, available_broker, await_quiet
from tests.bench.contestant import Ends, run_worker
from tests.bench.workload import Workload

if TYPE_CHECKING:
    from tests.bench.trial import Trial

POLICIES = {name: Path(__file__).with_name(f"{name}.yaml") for name in ("single", "sixteen")}
LIMIT = 3.0


def main() -> None:
    """Measure, print each run, and say whether the target is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.breadth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=500_000, help="records in the timed part")
    parser.add_argument("--warmup", type=int, default=1_000_000, help="records before it")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--broker", choices=["embedded", "apache"], default=available_broker())
    parser.add_argument("--check", action="store_true", help="exit 1 if the target is missed")
    arguments = parser.parse_args()
    workload = Workload(
        events=arguments.events,
        warmup=max(arguments.warmup, arguments.customers),
        customers=arguments.customers,
        ends_ms=time.time_ns() // 1_000_000,
    )
    orders = list(workload.orders())
    gc.freeze()
    ends = Ends.of(orders, workload.warmup, from_environment().buckets)
    ratios = []
    for number in range(arguments.rounds):
        rates = {}
        for name in sorted(POLICIES, reverse=number % 2 == 1):
            with arena(arguments.broker, orders, workload.warmup) as place:
                await_quiet(place.broker)
                trial = run_worker(place, ends, policy=POLICIES[name])
            _tell(number, name, trial)
            rates[name] = trial.rate
        ratios.append(rates["single"] / rates["sixteen"])
    ratio = median(ratios)
    print(
        f"every kind of grading at once takes {ratio:.2f} times as long as a single tier "
        f"[{min(ratios):.2f}..{max(ratios):.2f}] (target: at most {LIMIT:g})"
    )
    if arguments.check and ratio > LIMIT:
        sys.exit(1)


def _tell(number: int, name: str, trial: Trial) -> None:
    print(
        f"round {number + 1}  {name:<8} {trial.rate:>8,.0f} events/s  "
        f"{trial.cpu_us:6.2f} CPU µs/event  {trial.changes:,} tier changes  "
        f"steal {trial.steal:.0%}  other processes {trial.others:.0%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
