"""All tier changes of one customer by brute force; shares no code with `stream`.

Every grading is evaluated from scratch at every instant at which anything could change, in
order. What is remembered between two instants is what hysteresis and tags are about: the tier
held, and since when a tag's rule no longer holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from math import floor
from typing import Any, NamedTuple

from tests.oracle import models
from tests.oracle.facts import DAY, Event, Facts, Policy, Value, days

SEGMENT = {
    "HHH": "important_value",
    "LHH": "important_keep",
    "HLH": "important_develop",
    "LLH": "important_win_back",
    "HHL": "general_value",
    "LHL": "general_keep",
    "HLL": "general_develop",
    "LLL": "general_win_back",
}
CAUSE = {"order.paid": "order", "order.refunded": "refund", "order.cancelled": "refund"}
FAR = 10**17


class Turn(NamedTuple):
    """One tier change, with the score behind it (None where the grading has none)."""

    instant_ms: int
    customer_id: str
    grading: str
    sequence: int
    before: str | None
    after: str | None
    cause: str
    event_id: str | None
    score: Fraction | None


class Standing:
    """Where a customer stands in one grading."""

    def __init__(self, grade: str | None) -> None:
        self.grade = grade
        self.sequence = 0
        self.holding = False
        self.gone_ms: int | None = None


class History:
    """One customer under one policy, moved forward in time by `apply` and `advance`."""

    def __init__(self, policy: Policy, customer_id: str) -> None:
        self.policy = policy
        self.customer_id = customer_id
        self.gradings = policy.document["gradings"]
        self.order = _order(self.gradings)
        self.standings = {
            name: Standing("absent" if spec["type"] == "tag" else None)
            for name, spec in self.gradings.items()
        }
        self.applied: list[tuple[int, Event]] = []
        self.seen: set[str] = set()
        self.paid: set[str] = set()
        self.now: int | None = None
        self.facts = Facts(policy, ())
        self.turns: list[Turn] = []
        self._instants: list[int] = []
        self._thresholds = _thresholds(policy)

    def apply(self, event: Event) -> None:
        """Apply the next record; repeats and what the policy does not read are left out."""
        if event["event_id"] in self.seen or not self.policy.reads(event):
            return
        if event["kind"] == "order.paid":
            if event["order_id"] in self.paid:
                return
            self.paid.add(event["order_id"])
        self.seen.add(event["event_id"])
        if self.now is not None:
            self.advance(event["record_ms"] - 1)
        self.now = max(event["record_ms"], self.now or 0)
        self.applied.append((self.now, event))
        self.facts = Facts(self.policy, self.applied)
        self._instants = sorted(set(self._static_instants()))
        kind = event["kind"]
        cause = CAUSE.get(kind, "profile" if kind == "profile.changed" else "interaction")
        self._evaluate(cause, event["event_id"])

    def advance(self, upto_ms: int) -> None:
        """Let time pass up to and including *upto_ms*."""
        if self.now is None:
            return
        while True:
            coming = [t for t in self._instants if self.now < t <= upto_ms][:1]
            coming += [t for t in self._tag_ends() if self.now < t <= upto_ms]
            if not coming:
                return
            self.now = min(coming)
            self._evaluate("time", None)

    def instants(self) -> list[int]:
        """Return the instants ahead at which anything could change by time alone."""
        now = self.now or 0
        return sorted(t for t in {*self._instants, *self._tag_ends()} if t > now)

    def grades(self) -> dict[str, str | None]:
        """Return where the customer stands."""
        return {name: standing.grade for name, standing in self.standings.items()}

    # -- instants -------------------------------------------------------------

    def _static_instants(self) -> Iterator[int]:
        for name, spec in self.policy.document["measures"].items():
            if "days_since" in spec:
                since = self.facts.since(name)
                if since is not None:
                    yield from (since + k * DAY for k in self._thresholds.get(name, ()))
                continue
            told = self.facts.overdue() if "days_overdue" in spec else None
            if told is not None:
                levels = self._thresholds.get(name, ())
                yield from (told[0] + (k - told[1]) * DAY for k in levels)
            length = days(spec.get("window"))
            if length is None:
                continue
            before = days(spec.get("before")) or 0
            edges = {before, before + length}
            if "growth" in spec:
                edges = {length, 2 * length}
            for row in self.facts.by_day[self.policy.source(spec)]:
                yield from (row.last_ms + edge * DAY for edge in edges)

    def _tag_ends(self) -> Iterator[int]:
        for name, standing in self.standings.items():
            if standing.gone_ms is not None:
                yield standing.gone_ms + self.gradings[name].get("keep_days", 0) * DAY

    # -- gradings -------------------------------------------------------------

    def _evaluate(self, cause: str, event_id: str | None) -> None:
        now = self.now or 0
        values = self.facts.measures(now)
        for name in self.order:
            standing = self.standings[name]
            grade, score = self._grade(name, values, now)
            if grade == standing.grade:
                continue
            standing.sequence += 1
            self.turns.append(
                Turn(
                    now,
                    self.customer_id,
                    name,
                    standing.sequence,
                    standing.grade,
                    grade,
                    cause,
                    event_id,
                    score,
                )
            )
            standing.grade = grade

    def _grade(  # noqa: C901, PLR0911 - one for each type of grading
        self, name: str, values: Mapping[str, Value], now: int
    ) -> tuple[str | None, Fraction | None]:
        spec, standing = self.gradings[name], self.standings[name]
        level = self.policy.level
        match spec["type"]:
            case "bands":
                evidence = spec.get("minimum_evidence")
                if evidence:
                    measure = evidence["measure"]
                    if _low(values[measure]) < level(measure, evidence["at_least"]):
                        return None, None
                measure = spec["measure"]
                tiers, value = spec["tiers"], Fraction(_low(values[measure]))
                return _climb(tiers, partial(level, measure), value, standing.grade), None
            case "interval_scorecard" | "weighted_scorecard":
                score = self.score(spec, values)
                return _climb(spec["tiers"], _decimal, score, standing.grade), score
            case "rfm_cells":
                recency = spec["recency"]
                asked = values[recency["measure"]]
                r = 1 if asked is None else 5 - self._passed(recency, asked)
                f = 1 + self._passed(spec["frequency"], values[spec["frequency"]["measure"]])
                m = 1 + self._passed(spec["monetary"], values[spec["monetary"]["measure"]])
                return f"{r}{f}{m}", _cell_score(spec, (r, f, m))
            case "rfm_segments":
                recency, f, m = spec["recency"], spec["frequency"], spec["monetary"]
                asked = values[recency["measure"]]
                fresh = asked is not None and _low(asked) < level(
                    recency["measure"], recency["high_below"]
                )
                bits = [fresh] + [
                    _low(values[axis["measure"]]) >= level(axis["measure"], axis["high_from"])
                    for axis in (f, m)
                ]
                return SEGMENT["".join("H" if bit else "L" for bit in bits)], None
            case "conditions":
                held = (
                    rung["level"]
                    for rung in spec["levels"]
                    if "when" not in rung or self.holds(rung["when"], values)
                )
                return next(held, None), None
            case "matrix":
                return self._cell(spec, values), None
            case "lifecycle":
                return self._stage(spec, values), None
        if spec["type"] in models.KINDS:
            return self._modelled(name, values)
        return self._tag(spec, standing, values, now), None

    def _modelled(
        self, name: str, values: Mapping[str, Value]
    ) -> tuple[str | None, Fraction | None]:
        spec = self.gradings[name]
        holds = partial(self.holds, values=values)
        if spec["type"] == "base_bonus":
            score = models.total(spec, values, holds, self.policy)
            return _climb(spec["tiers"], _decimal, score, self.standings[name].grade), score
        if spec["type"] == "tree":
            return models.leaf(spec["tree"]["root"], values), None
        earned = self.standings[spec["of"]].grade
        return models.capped(spec, earned, models.grades(self.gradings, spec["of"]), holds), None

    def _tag(
        self, spec: Mapping[str, Any], standing: Standing, values: Mapping[str, Value], now: int
    ) -> str:
        if "remove_when" in spec and self.holds(spec["remove_when"], values):
            standing.holding, standing.gone_ms = False, None
            return "absent"
        if self.holds(spec["add_when"], values):
            standing.holding, standing.gone_ms = True, None
            return "present"
        if standing.holding:
            standing.holding, standing.gone_ms = False, now
        if standing.gone_ms is None:
            return "absent"
        kept = now < standing.gone_ms + spec.get("keep_days", 0) * DAY
        return "present" if kept else "absent"

    def _cell(self, spec: Mapping[str, Any], values: Mapping[str, Value]) -> str | None:
        found = []
        for axis in (spec["rows"], spec["columns"]):
            if "grading" in axis:
                held = self.standings[axis["grading"]].grade
                places = [name for name, grades in axis["positions"].items() if held in grades]
            else:
                value = values[axis["measure"]]
                known = [] if value is None else axis["positions"]
                level = partial(self.policy.level, axis["measure"])
                places = known[: 1 + sum(_low(value) >= level(one) for one in axis["levels"])]
            found.append(places[-1] if places else None)
        for cell in spec["cells"]:
            if [cell["row"], cell["column"]] == found:
                return str(cell["cell"])
        return None

    def _stage(self, spec: Mapping[str, Any], values: Mapping[str, Value]) -> str:
        recency, tenure, trend = spec["recency"], spec["tenure"], spec.get("trend")
        silent, age = values[recency["measure"]], values[tenure["measure"]]
        back = values[spec["won_back"]] if "won_back" in spec else None
        change = values[trend["measure"]] if trend else None
        level = self.policy.level
        rules = [
            ("prospect", silent is None),
            ("lost", _low(silent) >= recency["lost_from"]),
            ("dormant", _low(silent) >= recency["dormant_from"]),
            ("won_back", _low(back) >= recency["lost_from"]),
            ("new", age is not None and _low(age) < tenure["new_below"]),
        ]
        if trend and change is not None:
            name = trend["measure"]
            rules.append(("growing", _low(change) >= level(name, trend["growing_from"])))
            rules.append(("declining", _low(change) < level(name, trend["declining_below"])))
        return next((stage for stage, holds in rules if holds), "active")

    def _passed(self, axis: Mapping[str, Any], value: Value) -> int:
        return sum(_low(value) >= self.policy.level(axis["measure"], cut) for cut in axis["cuts"])

    def score(self, spec: Mapping[str, Any], values: Mapping[str, Value]) -> Fraction:
        """Return the rounded score of a scorecard."""
        total = Fraction(0)
        indicators = dict(spec["indicators"])
        if "variants" in spec:
            kind = values[spec["variants"]["by"]]
            indicators |= spec["variants"]["tables"].get(kind, {})
        for indicator in indicators.values():
            weight = Fraction(str(indicator["weight"]).rstrip("% ")) / 100
            if "points_from" in indicator:
                value = values[indicator["points_from"]]
                points = Fraction(min(100, max(0, value)) if isinstance(value, int) else 0)
            elif "measures" in indicator:
                share = Fraction(100, len(indicator["measures"]))
                points = sum(
                    (
                        self._points(measure, ranges, values[measure], share)
                        for measure, ranges in indicator["measures"].items()
                    ),
                    Fraction(0),
                )
            else:
                table = indicator["ranges"]
                measure = table["measure"]
                points = self._points(measure, table["ranges"], values[measure], Fraction(100))
            total += weight * points
        unit = 10 ** spec["rounding"]["places"]
        mode = spec["rounding"]["mode"]
        scaled = total * unit
        if mode == "truncate":
            return Fraction(floor(scaled), unit)
        if mode == "half_up":
            return Fraction(floor(scaled + Fraction(1, 2)), unit)
        return Fraction(round(scaled), unit)

    def _points(
        self, measure: str, ranges: Sequence[Mapping[str, Any]], value: Value, full: Fraction
    ) -> Fraction:
        for row in ranges:
            if "below" not in row or _low(value) < self.policy.level(measure, row["below"]):
                return full if row["points"] == "full" else Fraction(str(row["points"]))
        raise AssertionError(ranges)

    def holds(  # noqa: PLR0911 - one for each form of condition
        self, condition: Mapping[str, Any], values: Mapping[str, Value]
    ) -> bool:
        """Say whether a condition holds."""
        if "all" in condition:
            return all(self.holds(part, values) for part in condition["all"])
        if "any" in condition:
            return any(self.holds(part, values) for part in condition["any"])
        if "not" in condition:
            return not self.holds(condition["not"], values)
        if "grading" in condition:
            return self.standings[condition["grading"]].grade in condition["is"]
        measure = condition["measure"]
        value = values[measure]
        if "is_known" in condition:
            return (value is not None) is condition["is_known"]
        if value is None:
            return False
        if "is" in condition:
            return value in condition["is"]
        if "at_least" in condition:
            return bool(_low(value) >= self.policy.level(measure, condition["at_least"]))
        return bool(_low(value) < self.policy.level(measure, condition["below"]))


def _cell_score(spec: Mapping[str, Any], digits: Sequence[int]) -> Fraction:
    """Return the weighted mean of three digits on a scale where 5 is 100."""
    given = spec.get("weights", {"recency": "50%", "frequency": "30%", "monetary": "20%"})
    weights = [Fraction(given[axis].rstrip("%")) for axis in ("recency", "frequency", "monetary")]
    return sum((w * d for w, d in zip(weights, digits, strict=True)), Fraction(0)) / 5


def _low(value: Value) -> int:
    """Put "nothing to measure" below every level."""
    return value if isinstance(value, int) else -FAR


def _decimal(written: object) -> Fraction:
    return Fraction(str(written))


def _climb(
    tiers: Sequence[Mapping[str, Any]],
    number: Callable[[object], Fraction],
    value: Fraction,
    held: str | None,
) -> str:
    for tier in tiers:
        if "enter" not in tier:
            return str(tier["tier"])
        needed = tier.get("exit", tier["enter"]) if tier["tier"] == held else tier["enter"]
        if value >= number(needed):
            return str(tier["tier"])
    raise AssertionError(tiers)


def _refers_to(spec: Any) -> set[str]:
    if isinstance(spec, Mapping):
        found = {spec["grading"]} if "grading" in spec else set()
        found |= {spec["of"]} if spec.get("type") == "cap" else set()
        return found.union(*(_refers_to(part) for part in spec.values()))
    if isinstance(spec, list):
        return set().union(*(_refers_to(part) for part in spec))
    return set()


def _order(gradings: Mapping[str, Any]) -> list[str]:
    order: list[str] = []
    while len(order) < len(gradings):
        order.append(
            next(
                name
                for name, spec in gradings.items()
                if name not in order and _refers_to(spec) <= set(order)
            )
        )
    return order


def _thresholds(policy: Policy) -> dict[str, set[int]]:
    """Collect every whole number that a measure of days is compared with anywhere."""
    found: dict[str, set[int]] = {}

    def visit(node: Any, measure: str | None) -> None:
        if isinstance(node, Mapping):
            measure = node.get("measure", measure)
            for key, part in node.items():
                named = key if key in policy.document["measures"] else measure
                visit(part, named if isinstance(named, str) else None)
        elif isinstance(node, list):
            for part in node:
                visit(part, measure)
        elif measure is not None and isinstance(node, int) and not isinstance(node, bool):
            found.setdefault(measure, set()).update((node, node + 1))  # +1: "at most"

    visit(policy.document["gradings"], None)
    for spec in policy.document["gradings"].values():
        if "won_back" in spec:
            found.setdefault(spec["won_back"], set()).add(spec["recency"]["lost_from"])
    return found
