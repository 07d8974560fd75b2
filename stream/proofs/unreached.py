"""Grades that nobody can reach: why, and which rules decide before theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy.findings import Remark
from stream.customer import Grade
from stream.gradings.base import Reading
from stream.gradings.conditions import Conditions
from stream.gradings.rfm import RfmCells
from stream.gradings.tag import PRESENT, Tag
from stream.gradings.within import Within
from stream.proofs.judge import NOW_MS
from stream.proofs.ladders import climb_of, out_of_reach
from stream.proofs.reach import STEPS
from stream.proofs.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.policy.findings import Location
    from stream.proofs.case import Case
    from stream.proofs.reach import Explorer, Reach


_TIERS = "{tiers}"


def reach_remarks(case: Case, explorer: Explorer) -> Iterator[Remark]:
    """Yield a remark for each grade that nobody reaches, or of which that is not known."""
    for reach in explorer.reached:
        if explorer.judge.blank(reach.position):
            yield Remark("note", case.place(reach.position), _waiting(case, reach.position))
            continue
        grading = case.plan.gradings[reach.position]
        if isinstance(grading.graded() if isinstance(grading, Within) else grading, RfmCells):
            yield from _cells(case, reach)
        else:
            yield from _never(case, explorer, reach)
        if reach.open:
            names = listed([case.plan.measures[m].name for m in reach.measures])
            text = (
                f"not proved whether {listed(reach.open, 'or')} can be reached: {names} have too "
                "many combinations to look at all of them"
            )
            yield Remark("note", case.place(reach.position), text)


def _never(case: Case, explorer: Explorer, reach: Reach) -> Iterator[Remark]:
    """Yield one remark for each reason at each place."""
    if reach.never and not reach.found and not reach.open:
        needed = case.plan.evidence[reach.position]
        if needed is None or needed[1] <= case.traits[needed[0]].domain.most:
            text = f"nobody is ever graded: {_no_readings(case, reach)}"
            yield Remark("warning", case.place(reach.position), text)
        return
    grouped: dict[tuple[Location, str], list[str]] = {}
    for tier in reach.never:
        at = case.place_of(reach.position, tier)
        grouped.setdefault((at, _why(case, explorer, reach, tier)), []).append(tier)
    for (at, why), tiers in grouped.items():
        yield Remark("warning", at, why.replace(_TIERS, listed(tiers, "or")))


def _cells(case: Case, reach: Reach) -> Iterator[Remark]:
    """Cells that contradict themselves are no mistake: say how many there are."""
    if reach.never:
        total = len(case.plan.gradings[reach.position].tiers)
        text = (
            f"{len(reach.found)} of the {total} cells can occur; {listed(reach.never)} never do, "
            "as what they say of recency, frequency and money cannot be true at once"
        )
        yield Remark("note", case.place(reach.position), text)


def _why(case: Case, explorer: Explorer, reach: Reach, tier: str) -> str:
    grading = case.plan.gradings[reach.position]
    if isinstance(grading, Conditions):
        return _decided_before(explorer, reach, grading, tier)
    if isinstance(grading, Tag):
        if tier != PRESENT:
            return "everybody has this tag: its add_when always holds; check its levels"
        return f"nobody ever has this tag: {_never_added(explorer, reach, grading)}"
    climb = climb_of(case, reach.position)
    said = None if climb is None else out_of_reach(climb, tier)
    return f"nobody can reach {_TIERS}: {said or _no_readings(case, reach)}"


def _no_readings(case: Case, reach: Reach) -> str:
    names = listed([case.plan.measures[measure].name for measure in reach.measures])
    needed = case.plan.evidence[reach.position]
    if needed is None:
        return f"nobody has such {names} at once; check the levels, and the windows"
    level = case.words.value(*needed)
    evidence = f"{case.plan.measures[needed[0]].name} at least {level}"
    return f"nobody with the minimum evidence ({evidence}) has such {names}; check the levels"


def _never_added(explorer: Explorer, reach: Reach, tag: Tag) -> str:
    for reading in _readings(explorer, reach):
        if tag.adds is not None and tag.adds(reading):
            return "whenever its add_when holds, its remove_when does too; check the levels of both"
    return "what its add_when asks for cannot be true at once; check its levels"


def _readings(explorer: Explorer, reach: Reach) -> Iterator[Reading]:
    """Yield everything that a grading can tell apart."""
    space = explorer.space(reach.position)
    for chosen in space.combinations(STEPS):
        values = space.readings(chosen) or space.starts(chosen)
        for _, tiers, _ in explorer.outcomes(reach.position, values):
            yield Reading(NOW_MS, values, list(tiers))


def _decided_before(explorer: Explorer, reach: Reach, grading: Conditions, tier: str) -> str:
    """Name the levels above that decide whenever a level's own condition holds."""
    test = dict(grading.levels)[tier]
    met = (r for r in _readings(explorer, reach) if test is None or test(r))
    earlier = {grading.tier(reading, Grade()) for reading in met}
    names = [level for level, _ in grading.levels if level in earlier]
    if not names:
        return (
            f"nobody can be {tier}: its condition never holds, as what it asks for cannot be true "
            "at once; check its levels"
        )
    if test is None:
        return f"nobody is left for {tier}: every customer is already {listed(names, 'or')}"
    return (
        f"nobody can be {tier}: whoever meets its condition is already {listed(names, 'or')}, "
        "which stands above it and decides first; move it up, or ask for more above"
    )


def _waiting(case: Case, position: int) -> str:
    """Say why nothing is proved of a grading that waits for levels of the population."""
    name = case.plan.gradings[position].name
    if any(cut.grading == name for cut in case.plan.document.followed_cuts().values()):
        return (
            "follows the population: grades nobody before the first census, and its levels move, "
            "so nothing is proved of it"
        )
    return (
        "relative to the population, and not frozen: grades nobody until cuts are known "
        "(tierstream policy cuts prints those of a log, population: {cadence: daily} follows "
        "them), so nothing is proved of it"
    )
