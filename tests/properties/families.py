"""Random histories of several customers that belong to each other, and what they add up to.

`World` runs them through the pure core, each customer in a bucket of its own, and carries the
rows from member to parent in any order it is told to. `Sums` recomputes from the raw events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from stream.arrivals import Notice
from stream.groups.kin import LONGEST_PATH
from stream.groups.member_rows import GROUP_MEMBERS, decode_member
from tests.oracle.facts import DAY, Facts, Policy
from tests.oracle.history import History
from tests.properties.driver import Run
from tests.properties.histories import HOUR, MOMENTS, histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.outbox import Row
    from stream.plan import Plan

Event = dict[str, Any]
LINKED = "identity.linked"


@st.composite
def families(draw: st.DrawFn, people: str, movers: str, parents: str) -> list[Event]:
    """Return events of *people*, and links from *movers* to *parents*, as recorded.

    A link may be told late, name the same parent again, or name the customer itself: no parent.
    """
    events = draw(histories())
    owners = [draw(st.sampled_from(people)) for _ in range(len(events) + 1)]
    numbers = {event["event_id"]: int(event["event_id"][1:]) for event in events}
    for event in events:
        number = numbers[event["event_id"]]
        if "order_id" in event:
            number = min(int(event["order_id"][1:]), len(events))
        event["customer_id"] = owners[number]
    start = min(event["at_ms"] for event in events)
    for number in range(draw(st.integers(1, 8))):
        member = draw(st.sampled_from(movers))
        at_ms = start + draw(st.integers(0, 20)) * DAY + draw(st.sampled_from(MOMENTS))
        events.append(
            {
                "event_id": f"l{number}",
                "kind": LINKED,
                "customer_id": member,
                "relation": "member_of",
                "target_id": draw(st.sampled_from([*parents, member])),
                "at_ms": at_ms,
                "record_ms": at_ms + draw(st.sampled_from([0, 0, 0, HOUR, 3 * DAY])),
            }
        )
    return sorted(events, key=lambda event: event["record_ms"])


class World:
    """Customers, and the rows that are on their way between them.

    Attributes:
        members: Each in a bucket of its own, by id.
        under_way: Rows that were not delivered yet.
    """

    def __init__(self, plan: Plan, people: str) -> None:
        self.members = {name: Run(plan, name) for name in people}
        self.under_way: list[Row] = []

    def apply(self, *events: Event) -> None:
        """Apply one micro-batch for each customer that *events* speak of."""
        for name, member in self.members.items():
            own = [event for event in events if event["customer_id"] == name]
            if own:
                member.apply(own)
                self._collect(member)

    def deliver(self, row: Row) -> None:
        """Bring one row to its parent."""
        told = decode_member(row.value)
        assert row.key == told.customer_id.encode()
        member = self.members[told.customer_id]
        member.take([Notice(row.timestamp_ms, told, 0)])
        self._collect(member)

    def deliver_all(self) -> None:
        """Bring every row to its parent, in order, until none is left."""
        while self.under_way:
            self.deliver(self.under_way.pop(0))

    def _collect(self, member: Run) -> None:
        self.under_way += [row for row in member.rows if row.topic == GROUP_MEMBERS]
        member.rows.clear()


class Sums:
    """Who belongs to whom, and everyone's own events, recomputed from scratch."""

    def __init__(self, policy: Policy, people: str) -> None:
        self.policy = policy
        self.own: dict[str, list[tuple[int, Event]]] = {name: [] for name in people}
        self.links: dict[str, tuple[int, str]] = {}

    def apply(self, event: Event) -> bool:
        """Take an event in; return False where no rule of the policy reads it."""
        name = event["customer_id"]
        if event["kind"] == LINKED:
            link = event["at_ms"], event["target_id"]
            self.links[name] = max(self.links.get(name, link), link)
            return True
        if not self.policy.reads(event):
            return False
        self.own[name].append((event["record_ms"], event))
        return True

    def parent(self, name: str) -> str | None:
        """Return whom a customer belongs to."""
        target = self.links[name][1] if name in self.links else name
        return None if target == name else target

    def below(self, parent: str) -> Iterator[str]:
        """Yield everyone whose links lead to *parent* within the steps that count."""
        for name in self.own:
            at: str | None = name
            for _ in range(LONGEST_PATH):
                at = None if at is None else self.parent(at)
                if at == name:
                    break
                if at == parent:
                    yield name
                    break

    def facts(self, parent: str) -> Facts:
        """Return what is true of *parent* and everyone below it together."""
        facts = Facts(self.policy, self.own[parent])
        for name in self.below(parent):
            other = Facts(self.policy, self.own[name])
            for kind, rows in other.by_day.items():
                facts.by_day[kind] = facts.by_day[kind] + rows
                facts.values[kind] = facts.values[kind] + other.values[kind]
        return facts


class GroupHistory(History):
    """A parent's tier changes by brute force."""

    def becomes(self, now_ms: int, facts: Facts) -> None:
        """Let *facts* be true from an instant on."""
        if self.now is not None:
            self.advance(now_ms - 1)
        self.now = max(now_ms, self.now or 0)
        self.facts = facts
        self._instants = sorted(set(self._static_instants()))
        self._evaluate("group", None)
