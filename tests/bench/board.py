"""What the API's read side costs with a million customers, in CPU and memory.

Prints it::

    python -m tests.bench.board [--customers N]
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agents.web.board import new_board
from schemas.policy import load_policy
from stream.plan import compile_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.web.board import Board
    from stream.plan import Plan

POLICY = Path(__file__).parents[2] / "deploy" / "policies" / "wholesale.yaml"
RECORDS = 2_000
MIB = 1 << 10  # ru_maxrss counts KiB


def main() -> None:
    """Fill a board, and print what that and questions to it cost."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.board", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    count = parser.parse_args().customers
    plan = compile_policy(load_policy(str(POLICY)))
    board = new_board(plan, [0], plan.shape.days, "profit_365d")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    filled_s, valued_s = cpu_s(lambda: fill(board, plan, count)), cpu_s(lambda: value(board, count))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MIB
    print(f"{count:,} customers, {len(plan.gradings)} gradings: {filled_s:.1f} s of CPU to read,")
    print(f"{valued_s:.1f} s to take in their amounts, {memory:.0f} MiB")
    population = board.population
    questions: dict[str, Callable[[], object]] = {
        "every tier's count and sum": lambda: [population.standings(g.name) for g in plan.gradings],
        "a page of 100 members": lambda: population.members("value", "gold", count // 2, 100),
        "the 20 largest of a tier": lambda: population.largest("value", "gold", 20),
    }
    for name, question in questions.items():
        print(f"{name}: {1_000 * min(cpu_s(question) for _ in range(5)):.2f} ms")


def fill(board: Board, plan: Plan, count: int) -> None:
    """Let the board read one record of `customer-tiers` for each customer."""
    chance = random.Random(1)
    records = [
        msgspec.json.encode(
            {
                "instant": "2026-06-30T09:00:00.000Z",
                "grades": {grading.name: chance.choice(grading.tiers) for grading in plan.gradings},
            }
        )
        for _ in range(RECORDS)
    ]
    for number in range(count):
        board.take_tiers(b"customer-%08d" % number, records[number % RECORDS])


def value(board: Board, count: int) -> None:
    """Let a survey note what each customer brings in."""
    for number in range(count):
        board.population.value(f"customer-{number:08d}", number)


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU time that *work* takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
