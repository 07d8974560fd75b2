"""What a simulation found, in words; the same on the terminal and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.cli.show import money, reading
from stream.simulation.difference import GRADING, PAST, POINTS, SCORE
from stream.simulation.pairs import DOWN, GRADED, LATERAL, UNGRADED, UP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.simulation.run import Simulated
    from stream.simulation.difference import Difference, Range

NOT_GRADED = "(not graded)"
NO_OWNERS = "no account managers: the log has no profile attribute owner"

MOVES = {
    UP: "up",
    DOWN: "down",
    LATERAL: "sideways",
    GRADED: "newly graded",
    UNGRADED: "no longer graded",
}
"""What the directions of `stream.simulation.pairs` are called."""


def tier_name(tier: str | None) -> str:
    """Return how a tier is shown."""
    return NOT_GRADED if tier is None else tier


def share(part: int, whole: int) -> str:
    """Return *part* of *whole* in percent with one decimal, "-" where there is no whole.

    >>> share(1, 3), share(0, 5), share(1, 0)
    ('33.3 %', '0.0 %', '-')
    """
    if whole <= 0:
        return "-"
    permille = (2000 * part + whole) // (2 * whole)
    sign = "-" if permille < 0 else ""
    return f"{sign}{abs(permille) // 10}.{abs(permille) % 10} %"


def signed(number: int) -> str:
    """Return a difference with its sign.

    >>> signed(1200), signed(-3), signed(0)
    ('+1,200', '-3', '0')
    """
    return f"{number:+,}" if number else "0"


def reason_texts(reasons: Sequence[Difference], currency: str) -> list[str]:
    """Return one sentence for each reason why a customer ends in another tier."""
    return [_reason(reason, currency) for reason in reasons]


def _reason(reason: Difference, currency: str) -> str:
    if reason.kind == PAST:
        return "same readings and levels: keeps the tier that it held before"
    if reason.kind == GRADING:
        return f"{reason.name} is {_tier(reason.old)} under old, {_tier(reason.new)} under new"
    if reason.kind == POINTS:
        return f"{reason.name} ({_points(reason)})"
    readings = [_reading(value, reason.unit, currency) for value in (reason.old, reason.new)]
    looked = [found is not None for found in (reason.old_range, reason.new_range)]
    if reason.kind != SCORE and not all(looked):
        side = "new" if looked[1] else "old"
        return f"{reason.name} {readings[looked[1]]}: looked at under {side} only"
    text = f"{reason.name} {' → '.join(dict.fromkeys(readings))}"
    if reason.kind == SCORE:
        text += " points"
    if reason.old_range != reason.new_range and all(looked):
        old, new = (_range(r, reason.unit, currency) for r in (reason.old_range, reason.new_range))
        text += f": {old} under old, {new} under new"
    if reason.old_points != reason.new_points:
        text += f" ({_points(reason)})"
    return text


def _points(reason: Difference) -> str:
    return f"{reason.old_points or 0} → {reason.new_points or 0} points"


def _tier(value: object) -> str:
    return NOT_GRADED if value is None else str(value)


def _reading(value: int | str | None, unit: str, currency: str) -> str:
    return reading(value, unit, currency)


def _range(found: Range | None, unit: str, currency: str) -> str:
    low, high = (None, None) if found is None else found
    if low is None:
        return "any" if high is None else f"below {_reading(high, unit, currency)}"
    if high is None:
        return f"{_reading(low, unit, currency)} or more"
    text = _reading(low, unit, currency)
    if unit in {"money", "days"}:
        text = text.rpartition(" ")[0]
    return f"{text} to {_reading(high, unit, currency)}"


def unmatched(simulated: Simulated) -> list[str]:
    """Return a line for everything that could not be compared."""
    lines = []
    for side, names in (("old", simulated.pairing.only_old), ("new", simulated.pairing.only_new)):
        if names:
            which = "grading" if len(names) == 1 else "gradings"
            lines.append(f"{which} {', '.join(names)}: only in the {side} policy, not compared")
    for side, refused in zip(("old", "new"), simulated.tally.refused, strict=True):
        if refused:
            reasons = ", ".join(
                f"{reason} {number:,}" for reason, number in sorted(refused.items())
            )
            lines.append(
                f"{refused.total():,} records were refused under the {side} policy: {reasons}"
            )
    old, new = simulated.job.old, simulated.job.new
    for side, document in (("old", old), ("new", new)):
        if document.open_cuts():
            lines.append(
                f"{', '.join(document.open_cuts())}: not frozen in the {side} policy; "
                "as at the end of this history, all through"
            )
    if old.currency != new.currency:
        lines.append(f"revenue is in {new.currency}, at the rates of the new policy")
    return lines


def revenue_text(simulated: Simulated, minor: int) -> str:
    """Return an amount in the currency of the new policy."""
    return money(minor, simulated.job.new.currency)
