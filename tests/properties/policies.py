"""Random policies: every kind of measure and of grading, with levels that small histories cross."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.properties import model_policies

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[], tuple[dict[str, Any], list[str]]]

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"]
CURRENCIES = {
    "EUR": {"JPY": "0.0061", "KWD": "3.005"},
    "JPY": {"EUR": "163.5", "KWD": "491.3"},
    "KWD": {"EUR": "0.3328", "JPY": "0.00203"},
}
PLACES = {"EUR": 2, "JPY": 0, "KWD": 3}
KINDS = [
    "visit",
    "complaint",
    "complaint.resolved",
    "referral",
    "survey",
    "payment.overdue",
    "payment.received",
    "stage.changed",
]
STAGES = ["demand", "contract", "delivery", "operation", "renewal", "lost"]
FIELDS = ["revenue", "gross", "refunded", "cost", "contribution"]
# In minor units; amounts of orders are taken from nearly the same few numbers.
MONEY_LEVELS = [-50, 0, 1, 50, 100, 150, 200, 300, 500]
LEVELS = {
    "count": [0, 1, 2, 3, 4, 6],
    "days": [1, 2, 3, 5, 8, 13],
    "bp": [-10_000, -2_500, 0, 2_500, 5_000, 10_000, 20_000],
    "number": [0, 1, 20, 50, 80, 100],
}
UNITS = {
    "count": "count",
    "days_since": "days",
    "growth": "bp",
    "ratio": "bp",
    "sum": "money",
    "average": "money",
    "first": "money",
    "open": "count",
    "days_overdue": "days",
    "repurchase_rate": "bp",
    "longest_gap": "days",
}
NAMES = {"text": ["steel", "cement", "7"], "stage": STAGES}
Spec = dict[str, Any]

_lengths = st.integers(1, 9).map(lambda n: f"{n}d")


@st.composite
def _windowed(draw: st.DrawFn, spec: Spec) -> Spec:
    if draw(st.integers(0, 4)):
        spec = spec | {"window": draw(_lengths)}
        if not draw(st.integers(0, 2)):
            spec["before"] = draw(_lengths)
    return spec


def _measures() -> st.SearchStrategy[Spec]:
    fields = st.sampled_from(FIELDS)
    kinds = st.sampled_from(["orders", "orders", *KINDS])
    return st.one_of(
        fields.flatmap(lambda f: _windowed({"sum": f})),
        kinds.flatmap(lambda k: _windowed({"count": k})),
        fields.flatmap(lambda f: _windowed({"average": f})),
        st.sampled_from(["gross", "survey", "payment.overdue"]).flatmap(
            lambda m: _windowed({"max": m})
        ),
        st.sampled_from(["gross", "survey", "stage.changed"]).map(lambda m: {"last": m}),
        st.sampled_from(
            [{"open": "complaint"}, {"days_overdue": "payments"}, {"repurchase_rate": "orders"}]
        ),
        _lengths.map(lambda w: {"repurchase_rate": "orders", "window": w}),
        _lengths.map(lambda w: {"longest_gap": "orders", "window": w}),
        st.just({"first": "gross"}),
        st.sampled_from(["last_order", "first_order", *KINDS]).map(lambda k: {"days_since": k}),
        st.builds(lambda f, w: {"growth": f, "window": w}, fields, _lengths),
        st.builds(lambda of, to: {"ratio": {"of": of, "to": to}}, fields, fields).flatmap(
            _windowed
        ),
        st.builds(
            lambda name, kind: {"attribute": name, "type": kind},
            st.sampled_from(["industry", "headcount"]),
            st.sampled_from(["text", "number"]),
        ),
    )


def unit_of(spec: Spec) -> str:
    """Return the unit of a measure as the policy language defines it."""
    if "attribute" in spec:
        return str(spec["type"])
    for key in ("max", "last"):
        if key in spec:
            named = {"gross": "money", "survey": "number", "stage.changed": "stage"}
            return named.get(spec[key], "days")
    return UNITS[next(iter(spec))]


class _Author:
    """Draws the gradings of one policy."""

    def __init__(self, draw: st.DrawFn, measures: dict[str, Spec], currency: str) -> None:
        self.draw = draw
        self.units = {name: unit_of(spec) for name, spec in measures.items()}
        self.currency = currency
        self.places = PLACES[currency]
        self.gradings: dict[str, Spec] = {}
        self.grades: dict[str, list[str]] = {}

    def having(self, *units: str) -> list[str]:
        return [m for m, u in self.units.items() if (u in units if units else u not in NAMES)]

    def level(self, measure: str, minor: int) -> Any:
        if self.units[measure] != "money":
            return minor
        return float(f"{minor / 10**self.places:.{self.places}f}") if self.places else minor

    def levels(self, measure: str, count: int) -> list[int]:
        unit = self.units[measure]
        choices = MONEY_LEVELS if unit == "money" else LEVELS[unit]
        picked = self.draw(
            st.lists(st.sampled_from(choices), min_size=count, max_size=count, unique=True)
        )
        return sorted(picked)

    def add(self, name: str) -> None:
        kinds: list[Callable[[], tuple[Spec, list[str]]]] = [
            self.bands,
            self.interval,
            self.weighted,
            self.conditions,
            self.tag,
            self.matrix,
        ]
        if self.having("days"):
            kinds += [self.cells, self.segments, self.lifecycle]
        kinds += [partial(model_policies.base_bonus, self), partial(model_policies.tree, self)]
        if model_policies.ladders(self):
            kinds.append(partial(model_policies.cap, self))
        spec, grades = self.draw(st.sampled_from(kinds))()
        self.gradings[name] = spec
        self.grades[name] = grades

    def bands(self) -> tuple[Spec, list[str]]:
        measure = self.draw(st.sampled_from(self.having()))
        levels = self.levels(measure, self.draw(st.integers(1, 3)))[::-1]
        spec: Spec = {"type": "bands", "measure": measure, "tiers": []}
        for position, enter in enumerate(levels):
            tier: Spec = {"tier": f"t{position}", "enter": self.level(measure, enter)}
            if self.draw(st.booleans()):
                lower = self.levels(measure, 1)[0]
                tier["exit"] = self.level(measure, min(enter, lower))
            spec["tiers"].append(tier)
        spec["tiers"].append({"tier": "floor"})
        if self.draw(st.booleans()):
            other = self.draw(st.sampled_from(self.having()))
            spec["minimum_evidence"] = {
                "measure": other,
                "at_least": self.level(other, self.levels(other, 1)[0]),
            }
        return spec, [tier["tier"] for tier in spec["tiers"]]

    def ranges(self, measure: str, parts: int) -> list[Spec]:
        rows: list[Spec] = [
            {"below": self.level(measure, level), "points": self.points(parts)}
            for level in self.levels(measure, self.draw(st.integers(0, 3)))
        ]
        return [*rows, {"points": self.points(parts)}]

    def points(self, parts: int) -> Any:
        return self.draw(st.sampled_from(["full", 0, 5, "20", "100/7", "25/3", 100 // parts]))

    def variants(self, indicators: dict[str, Spec], again: dict[str, Spec]) -> Spec | None:
        """Give a text measure's values some of the indicators of a second drawing."""
        texts = [measure for measure, unit in self.units.items() if unit == "text"]
        if not texts:
            return None
        name = self.draw(st.sampled_from(sorted(indicators)))
        table = {name: again[name] | {"weight": indicators[name]["weight"]}}
        return {"by": self.draw(st.sampled_from(texts)), "tables": {"steel": table}}

    def card(
        self, indicators: dict[str, Spec], kind: str, again: dict[str, Spec]
    ) -> tuple[Spec, list[str]]:
        names = ["top", "middle", "floor"]
        enters = sorted(
            self.draw(
                st.lists(
                    st.sampled_from([5, 20, 33.33, 50, 66.67, 80]),
                    min_size=2,
                    max_size=2,
                    unique=True,
                )
            ),
            reverse=True,
        )
        tiers: list[Spec] = [{"tier": names[0], "enter": enters[0]}]
        tiers.append({"tier": names[1], "enter": enters[1], "exit": enters[1] - 4})
        tiers.append({"tier": names[2]})
        rounding = {
            "mode": self.draw(st.sampled_from(["truncate", "half_up", "half_even"])),
            "places": self.draw(st.sampled_from([0, 1, 2, 4])),
        }
        spec = {"type": kind, "rounding": rounding, "indicators": indicators, "tiers": tiers}
        variants = self.variants(indicators, again)
        return spec | ({} if variants is None else {"variants": variants}), names

    def weights(self) -> list[str]:
        return self.draw(st.sampled_from([["100%"], ["40%", "60%"], ["33.3%", "33.3%", "33.4%"]]))

    def interval(self) -> tuple[Spec, list[str]]:
        weights = self.weights()
        indicators, again = (self.interval_indicators(weights) for _ in range(2))
        return self.card(indicators, "interval_scorecard", again)

    def interval_indicators(self, weights: list[str]) -> dict[str, Spec]:
        indicators = {}
        for position, weight in enumerate(weights):
            measures = self.draw(
                st.lists(st.sampled_from(self.having()), min_size=1, max_size=3, unique=True)
            )
            indicators[f"i{position}"] = {
                "weight": weight,
                "measures": {m: self.ranges(m, len(measures)) for m in measures},
            }
        return indicators

    def weighted(self) -> tuple[Spec, list[str]]:
        weights = self.weights()
        indicators, again = (self.weighted_indicators(weights) for _ in range(2))
        return self.card(indicators, "weighted_scorecard", again)

    def weighted_indicators(self, weights: list[str]) -> dict[str, Spec]:
        indicators: dict[str, Spec] = {}
        for position, weight in enumerate(weights):
            direct = [None, *self.having("number", "count")]
            points_from = self.draw(st.sampled_from(direct))
            if points_from:
                rule: Spec = {"points_from": points_from}
            else:
                measure = self.draw(st.sampled_from(self.having()))
                rule = {"ranges": {"measure": measure, "ranges": self.ranges(measure, 1)}}
            indicators[f"i{position}"] = {"weight": weight} | rule
        return indicators

    def cells(self) -> tuple[Spec, list[str]]:
        spec: Spec = {"type": "rfm_cells"}
        for axis, among in (
            ("recency", self.having("days")),
            ("frequency", self.having()),
            ("monetary", self.having()),
        ):
            measure = self.draw(st.sampled_from(among))
            cuts = [self.level(measure, level) for level in self.levels(measure, 4)]
            spec[axis] = {"measure": measure, "cuts": cuts}
        return spec, ["555", "111", "151", "511"]

    def segments(self) -> tuple[Spec, list[str]]:
        spec: Spec = {"type": "rfm_segments"}
        recency = self.draw(st.sampled_from(self.having("days")))
        spec["recency"] = {"measure": recency, "high_below": self.levels(recency, 1)[0]}
        for axis in ("frequency", "monetary"):
            measure = self.draw(st.sampled_from(self.having()))
            level = self.level(measure, self.levels(measure, 1)[0])
            spec[axis] = {"measure": measure, "high_from": level}
        return spec, ["important_value", "general_win_back", "general_develop"]

    def axis(self) -> tuple[Spec, list[str]]:
        count = self.draw(st.integers(2, 3))
        names = ["low", "middle", "high"][-count:]
        listed = {g: grades for g, grades in self.grades.items() if self.complete(g)}
        if bool(listed) and self.draw(st.booleans()):
            grading = self.draw(st.sampled_from(sorted(listed)))
            grades = self.draw(st.permutations(listed[grading]))
            count = min(count, len(grades))
            if count > 1:
                parts = {name: grades[i::count] for i, name in enumerate(names[:count])}
                spec: Spec = {"grading": grading, "positions": parts}
                return spec, names[:count]
        measure = self.draw(st.sampled_from(self.having()))
        levels = [self.level(measure, level) for level in self.levels(measure, len(names) - 1)]
        return {"measure": measure, "levels": levels, "positions": names}, names

    def complete(self, grading: str) -> bool:
        """Say whether every grade that a grading can give is known here."""
        return not self.gradings[grading]["type"].startswith("rfm")

    def matrix(self) -> tuple[Spec, list[str]]:
        (rows, one), (columns, two) = self.axis(), self.axis()
        names = st.sampled_from(["star", "cow", "question", "dog"])
        cells = [{"cell": self.draw(names), "row": r, "column": c} for r in one for c in two]
        grades = list(dict.fromkeys(cell["cell"] for cell in cells))
        return {"type": "matrix", "rows": rows, "columns": columns, "cells": cells}, grades

    def lifecycle(self) -> tuple[Spec, list[str]]:
        days = st.sampled_from(self.having("days"))
        recency, tenure = self.draw(days), self.draw(days)
        dormant, lost = self.levels(recency, 2)
        spec: Spec = {
            "type": "lifecycle",
            "recency": {"measure": recency, "dormant_from": dormant, "lost_from": lost},
            "tenure": {"measure": tenure, "new_below": self.levels(tenure, 1)[0]},
        }
        grades = ["active", "new", "dormant", "lost", "prospect"]
        if self.draw(st.booleans()):
            measure = self.draw(st.sampled_from(self.having()))
            low, high = (self.level(measure, level) for level in self.levels(measure, 2))
            spec["trend"] = {"measure": measure, "declining_below": low, "growing_from": high}
            grades += ["growing", "declining"]
        if self.draw(st.booleans()):
            spec["won_back"] = self.draw(days)
            grades.append("won_back")
        return spec, grades

    def condition(self, depth: int = 2) -> Spec:
        kind = self.draw(st.integers(0, 7 if depth else 3))
        if kind == 0 and self.grades:
            name = self.draw(st.sampled_from(sorted(self.grades)))
            grades = st.lists(st.sampled_from(self.grades[name]), min_size=1, max_size=2)
            return {"grading": name, "is": self.draw(grades)}
        if kind <= 3 or not depth:
            return self.test(self.draw(st.sampled_from(sorted(self.units))))
        if kind == 4:
            return {"not": self.condition(depth - 1)}
        parts = [self.condition(depth - 1) for _ in range(self.draw(st.integers(1, 3)))]
        return {"all" if kind == 5 else "any": parts}

    def test(self, measure: str) -> Spec:
        unit = self.units[measure]
        tests = ["is_known"]
        tests += ["is"] if unit in NAMES else ["at_least", "below"] * 2
        tests += ["is"] if unit in {"number", "count"} else []
        test = self.draw(st.sampled_from(tests))
        if test == "is_known":
            return {"measure": measure, "is_known": self.draw(st.booleans())}
        if test == "is":
            words: list[Any] = [*NAMES.get(unit, LEVELS.get(unit, []))]
            listed = st.lists(st.sampled_from(words), min_size=1, max_size=2, unique=True)
            return {"measure": measure, "is": self.draw(listed)}
        return {"measure": measure, test: self.level(measure, self.levels(measure, 1)[0])}

    def conditions(self) -> tuple[Spec, list[str]]:
        names = ["l0", "l1", "l2"][: self.draw(st.integers(1, 3))]
        levels: list[Spec] = [{"level": name, "when": self.condition()} for name in names]
        if self.draw(st.booleans()):
            levels.append({"level": "rest"})
            names = [*names, "rest"]
        return {"type": "conditions", "levels": levels}, names

    def tag(self) -> tuple[Spec, list[str]]:
        spec: Spec = {"type": "tag", "add_when": self.condition()}
        if not self.draw(st.integers(0, 2)):
            spec["remove_when"] = self.condition()
        if self.draw(st.booleans()):
            spec["keep_days"] = self.draw(st.integers(1, 6))
        return spec, ["present", "absent"]


