"""Which gradings of two policies are compared, and which way a customer moves between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gradings.base import Grading
    from stream.plan import Plan

STAYED = "stayed"
UP = "up"
DOWN = "down"
LATERAL = "lateral"
GRADED = "graded"
UNGRADED = "ungraded"
DIRECTIONS = (UP, DOWN, LATERAL, GRADED, UNGRADED)


class Pair(NamedTuple):
    """A grading that both policies have: its name, and its position in each."""

    name: str
    old: int
    new: int


class Pairing(NamedTuple):
    """Gradings matched by name, in the order of the new policy, and what found no partner."""

    pairs: tuple[Pair, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]


def pair_gradings(old: Plan, new: Plan) -> Pairing:
    """Match the gradings of two policies by name."""
    places = {grading.name: i for i, grading in enumerate(old.gradings)}
    names = {grading.name for grading in new.gradings}
    return Pairing(
        tuple(
            Pair(g.name, places[g.name], i) for i, g in enumerate(new.gradings) if g.name in places
        ),
        tuple(name for name in places if name not in names),
        tuple(g.name for g in new.gradings if g.name not in places),
    )


def direction_of(old: Grading, new: Grading, before: str | None, after: str | None) -> str:
    """Say which way a customer moves who has *before* under *old* and *after* under *new*.

    Tiers are compared by the order of the new policy where it knows both, else by that of
    the old one; where neither orders both, the move is ``lateral``.
    """
    if before == after:
        return STAYED
    if before is None:
        return GRADED
    if after is None:
        return UNGRADED
    for grading in (new, old):
        if before in grading.tiers and after in grading.tiers:
            low, high = grading.rank(before), grading.rank(after)
            if low is not None and high is not None and low != high:
                return UP if high > low else DOWN
    return LATERAL


def tiers_in_order(tiers: Sequence[str], seen: set[str | None]) -> tuple[str | None, ...]:
    """Return *tiers*, then those *seen* that are not among them, then None if it was seen."""
    strange = sorted(tier for tier in seen if tier is not None and tier not in tiers)
    return (*tiers, *strange, *([None] if None in seen else []))
