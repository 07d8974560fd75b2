"""A tier change in one sentence for people: why it came about. No arithmetic here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.cli.show import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

_CAUSES = {
    "order": "with an order",
    "refund": "with a refund",
    "interaction": "with an interaction",
    "profile": "with a change of profile",
    "consent": "with a word about consent",
    "merged": "by what another id of the customer has",
    "time": "as time passed",
    "policy_changed": "by a new policy",
    "boundary_moved": "as others moved the boundary",
}
_MOST_REASONS = 2
TIER = "tier"
POLICY = "policy"


def sentence(change: Mapping[str, Any], currency: str) -> str:
    """Say why *change*, the decoded value of a record of `tier-changes`, came about.

    The measures that crossed a level come first, and no more than two of them are named.

    Args:
        change: See `schemas.tier_changes`.
        currency: The policy's reporting currency.
    """
    kind = str(change["cause"]["kind"])
    cause = _CAUSES.get(kind, kind)
    if change["direction"] == "first":
        return f"graded for the first time, {cause}"
    reasons = change["reasons"]
    crossed = [reason for reason in reasons if reason["crossed"] is not None]
    others = [reason for reason in reasons if reason["unit"] == TIER]
    named = (crossed or others or reasons)[:_MOST_REASONS]
    if not named:
        return cause
    return f"{' and '.join(_reason(reason, currency) for reason in named)}, {cause}"


def _reason(reason: Mapping[str, Any], currency: str) -> str:
    name, unit = reason["measure"], reason["unit"]
    if unit == TIER:
        before, now = (reason[side] or "not graded" for side in ("before", "after"))
        return f"{name} went from {before} to {now}"
    if unit == POLICY:
        return f"policy {name} went from version {reason['before']} to {reason['after']}"
    segment = reason.get("segment")
    if segment is not None:
        name += f" (among {segment or 'the rest'})"
    after = reading(reason["after"], unit, currency)
    boundary, moved_from = reason["boundary"], reason.get("boundary_before")
    if moved_from is not None:
        levels = [reading(level, unit, currency) for level in (moved_from, boundary)]
        side = "at or above" if reason["crossed"] == "above" else "below"
        return (
            f"{name} of {after} is now {side} a boundary that went from {levels[0]} to {levels[1]}"
        )
    if reason["crossed"] == "below":
        return f"{name} fell to {after}, below {reading(boundary, unit, currency)}"
    if reason["crossed"] == "above":
        return f"{name} reached {after}, at or above {reading(boundary, unit, currency)}"
    return f"{name} is now {after}"
