"""What is true of one customer, recomputed from the raw events; shares no code with `stream`.

Nothing here is incremental, and nothing is forgotten: every reading is taken from the full list
of events that were applied so far.

An event is a plain mapping: ``event_id``, ``record_ms``, ``at_ms`` and ``kind`` (as on the wire),
then ``order_id``, ``amount_minor``, ``currency`` and ``cost_minor`` for orders, ``value`` for
interactions that carry one, ``attributes`` for profiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

DAY = 86_400_000
PLACES = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
STAGES = ("demand", "contract", "delivery", "operation", "renewal", "lost")
CONDUCT = {"open", "days_overdue", "longest_gap", "repurchase_rate"}
UNITS = {
    "count": "count",
    "open": "count",
    "days_since": "days",
    "days_overdue": "days",
    "longest_gap": "days",
}
Event = Mapping[str, Any]
Value = int | str | None


def nearest_even(number: Fraction) -> int:
    """Round to the nearest integer, a half to the even one."""
    return round(number)


def days(text: str | None) -> int | None:
    """Read ``"365d"``; None for the whole lifetime."""
    return None if text in {None, "lifetime"} else int(str(text)[:-1])


class Policy:
    """A policy file as YAML gave it, and how to read amounts, days and levels in it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.zone = ZoneInfo(document["time_zone"])
        self.places = PLACES.get(document["currency"], 2)
        self.refund_ms = document.get("refund_days", 180) * DAY
        self._days: dict[int, object] = {}
        self._levels: dict[tuple[str, object], Fraction] = {}
        specs = document["measures"].values()
        self.kinds = {kind for spec in specs for kind in self.sources(spec)} - {"profile"}
        self.attributes = {
            spec["attribute"] for spec in document["measures"].values() if "attribute" in spec
        }

    @classmethod
    def sources(cls, spec: Mapping[str, Any]) -> tuple[str, ...]:
        """Which kinds of events a measure looks at."""
        if "days_overdue" in spec:
            return "payment.overdue", "payment.received"
        if "open" in spec:
            return (spec["open"], spec["open"].replace("requested", "").rstrip(".") + ".resolved")
        return (cls.source(spec),)

    @staticmethod
    def source(spec: Mapping[str, Any]) -> str:
        """Which kind of event a measure counts."""
        if "attribute" in spec:
            return "profile"
        for key in ("count", "max", "last", "days_since"):
            named = spec.get(key)
            if named and named not in {"gross", "last_order", "first_order"}:
                return str(named)
        return "orders"

    def unit(self, measure: str) -> str:
        """Say what a measure counts."""
        spec = self.document["measures"][measure]
        if "attribute" in spec:
            return str(spec["type"])
        if {"sum", "average", "first"} & spec.keys():
            return "money"
        for key in ("max", "last"):
            if key in spec:
                named = {"gross": "money", "survey": "number", "stage.changed": "stage"}
                return named.get(spec[key], "days")
        return UNITS.get(next(iter(spec)), "bp")

    def level(self, measure: str, written: object) -> Fraction:
        """Turn a level as written into the unit of the measure, exactly."""
        known = self._levels.get((measure, written))
        if known is None:
            text = str(written)
            if text.endswith("%"):
                known = Fraction(text[:-1].strip()) * 100
            else:
                scale = 10**self.places if self.unit(measure) == "money" else 1
                known = Fraction(text) * scale
            self._levels[measure, written] = known
        return known

    def convert(self, amount_minor: int, currency: str) -> int:
        """Return minor units of the reporting currency, rounded half to even."""
        if currency == self.document["currency"]:
            return amount_minor
        rate = Fraction(str(self.document["rates"][currency]))
        major = Fraction(amount_minor, 10 ** PLACES.get(currency, 2)) * rate
        return nearest_even(major * 10**self.places)

    def reads(self, event: Event) -> bool:
        """Say whether any measure could be moved by the event."""
        if event["kind"].startswith("order."):
            return True
        if event["kind"] == "profile.changed":
            return bool(self.attributes & event["attributes"].keys())
        return event["kind"] in self.kinds

    def day(self, at_ms: int) -> object:
        """Return the local calendar date of an instant."""
        if at_ms not in self._days:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
            self._days[at_ms] = moment.astimezone(self.zone).date()
        return self._days[at_ms]


