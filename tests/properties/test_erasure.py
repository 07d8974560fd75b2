"""After an erasure it is as if the customer had never been."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, note
from hypothesis import strategies as st

from schemas.erasure_receipts import ErasureReceipt
from stream.erasure import pseudonym, read_receipt
from stream.outbox import CUSTOMER_TIERS, ERASURE_RECEIPTS
from tests.properties.driver import plan_of
from tests.properties.families import LINKED, families
from tests.properties.policies import policies
from tests.properties.profiles import tries
from tests.properties.test_groups import with_groups
from tests.properties.village import Village

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.properties.families import Event

PEOPLE = ["anna-4711", "bert-4712", "cleo-4713", "dora-4714"]
GONE, NOBODY = PEOPLE[0], "anna-4710"
LATER = 400 * 86_400_000


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], int]:
    """Return events of several customers whose ids name them, and where one is to be erased."""
    names = dict(zip("abcd", PEOPLE, strict=True))
    events = draw(families("abcd", "abcd", "abcd"))
    for event in events:
        event["customer_id"] = names[event["customer_id"]]
        event["event_id"] = f"{event['customer_id']}:{event['event_id']}"
        if event["kind"] == LINKED:
            event["target_id"] = names[event["target_id"]]
    return events, draw(st.integers(0, len(events)))


def erasing(at_ms: int, number: int = 0) -> Event:
    """Return a request to erase."""
    return {
        "kind": "customer.erase",
        "event_id": f"erase{number}",
        "customer_id": GONE,
        "reason": f"{GONE} asked for it",
        "at_ms": at_ms,
        "record_ms": at_ms,
    }


def play(town: Village, events: Sequence[Event], chance: Any) -> None:
    """Apply *events* in batches of any size, with restarts in between."""
    rest = list(events)
    while rest:
        size = chance.randint(1, 5)
        town.apply(*rest[:size])
        rest = rest[size:]
        if chance.random() < 0.6:
            town.deliver_all()
        if chance.random() < 0.2:
            town.restart()
    town.deliver_all()


def without(event: Event) -> Event:
    """Return an event of someone else with the erased customer's place taken by nobody."""
    return event | ({"target_id": NOBODY} if event.get("target_id") == GONE else {})


def names_the_erased(event: Event) -> bool:
    """Say whether an event is of the erased customer, or links to it."""
    return GONE in {event["customer_id"], event.get("target_id")}


@given(policies(), histories(), st.booleans(), st.randoms(use_true_random=False))
@tries(60)
def test_nothing_is_left_of_an_erased_customer_and_others_are_as_if_it_had_never_been(
    text: str,
    history: tuple[list[Event], int],
    grouped: bool,  # noqa: FBT001 - hypothesis draws it
    chance: Any,
) -> None:
    """Its id is nowhere, also after old records come again and restarts; one receipt says so."""
    text = with_groups(text) if grouped else text
    note(text)
    events, place = history
    before, after = events[:place], events[place:]
    erased_ms = max([max(e["record_ms"], e["at_ms"]) for e in before], default=0) + 1
    # What comes after the request, in the log, was told after it.
    after = [e | {"record_ms": max(e["record_ms"], erased_ms)} for e in after]
    # Of those, the ones that speak of it are of before: they happened earlier, or are told again.
    resent = [e | {"record_ms": erased_ms + 5} for e in before if names_the_erased(e)]
    late = [e | {"at_ms": min(e["at_ms"], erased_ms)} if names_the_erased(e) else e for e in after]
    town, never = Village(plan_of(text)), Village(plan_of(text))
    play(town, [*before, erasing(erased_ms), *late, *resent], chance)
    play(never, [without(e) for e in [*before, *late] if e["customer_id"] != GONE], chance)
    for each in (town, never):
        each.wake(erased_ms + LATER)
        each.deliver_all()

    assert GONE.encode() not in town.everything()
    found, wanted = town.figures(erased_ms + LATER), never.figures(erased_ms + LATER)
    wanted.pop(NOBODY, None)
    # Who was known through the erased customer only stays known, with nothing to its name; and
    # grades that remember (an exit level, a tag) may remember a sum that the erased was part of.
    compared = 1 if grouped else 2
    for name, figures in wanted.items():
        if name in found:
            assert found[name][:compared] == figures[:compared], name
        else:
            # A parent for less than a batch is told nothing, and so may never have been known.
            assert grouped
            assert name not in {event["customer_id"] for event in [*before, *late]}
    newest = {row.key: row.value for row in town.of_topic(CUSTOMER_TIERS)}
    assert newest.pop(GONE.encode()) is None
    assert all(value is not None and GONE.encode() not in value for value in newest.values())
    (row,) = town.of_topic(ERASURE_RECEIPTS)
    receipt = ErasureReceipt.model_validate_json(row.value or b"")
    assert GONE.encode() not in (row.value or b"") + (row.key or b"")
    assert receipt.subject == pseudonym(GONE)
    _, until_ms = read_receipt(row.value or b"")
    assert erased_ms <= until_ms
    told = [*town.of_topic("tier-changes"), *town.of_topic("tier-forecasts")]
    assert all(row.timestamp_ms <= until_ms for row in told if row.key == GONE.encode())
    paid = {e["order_id"] for e in before if e["customer_id"] == GONE and e["kind"] == "order.paid"}
    assert receipt.removed.orders == len(paid)


