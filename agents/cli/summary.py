"""What a replay came to, counted and tabled: customers per tier, changes by cause."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from agents.cli.show import table
from stream.customer import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table

    from stream.plan import Plan

UNGRADED = "(not graded)"
_MOST_ROWS = 8


class ChangeNote(msgspec.Struct):
    """The part of a tier change that summaries count."""

    class Cause(msgspec.Struct):
        """What set it off."""

        kind: str

    grading: str
    direction: str
    cause: Cause


_note = msgspec.json.Decoder(ChangeNote)


def read_note(value: bytes) -> ChangeNote:
    """Decode the value of a record of `tier-changes`."""
    return _note.decode(value)


def customers_by_tier(states: Mapping[str, bytes], plan: Plan) -> dict[str, dict[str, int]]:
    """Count customers per grading and tier: best tier first, then those not graded.

    Gradings with too many tiers to list (RFM cells) hold only tiers that someone has, the most
    frequent first.
    """
    counts: list[Counter[str | None]] = [Counter() for _ in plan.gradings]
    for customer_id, state in states.items():
        customer = decode(customer_id, state, plan.shape)
        for counter, grade in zip(counts, customer.grades, strict=True):
            counter[grade.tier] += 1
    found = {}
    for grading, counter in zip(plan.gradings, counts, strict=True):
        if len(grading.tiers) > _MOST_ROWS:
            known = {tier: n for tier, n in counter.most_common() if tier is not None}
        else:
            known = {tier: counter[tier] for tier in grading.tiers}
        ungraded = {UNGRADED: counter[None]} if counter[None] else {}
        found[grading.name] = known | ungraded
    return found


def tiers_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Return a table of `customers_by_tier`."""
    made = table("Customers per tier", "grading", "tier", "customers", right=("customers",))
    for grading, tiers in counts.items():
        made.add_section()
        name = grading
        for tier, number in list(tiers.items())[:_MOST_ROWS]:
            made.add_row(name, tier, f"{number:,}")
            name = ""
        rest = list(tiers.values())[_MOST_ROWS:]
        if rest:
            made.add_row("", f"{len(rest)} more", f"{sum(rest):,}", style="dim")
    return made


def changes_by_cause(notes: Iterable[ChangeNote]) -> dict[str, dict[str, int]]:
    """Count changes per cause and direction."""
    counts: dict[str, dict[str, int]] = {}
    for (cause, way), number in sorted(Counter((n.cause.kind, n.direction) for n in notes).items()):
        counts.setdefault(cause, {})[way] = number
    return counts


def causes_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Return a table of `changes_by_cause`."""
    ways = ("first", "up", "down", "lateral")
    made = table("Tier changes", "cause", *ways, "all", right=(*ways, "all"))
    for cause, numbers in counts.items():
        cells = [f"{numbers.get(way, 0):,}" for way in ways]
        made.add_row(cause, *cells, f"{sum(numbers.values()):,}")
    return made