class Day:
    """All events of one kind on one local day."""

    def __init__(self) -> None:
        self.last_ms = -(10**18)
        self.count = self.gross = self.refunded = self.cost = 0
        self.peak = 0

    def amount(self, field: str) -> int:
        """Return one of the amounts that policies may add up."""
        if field == "revenue":
            return self.gross - self.refunded
        if field == "contribution":
            return self.gross - self.refunded - self.cost
        return int(getattr(self, field))


class Facts:
    """What the applied events of one customer say, as a function of the instant asked about."""

    def __init__(self, policy: Policy, applied: Sequence[tuple[int, Event]]) -> None:
        """Take the events with the instant at which each was applied, in that order."""
        self.policy = policy
        self.attributes: dict[str, Value] = {}
        self.values: dict[str, list[tuple[int, int]]] = {kind: [] for kind in policy.kinds}
        self.by_day: dict[str, list[Day]] = {}
        for _, event in applied:
            if event["kind"] == "profile.changed":
                self._describe(event["attributes"])
            elif event["kind"] in self.values:
                self.values[event["kind"]].append((event["at_ms"], event.get("value") or 0))
        self.orders = self._orders(applied)
        self.values["orders"] = [(o["at"], o["paid"]) for o in self.orders]
        for kind, values in self.values.items():
            rows: dict[object, Day] = {}
            counted = (
                self.orders
                if kind == "orders"
                else [
                    {"at": at, "paid": v, "refunded": 0, "cost": 0, "alive": True}
                    for at, v in values
                ]
            )
            for one in counted:
                row = rows.setdefault(policy.day(one["at"]), Day())
                row.last_ms = max(row.last_ms, one["at"])
                row.peak = max(row.peak, one["paid"])
                if one["alive"]:
                    row.count += 1
                    row.gross += one["paid"]
                    row.refunded += one["refunded"]
                    row.cost += one["cost"]
            self.by_day[kind] = list(rows.values())

    def _describe(self, attributes: Mapping[str, Value]) -> None:
        for name, value in attributes.items():
            if value is None:
                self.attributes.pop(name, None)
            else:
                self.attributes[name] = value

    def _orders(self, applied: Sequence[tuple[int, Event]]) -> list[dict[str, Any]]:
        orders: dict[str, dict[str, Any]] = {}
        for now, event in applied:
            if event["kind"] == "order.paid" and event["order_id"] not in orders:
                orders[event["order_id"]] = {
                    "applied": now,
                    "at": event["at_ms"],
                    "paid": self.policy.convert(event["amount_minor"], event["currency"]),
                    "cost": self.policy.convert(event.get("cost_minor") or 0, event["currency"]),
                    "refunded": 0,
                    "alive": True,
                }
        first_wait: dict[str, int] = {}
        for now, event in applied:
            if event["kind"] not in {"order.refunded", "order.cancelled"}:
                continue
            order = orders.get(event["order_id"])
            if order is None:
                continue
            # Both must be known within the time in which a refund can find its order.
            if now < order["applied"]:
                first = first_wait.setdefault(event["order_id"], now)
                if now - first > self.policy.refund_ms:
                    first_wait[event["order_id"]] = now  # what waited before is forgotten
            met = max(now, order["applied"])
            waited = order["applied"] - first_wait.get(event["order_id"], now)
            if met - order["at"] > self.policy.refund_ms or (
                now < order["applied"] and waited > self.policy.refund_ms
            ):
                continue
            if event["kind"] == "order.cancelled":
                order["alive"] = False
            else:
                more = self.policy.convert(event["amount_minor"], event["currency"])
                order["refunded"] = min(order["paid"], order["refunded"] + more)
        return list(orders.values())

    # -- readings -------------------------------------------------------------

    def measure(self, name: str, now: int) -> Value:  # noqa: PLR0911 - one for each kind
        """Return one measure at an instant, None where there is nothing to measure."""
        spec = self.policy.document["measures"][name]
        (key, subject), source = next(iter(spec.items())), self.policy.source(spec)
        if key == "attribute":
            return self._attribute(subject, spec["type"])
        if key == "days_since":
            since = self.since(name)
            return None if since is None else max(0, (now - since) // DAY)
        if key in {"first", "last"}:
            seen = self.values[source]
            if not seen:
                return None
            told = min(seen)[1] if key == "first" else max(seen)[1]
            return STAGES[told] if subject == "stage.changed" else told
        if key in CONDUCT:
            return self._conduct(spec, now)
        inside = self._inside(source, now, days(spec.get("window")), days(spec.get("before")) or 0)
        if key == "max":
            return max((row.peak for row in inside), default=None)
        if key in {"count", "sum"}:
            field = "count" if key == "count" else subject
            return sum(row.amount(field) for row in inside)
        if key == "growth":
            length = days(spec["window"]) or 0
            earlier = self._inside(source, now, length, length)
            return _share(
                sum(r.amount(subject) for r in inside) - sum(r.amount(subject) for r in earlier),
                sum(r.amount(subject) for r in earlier),
                10_000,
            )
        if key == "average":
            total = sum(row.amount(subject) for row in inside)
            return _share(total, sum(row.count for row in inside), 1)
        of, to = subject["of"], subject["to"]
        return _share(sum(r.amount(of) for r in inside), sum(r.amount(to) for r in inside), 10_000)

    def measures(self, now: int) -> dict[str, Value]:
        """Return every measure at an instant."""
        return {name: self.measure(name, now) for name in self.policy.document["measures"]}

    def since(self, name: str) -> int | None:
        """Return the instant that a ``days_since`` measure counts from."""
        spec = self.policy.document["measures"][name]
        if spec["days_since"] == "first_order":
            return min((at for at, _ in self.values["orders"]), default=None)
        rows = self.by_day[self.policy.source(spec)]
        return max((row.last_ms for row in rows if row.count > 0), default=None)

    def overdue(self) -> tuple[int, int] | None:
        """Return when the open overdue payment was last told of and how late it was then."""
        told = max(self.values["payment.overdue"], default=None)
        paid = [at for at, _ in self.values["payment.received"]]
        return None if told is None or any(at >= told[0] for at in paid) else told

    def _conduct(self, spec: Mapping[str, Any], now: int) -> int | None:
        if "open" in spec:
            raised, resolved = (len(self.values[kind]) for kind in self.policy.sources(spec))
            return max(0, raised - resolved)
        if "days_overdue" in spec:
            told = self.overdue()
            return 0 if told is None else told[1] + max(0, (now - told[0]) // DAY)
        alive = sorted((r for r in self.by_day["orders"] if r.count > 0), key=lambda r: r.last_ms)
        kept = self._inside("orders", now, days(spec.get("window")), 0)
        if "repurchase_rate" in spec:
            orders = [row for row in alive for _ in range(row.count)]
            again = sum(row in kept for row in orders[1:])
            return _share(again, sum(row in kept for row in orders), 10_000)
        gaps = [b.last_ms - a.last_ms for a, b in pairwise(alive) if b in kept]
        return max(gaps) // DAY if gaps else None

    def _attribute(self, name: str, kind: str) -> Value:
        known = self.attributes.get(name)
        if known is None:
            return None
        if kind == "text":
            return str(known)
        return known if type(known) is int else None

    def _inside(self, source: str, now: int, length: int | None, before: int) -> list[Day]:
        rows = self.by_day[source]
        if length is None:
            return rows
        late, early = now - before * DAY, now - (before + length) * DAY
        return [r for r in rows if r.last_ms > early and (r.last_ms <= late or not before)]


def _share(of: int, to: int, scale: int) -> int | None:
    return None if to <= 0 else nearest_even(Fraction(of * scale, to))
