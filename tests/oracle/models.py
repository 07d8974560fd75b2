"""Base and bonus, caps and trees, read from the policy once more; no code of `stream`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.facts import Policy, Value

KINDS = ("base_bonus", "cap", "tree")
Holds = Callable[[Mapping[str, Any]], bool]


def total(
    spec: Mapping[str, Any], values: Mapping[str, Value], holds: Holds, policy: Policy
) -> Fraction:
    """Return base points plus bonus points."""
    items = [spec["base"], *spec["bonus"].values()]
    return sum((_points(item, values, holds, policy) for item in items), Fraction(0))


def _points(
    item: Mapping[str, Any], values: Mapping[str, Value], holds: Holds, policy: Policy
) -> Fraction:
    if "when" in item:
        return Fraction(str(item["points"])) if holds(item["when"]) else Fraction(0)
    value = values[item["measure"]]
    for row in item["ranges"]:
        if "below" not in row or value is None:
            return Fraction(str(row["points"]))
        assert isinstance(value, int)
        if value < policy.level(item["measure"], row["below"]):
            return Fraction(str(row["points"]))
    raise AssertionError(item)


def capped(
    spec: Mapping[str, Any], earned: str | None, grades: list[str], holds: Holds
) -> str | None:
    """Return the worst of what was earned and what the rules allow, up to the first veto."""
    if earned is None:
        return None
    allowed = [earned]
    for rule in spec["rules"]:
        if holds(rule["when"]):
            allowed.append(rule.get("at_most") or rule["veto"])
            if "veto" in rule:
                break
    return max(allowed, key=grades.index)


def grades(gradings: Mapping[str, Any], name: str) -> list[str]:
    """Return the grades of a grading that has a ladder, best first."""
    spec = gradings[name]
    if spec["type"] == "cap":
        return grades(gradings, spec["of"])
    if spec["type"] == "conditions":
        return [level["level"] for level in spec["levels"]]
    if spec["type"] == "tree":
        return list(spec["tree"]["grades"])
    return [tier["tier"] for tier in spec["tiers"]]


def leaf(node: Mapping[str, Any], values: Mapping[str, Value]) -> str:
    """Return the grade at the end of the way through a tree."""
    if "grade" in node:
        return str(node["grade"])
    value = values[node["measure"]]
    if value is None:
        return leaf(node[node["missing"]], values)
    assert isinstance(value, int)
    return leaf(node["low" if value <= node["at_most"] else "high"], values)