@given(policies(), histories(), st.randoms(use_true_random=False))
@tries(40)
def test_who_comes_back_after_an_erasure_begins_anew(
    text: str, history: tuple[list[Event], int], chance: Any
) -> None:
    """The same measures, grades and sequences as a customer who only ever was there afterwards."""
    note(text)
    events, place = history
    mine = [e for e in events if e["customer_id"] == GONE and e["kind"] != LINKED]
    before = [e for e in mine if e in events[:place]]
    erased_ms = max([e["record_ms"] for e in mine], default=0) + 1
    shift = erased_ms + 1 - min([e["at_ms"] for e in mine], default=0)
    again = [
        e | {"at_ms": e["at_ms"] + shift, "record_ms": max(e["record_ms"], e["at_ms"]) + shift}
        for e in mine
    ]
    town, fresh = Village(plan_of(text)), Village(plan_of(text))
    play(town, [*before, erasing(erased_ms), *again], chance)
    play(fresh, again, chance)
    assert town.customers().keys() == fresh.customers().keys()
    for number in range(3):
        assert dict(town.store.scan_states(number)) == dict(fresh.store.scan_states(number))
        assert town.store.scan_orders(number, "") == fresh.store.scan_orders(number, "")
    changes = [json.loads(row.value or b"") for row in town.of_topic("tier-changes")]
    wanted = [json.loads(row.value or b"") for row in fresh.of_topic("tier-changes")]
    ids = [change.pop("id") for change in changes]
    assert all(change.pop("id") not in ids[-len(wanted) :] for change in wanted)
    assert changes[len(changes) - len(wanted) :] == wanted
    assert len(set(ids)) == len(ids)


@given(policies(), histories(), st.randoms(use_true_random=False))
@tries(20)
def test_the_same_request_is_carried_out_once_and_each_request_has_a_receipt(
    text: str, history: tuple[list[Event], int], chance: Any
) -> None:
    """Sent again it does nothing; another one, also of a customer unknown by now, is answered."""
    events, _ = history
    end_ms = events[-1]["record_ms"] + 1
    town = Village(plan_of(text))
    one = erasing(end_ms)
    play(town, [*events, one, one | {"record_ms": end_ms + 7}, erasing(end_ms + 9, 1)], chance)
    found = [json.loads(row.value or b"") for row in town.of_topic(ERASURE_RECEIPTS)]
    assert len({receipt["id"] for receipt in found}) == len(found) == 2
    assert found[1]["removed"] == {
        "state": False,
        "orders": 0,
        "event_ids": 0,
        "members": 0,
        "parent": False,
    }
