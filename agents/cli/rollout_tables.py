"""Who a new policy would move, and how far a roll-out has come, on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.cli.show import instant, pairs, table
from stream.calendar import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from stream.editions import Edition, ShadowPolicy
    from stream.migration import Divergence, Migration

_MOST_MOVES = 12


def migration(found: Migration) -> Iterator[Table]:
    """Yield a table of moves for each grading in which anybody would move, largest first."""
    for grading, moves in found.moves.items():
        moving = [(number, move) for move, number in moves.items() if move[0] != move[1]]
        if not moving:
            continue
        made = table(grading, "from", "to", "customers", right=("customers",))
        moving.sort(key=lambda pair: (-pair[0], str(pair[1])))
        for number, (before, after) in moving[:_MOST_MOVES]:
            made.add_row(before or "not graded", after or "not graded", f"{number:,}")
        rest = sum(number for number, _ in moving[_MOST_MOVES:])
        if rest:
            made.add_row("other moves", "", f"{rest:,}")
        yield made


def status(edition: Edition, buckets: Mapping[int, int], unswept: int) -> Table:
    """Return what is in force, how many buckets have taken it, and how many are being swept."""
    taken = buckets[edition.number]
    return pairs(
        f"{edition.policy['policy']} version {edition.policy['version']}",
        {
            "in force since": instant(edition.since_ms),
            "cause": edition.cause,
            "edition": edition.number,
            "buckets that have taken it": taken,
            "buckets that have not": sum(buckets.values()) - taken,
            "buckets being swept": unswept,
        },
    )


def shadow(policy: ShadowPolicy) -> Table:
    """Return what runs beside the policy in force."""
    named = f"{policy.policy['policy']} version {policy.policy['version']}"
    return pairs(f"beside it: {named}", {"since": instant(policy.instant_ms)})


def told_of_shadow(policy: ShadowPolicy, found: Divergence, buckets: int) -> dict[str, Any]:
    """Return the same for machines, with who stands elsewhere in the *buckets* looked at."""
    standings = found.standings
    return {
        "policy": policy.policy["policy"],
        "version": policy.policy["version"],
        "since": format_instant(policy.instant_ms),
        "buckets_looked_at": buckets,
        "customers": standings.customers,
        "customers_elsewhere": standings.moved,
        "customers_waiting": found.waiting,
        "moves": {
            grading: [
                {"live": live, "shadow": other, "customers": number}
                for (live, other), number in sorted(moves.items(), key=str)
                if live != other
            ]
            for grading, moves in standings.moves.items()
        },
    }
