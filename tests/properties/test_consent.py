"""What happens while a customer forbids being scored leaves no trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, note
from hypothesis import strategies as st

from stream.calendar import format_instant
from tests.oracle.facts import DAY
from tests.properties.driver import plan_of
from tests.properties.families import LINKED, families
from tests.properties.histories import HOUR, MOMENTS, histories
from tests.properties.policies import policies
from tests.properties.profiles import tries
from tests.properties.test_erasure import play
from tests.properties.test_groups import with_groups
from tests.properties.village import Village

if TYPE_CHECKING:
    from tests.properties.families import Event

CONSENT = "consent.changed"
LATER = 30 * DAY


@st.composite
def words(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """Return *events* with a few words about consent in between, some told late."""
    start = min(event["at_ms"] for event in events)
    said = []
    for number in range(draw(st.integers(1, 5))):
        at_ms = start + draw(st.integers(-1, 24)) * DAY + draw(st.sampled_from(MOMENTS))
        said.append(
            {
                "kind": CONSENT,
                "event_id": f"w{number}",
                "customer_id": draw(st.sampled_from([events[0].get("customer_id", "c1"), "a"])),
                "scoring": draw(st.booleans()),
                "at_ms": at_ms,
                "record_ms": at_ms + draw(st.sampled_from([0, 0, 0, HOUR, 3 * DAY])),
            }
        )
    return sorted([*events, *said], key=lambda event: event["record_ms"])


def allowed_only(events: list[Event]) -> list[Event]:
    """Return *events* without the facts that their customers forbade, by a plain recount."""
    newest: dict[str, tuple[int, bool]] = {}
    since: dict[str, int] = {}
    spans: dict[str, list[tuple[int, int]]] = {}
    kept = []
    for event in events:
        name, at_ms = event.get("customer_id", "c1"), event["at_ms"]
        if event["kind"] == CONSENT:
            word = at_ms, not event["scoring"]
            if word > newest.get(name, (-1, False)):
                newest[name] = word
                if not event["scoring"]:
                    since.setdefault(name, at_ms)
                elif name in since:
                    spans.setdefault(name, []).append((since.pop(name), at_ms))
        elif event["kind"] != LINKED:
            inside = any(start <= at_ms < end for start, end in spans.get(name, []))
            if inside or name in since:
                continue
        kept.append(event)
    return kept


@given(policies(), histories().flatmap(words), st.randoms(use_true_random=False))
@tries(50)
def test_what_is_forbidden_leaves_no_trace(text: str, events: list[Event], chance: Any) -> None:
    """The same bytes in the store and on the wire as without it, in batches of any size."""
    note(text)
    town, plain = Village(plan_of(text)), Village(plan_of(text))
    play(town, events, chance)
    play(plain, allowed_only(events), chance)
    for each in (town, plain):
        each.wake(events[-1]["record_ms"] + LATER)
    for number in range(3):
        assert dict(town.store.scan_states(number)) == dict(plain.store.scan_states(number))
        assert town.store.scan_orders(number, "") == plain.store.scan_orders(number, "")
    # In which order those of several customers come depends on the batches.
    told = [
        sorted(row.value or b"" for row in each.of_topic("tier-changes")) for each in (town, plain)
    ]
    assert told[0] == told[1]


@given(policies(), histories().flatmap(words))
@tries(30)
def test_who_forbids_it_has_no_grade_and_no_deadline(text: str, events: list[Event]) -> None:
    """From the record that says so on; the change names it as its cause, and so does the return."""
    note(text)
    town = Village(plan_of(text))
    for event in events:
        seen = len(town.rows)
        town.apply(event)
        due = {name for _, name, _ in town.store.due(range(3), 1 << 52, 9)}
        for name, customer in town.customers().items():
            if customer.withheld:
                assert {grade.tier for grade in customer.grades} == {None}
                assert name not in due
        if event["kind"] == CONSENT:
            told = [json.loads(row.value or b"") for row in town.rows[seen:]]
            fresh = [one for one in told if "cause" in one and one["instant"] >= _at(event)]
            assert {one["cause"]["kind"] for one in fresh} <= {"consent", "time"}


def _at(event: Event) -> str:
    return format_instant(event["record_ms"])


@given(policies().map(with_groups), families("abcd", "abcd", "abcd").flatmap(words))
@tries(30)
def test_a_parent_counts_those_of_its_members_who_allow_it(text: str, events: list[Event]) -> None:
    """Sums are those of a world in which members leave with their consent and return with it."""
    note(text)
    town, plain = Village(plan_of(text)), Village(plan_of(text))
    for event in events:
        town.apply(event)
        town.deliver_all()
    links: dict[str, Event] = {}
    for event in sorted(allowed_only(events), key=lambda e: e["record_ms"]):
        if event["kind"] == LINKED:
            mine = links.get(event["customer_id"])
            if mine is None or _rank(event) > _rank(mine):
                links[event["customer_id"]] = event
        elif event["kind"] != CONSENT:
            plain.apply(event)
    withheld = {name for name, customer in town.customers().items() if customer.withheld}
    for name, link in links.items():
        if name not in withheld:
            plain.apply(link)
    plain.deliver_all()
    now_ms = max(event["record_ms"] for event in events) + LATER
    found, wanted = town.figures(now_ms), plain.figures(now_ms)
    for name in wanted:
        assert found[name][0] == wanted[name][0], name


def _rank(link: Event) -> tuple[int, str]:
    return link["at_ms"], link["target_id"]
