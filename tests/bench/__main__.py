"""Side by side, in interleaved rounds: what is possible, what Faust does, what tierstream does.

Every round has a fresh broker and an empty Redis, with the same records in the topic `orders`:
a warm-up part in which every customer occurs, then the part that is timed. Each contestant
runs alone, in its own process. For all of them the clock starts when the warm-up is done, with
nothing of the timed part fetched, and stops with the last record: for tierstream when it is
committed in Redis and all tier changes are published.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agents.embedded import EmbeddedServerError
from agents.settings import from_environment
from tests.bench.arena import arena, available_broker, await_quiet
from tests.bench.contestant import BenchError, Ends, run_worker
from tests.bench.processes import Machine, cpu_s, finished_children_cpu_s
from tests.bench.report import Report, targets_met
from tests.bench.trial import Task, Trial
from tests.bench.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.arena import Arena
    from tests.bench.workload import Order

OURS = "tierstream"
RIVALS = ("drain", "parse", "faust")
_FAUST = ("faust-each", "faust-take")
_RIVAL_WITHIN_S = 300.0


class Round:
    """One round: the contestants one after the other on the same servers."""

    def __init__(self, place: Arena, arguments: argparse.Namespace, ends: Ends) -> None:
        self._place = place
        self._arguments = arguments
        self._ends = ends

    def run(self, name: str, faust: Sequence[str]) -> dict[str, Trial]:
        """Run one contestant; Faust's variants each by their own name."""
        await_quiet(self._place.broker)
        if name == OURS:
            return {name: run_worker(self._place, self._ends, self._arguments.profile)}
        if name == "faust":
            few = self._arguments.faust_events
            return {variant: self._rival(variant, few // 10, few) for variant in faust}
        return {name: self._rival(name, self._arguments.warmup, self._arguments.events)}

    def _rival(self, name: str, warmup: int, events: int) -> Trial:
        settings = self._place.settings
        task = Task(
            kafka=settings.kafka,
            topic=settings.topic("orders"),
            starts=self._ends.starts,
            warmup=warmup,
            events=events,
            batch_records=from_environment().batch_records,
        )
        machine, children_s = Machine.now(), finished_children_cpu_s()
        broker_s = cpu_s(self._place.broker.pid)
        answer = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "tests.bench.rivals", name, msgspec.json.encode(task).decode()],
            stdout=subprocess.PIPE,
            check=True,
            timeout=_RIVAL_WITHIN_S,
        ).stdout
        trial = msgspec.json.decode(answer.splitlines()[-1], type=Trial)
        # These are of the whole run, warm-up included.
        spent_s = cpu_s(self._place.broker.pid) - broker_s
        now = Machine.now()
        trial.steal = now.steal_since(machine)
        trial.others = now.others_since(machine, spent_s + finished_children_cpu_s() - children_s)
        trial.broker_cpu_s = spent_s * trial.events / (warmup + events)
        return trial


def run(arguments: argparse.Namespace, orders: Sequence[Order], report: Report) -> None:
    """Run all rounds; fills *report* as they end."""
    ends = Ends.of(orders, arguments.warmup, from_environment().buckets)
    faust: Sequence[str] = _FAUST
    for number in range(arguments.rounds):
        with arena(arguments.broker, orders, arguments.warmup) as place:
            this = Round(place, arguments, ends)
            for name in in_order(number):
                if name in arguments.only:
                    for label, trial in this.run(name, faust).items():
                        report.add(number, label, trial)
                place.reveal()
        if number == 0:
            faust = report.best_of(_FAUST)


def in_order(number: int) -> list[str]:
    """Return the order of a round: tierstream, for which the log is still held back, first.

    >>> in_order(1)
    ['tierstream', 'parse', 'faust', 'drain']
    """
    turn = number % len(RIVALS)
    return [OURS, *RIVALS[turn:], *RIVALS[:turn]]


def main() -> None:
    """Measure, print a table, and write the figures to a file if asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000_000, help="records in the timed part")
    parser.add_argument("--warmup", type=int, default=1_000_000, help="records before it")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--faust-events", type=int, default=100_000, help="fewer for Faust: slow")
    parser.add_argument(
        "--broker",
        choices=["embedded", "apache"],
        help="default: apache if Java and Maven are there",
    )
    parser.add_argument("--only", nargs="+", choices=[OURS, *RIVALS], default=[OURS, *RIVALS])
    parser.add_argument("--quick", action="store_true", help="one short round: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="collapsed stacks of the worker, by py-spy"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.faust_events = 1, 20_000
        arguments.events, arguments.warmup = 150_000, 50_000
    arguments.broker = arguments.broker or available_broker()
    if arguments.warmup < arguments.customers:
        parser.error(f"--warmup: at least {arguments.customers}, one record for each customer")
    workload = Workload(
        events=arguments.events,
        warmup=arguments.warmup,
        customers=arguments.customers,
        ends_ms=time.time_ns() // 1_000_000,
    )
    orders = list(workload.orders())
    gc.freeze()  # a million records that stay: nothing for the collector to look at
    report = Report(arguments.broker, workload, sum(map(len, (o.value for o in orders))))
    try:
        run(arguments, orders, report)
    except (BenchError, EmbeddedServerError, subprocess.SubprocessError) as exc:
        sys.exit(f"bench: {exc}")
    finally:
        report.show()
        if arguments.json:
            arguments.json.write_bytes(report.encode())
    if arguments.check and not targets_met(report):
        sys.exit(1)


if __name__ == "__main__":
    main()