def bought() -> st.SearchStrategy[Spec]:
    """Return measures that the next order moves."""
    none: Spec = {}
    windows = st.just(none) | _lengths.map(lambda length: {"window": length})
    return st.one_of(
        windows.map(lambda window: {"sum": "revenue", **window}),
        windows.map(lambda window: {"count": "orders", **window}),
        windows.map(lambda window: {"average": "revenue", **window}),
        windows.map(lambda window: {"max": "gross", **window}),
        st.just({"days_since": "last_order"}),
        _lengths.map(lambda length: {"growth": "revenue", "window": length}),
    )


@st.composite
def stability(draw: st.DrawFn) -> Spec:
    """Return rules on stability that a policy may have."""
    days = st.sampled_from([0, 0, 1, 2, 5])
    hold, grace, cool_down = (draw(days) for _ in range(3))
    if not hold + grace + cool_down:
        grace = draw(st.integers(1, 4))
    return {
        "minimum_hold_days": hold,
        "grace_days": grace,
        "cool_down_days": cool_down,
        "one_step": bool(hold + grace) and draw(st.booleans()),
    }


@st.composite
def policies(
    draw: st.DrawFn,
    *,
    refund_days: int | None = None,
    measured: st.SearchStrategy[Spec] | None = None,
    steadied: bool = False,
    currency: str | None = None,
) -> str:
    """Return the text of a policy file, in the part of YAML that is JSON.

    Its measures are any, or what *measured* gives. *steadied*: gradings whose grades have an
    order may have rules on stability.
    """
    currency = currency or draw(st.sampled_from(sorted(CURRENCIES)))
    any_of = _measures() if measured is None else measured
    specs = draw(st.lists(any_of, min_size=1, max_size=5))
    measures = {f"m{position}": spec for position, spec in enumerate(specs)}
    if not any(unit_of(spec) not in NAMES for spec in specs):
        measures["m_last"] = {"sum": "revenue", "window": "3d"}
    author = _Author(draw, measures, currency)
    for position in range(draw(st.integers(1, 4))):
        author.add(f"g{position}")
    gradings = author.gradings
    if steadied:
        for spec in gradings.values():
            if spec["type"] in model_policies.LADDERS and draw(st.integers(0, 3)):
                spec["stability"] = draw(stability())
    if draw(st.booleans()):
        gradings = dict(reversed(gradings.items()))
    document = {
        "policy": "random",
        "version": 1,
        "time_zone": draw(st.sampled_from(ZONES)),
        "currency": currency,
        "rates": CURRENCIES[currency],
        "refund_days": refund_days or draw(st.sampled_from([1, 3, 9, 90])),
        "max_future_minutes": 120,
        "measures": measures,
        "gradings": gradings,
    }
    return json.dumps(document)
