"""Random gradings of the kinds base_bonus, cap and tree, for `tests.properties.policies`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.properties.policies import _Author

Spec = dict[str, Any]
LADDERS = {
    "bands",
    "interval_scorecard",
    "weighted_scorecard",
    "conditions",
    "base_bonus",
    "cap",
    "tree",
}

_points = st.sampled_from([0, 1, 2.5, 5, "7.25", 10])


def base_bonus(author: _Author) -> tuple[Spec, list[str]]:
    """Draw base points, up to three bonus items and three tiers."""

    def table() -> Spec:
        measure = author.draw(st.sampled_from(author.having()))
        levels = author.levels(measure, author.draw(st.integers(0, 3)))
        rows: list[Spec] = [
            {"below": author.level(measure, level), "points": author.draw(_points)}
            for level in levels
        ]
        return {"measure": measure, "ranges": [*rows, {"points": 10}]}

    bonus: dict[str, Spec] = {}
    for position in range(author.draw(st.integers(1, 3))):
        award = {"when": author.condition(), "points": author.draw(_points)}
        bonus[f"b{position}"] = award if author.draw(st.booleans()) else table()
    tiers = [{"tier": "d", "enter": 10, "exit": 7.5}, {"tier": "e", "enter": 2.5}, {"tier": "f"}]
    spec = {"type": "base_bonus", "base": table(), "bonus": bonus, "tiers": tiers}
    return spec, ["d", "e", "f"]


def tree(author: _Author) -> tuple[Spec, list[str]]:
    """Draw a tree of up to three splits in a row over any numeric measures."""
    grades = ["fine", "fair", "poor"]
    looked_at: dict[str, str] = {}

    def node(depth: int) -> Spec:
        if not depth or not author.draw(st.integers(0, 3)):
            return {"grade": author.draw(st.sampled_from(grades))}
        measure = author.draw(st.sampled_from(author.having()))
        looked_at[measure] = author.units[measure]
        return {
            "measure": measure,
            "at_most": author.levels(measure, 1)[0],
            "missing": author.draw(st.sampled_from(["low", "high"])),
            "low": node(depth - 1),
            "high": node(depth - 1),
        }

    root = node(3)
    spec = {"grades": grades, "measures": looked_at, "currency": author.currency, "root": root}
    return {"type": "tree", "tree": spec}, grades


def cap(author: _Author) -> tuple[Spec, list[str]]:
    """Draw up to three rules over a ladder that was drawn before; call only if there is one."""
    of = author.draw(st.sampled_from(ladders(author)))
    grades = author.grades[of]
    rules = []
    for position in range(author.draw(st.integers(1, 3))):
        key = author.draw(st.sampled_from(["at_most", "at_most", "veto"]))
        tier = author.draw(st.sampled_from(grades[1:]))
        rules.append({"rule": f"r{position}", "when": author.condition(), key: tier})
    return {"type": "cap", "of": of, "rules": rules}, grades


def ladders(author: _Author) -> list[str]:
    """Return the gradings so far whose grades go from best to worst, and have a second."""
    return [
        name
        for name, spec in author.gradings.items()
        if spec["type"] in LADDERS and len(author.grades[name]) > 1
    ]
