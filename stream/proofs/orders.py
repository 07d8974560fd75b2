"""What is said of "more orders never lower the tier"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy.findings import Remark
from stream.gradings.conditions import Conditions
from stream.gradings.tag import Tag
from stream.proofs.histories import Example, Search
from stream.proofs.judge import Judge
from stream.proofs.monotone import Monotony, ordered
from stream.proofs.moves import Move, move_of
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.gradings.base import Grading
    from stream.proofs.case import Case
    from stream.proofs.monotone import Verdict


def verdicts_of(case: Case) -> tuple[list[Verdict], dict[int, Example]]:
    """Return what is proved of each grading, and an example for each that an order may lower.

    Gradings without an order of tiers, and tags, which are neither good nor bad, have none.
    """
    verdicts = Monotony(case).prove()
    doubtful = [
        position
        for position, verdict in enumerate(verdicts)
        if not verdict.proved and is_ladder(case, position)
    ]
    return verdicts, Search(case).run(doubtful) if doubtful else {}


def is_ladder(case: Case, position: int) -> bool:
    """Say whether the tiers of a grading are better and worse."""
    grading = case.plan.gradings[position]
    return not isinstance(grading, Tag) and len(grading.tiers) > 1 and ordered(grading)


def order_remarks(
    case: Case, verdicts: Sequence[Verdict], examples: Mapping[int, Example]
) -> Iterator[Remark]:
    """Yield a remark for each grading that an order may lower, or of which that is not known."""
    for position, verdict in enumerate(verdicts):
        if verdict.proved or not is_ladder(case, position):
            continue
        at = case.place(position)
        example = examples.get(position)
        if example is not None:
            # Levels of conditions are often kinds of treatment, neither better nor worse.
            free = isinstance(case.plan.gradings[position], Conditions)
            text = _example(case, position, example)
            text += "; fine where its levels are no ranking" if free else _advice(case, verdict)
            yield Remark("note" if free else "warning", at, text)
        else:
            cause = f" ({verdict.suspect} might)" if verdict.suspect else ""
            text = f"not proved that more orders never lower it{cause}; no example was found"
            yield Remark("note", at, text)


def _advice(case: Case, verdict: Verdict) -> str:
    """Say what to change, by what an order does to the measure that lowers the tier."""
    name = verdict.suspect
    if name not in case.document.measures:
        return f"; look at {name}" if name else ""
    move = move_of(case.document.measures[name], case.plan.measures[case.measure(name)])
    if move in {Move.KNOWN, Move.ANY}:
        return f"; {name} may fall with an order: leave it out, or take that into account"
    return f"; look at the levels of {name}: an order should not cost points there"


def _example(case: Case, position: int, example: Example) -> str:
    plan, words = case.plan, case.words
    gradings = Judge(plan).closure(position)
    looked = sorted({m for i in gradings for m in plan.inputs[i]})
    turned = [m for m in looked if any(_matters(plan.gradings[i], m, example) for i in gradings)]
    others = [m for m in looked if m not in turned and example.before[m] != MISSING]
    turns = ", ".join(
        f"{plan.measures[m].name} {words.value(m, example.before[m])} -> "
        f"{words.value(m, example.after[m])}"
        for m in turned
    )
    beside = f" (with {words.readings(example.before, others)})" if others else ""
    cost = f" that cost {words.money(example.cost)}" if example.cost else ""
    return (
        f"an order can lower it: one more of {words.money(example.amount)}{cost} takes a customer "
        f"from {example.was} to {example.now or 'not graded'}: {turns}{beside}"
    )


def _matters(grading: Grading, measure: int, example: Example) -> bool:
    """Say whether a grading can tell the readings before and after apart."""
    before, after = example.before[measure], example.after[measure]
    if before == after or measure in grading.continuous:
        return before != after
    cuts = grading.cuts.get(measure, ())
    return any((before >= cut) != (after >= cut) for cut in cuts)  # type: ignore[operator]
