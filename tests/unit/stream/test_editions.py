"""A policy that takes effect while the bucket runs: what is told, kept, and given up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from schemas.decode import Rejected, decode_control
from schemas.policy import parse_policy
from schemas.records import PopulationCuts
from schemas.tier_changes import TierChange
from stream.admission import FUTURE
from stream.beginnings import beginning
from stream.bucket import Bucket
from stream.consent import Consent
from stream.customer import Customer, encode, unpack
from stream.editions import cuts_moved, decode_book, first_edition, policy_published, scorer_of
from stream.forecast.warning import Warned
from stream.groups.kin import Kin
from stream.groups.member_rows import GROUP_MEMBERS
from stream.migration import Preview, never_kept
from stream.outbox import CUSTOMER_TIERS, TIER_CHANGES, TIER_DIFFERENCES, decode_row
from stream.plan import compile_policy
from stream.store import BucketHead
from tests.properties.driver import WINDOW, to_arrival
from tests.unit.stream.policies import DAY, bands, paid, refunded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.policy import PolicyDocument
    from stream.editions import Begin

T0 = 852_076_800_000
SPENT = {"spent": {"sum": "gross", "window": "30d"}}
VALUE = {"value": bands("spent", gold=10)}


def document(
    version: int, measures: Mapping[str, Any], gradings: Mapping[str, Any], **more: object
) -> PolicyDocument:
    """Return a policy in UTC and USD."""
    text = {
        "policy": "unit",
        "version": version,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": measures,
        "gradings": gradings,
    }
    return parse_policy(json.dumps(text | more), "unit")


class Site:
    """One bucket, and the store it would be written to."""

    def __init__(self, own: PolicyDocument) -> None:
        self.first = first_edition(own)
        self.states: dict[str, bytes] = {}
        self.editions = b""
        self.rows: list[dict[str, Any]] = []
        self.tiers: dict[str, dict[str, Any]] = {}
        self.due: dict[str, int | None] = {}
        self.ranks: dict[tuple[str, str], int | None] = {}
        self.differences: list[tuple[str, dict[str, Any] | None]] = []
        self.entries: dict[str, bytes] = {}
        self.restart()

    def restart(self) -> None:
        """Start from what was committed."""
        head = BucketHead(0, 0, 1, {}, [], None, 0, editions=self.editions)
        self.bucket = Bucket(head, scorer_of(self.first), WINDOW, self.first)

    def take(self, *events: dict[str, Any]) -> None:
        """Apply events, one batch each."""
        for event in events:
            customer_id = event["customer_id"]
            if customer_id not in self.bucket.customers:
                self.bucket.adopt(customer_id, self.states.get(customer_id))
            self.bucket.know_orders(self.entries)
            arrival = to_arrival(event, self.bucket.scorer.plan)
            self.bucket.apply_to(customer_id, [arrival])
            self.commit(event["record_ms"])

    def begin(self, begin: Begin) -> None:
        """Let an edition begin."""
        self.bucket.begin(begin)
        self.commit(None)

    def sweep(self, upto_ms: int) -> None:
        """Visit everyone."""
        for customer_id, state in self.states.items():
            if customer_id not in self.bucket.customers:
                self.bucket.adopt(customer_id, state)
            self.bucket.visit(customer_id, upto_ms)
        self.bucket.finish()
        self.commit(upto_ms)

    def commit(self, clock_ms: int | None) -> None:
        """Write what there is."""
        commit = self.bucket.commit({}, clock_ms)
        written = {k: v for k, v in commit.states.items() if v is not None}
        gone = {*commit.erased, *commit.states} - written.keys()
        self.states = {k: v for k, v in self.states.items() if k not in gone} | written
        self.editions = self.editions if commit.editions is None else commit.editions
        self.due |= commit.due
        for ranking, readings in commit.ranks.items():
            self.ranks |= {(ranking, customer): reading for customer, reading in readings.items()}
        for entries in (*commit.fresh_orders.values(), *commit.orders.values()):
            self.entries |= entries
        for row in map(decode_row, commit.outbox):
            if row.topic == GROUP_MEMBERS:
                continue  # for another customer
            value = json.loads(row.value or b"null")
            if row.topic == TIER_CHANGES:
                TierChange.model_validate_json(row.value or b"")
                self.rows.append(value)
            elif row.topic == CUSTOMER_TIERS and value is not None:
                self.tiers[value["customer_id"]] = value
            elif row.topic == TIER_DIFFERENCES:
                self.differences.append(((row.key or b"").decode(), value))

    def moves(self, since: int = 0) -> list[tuple[Any, ...]]:
        """Return grading, from, to, sequence and cause of each change."""
        return [
            (c["grading"], c["from"], c["to"], c["sequence"], c["cause"]["kind"])
            for c in self.rows[since:]
        ]


def order(number: int, at_ms: int, cents: int = 500, customer: str = "c1") -> dict[str, Any]:
    """Return a paid order."""
    return paid(number, at_ms, cents, customer_id=customer)


def test_a_boundary_that_moves_is_named_with_where_it_was() -> None:
    """5.00 USD are gold once gold begins at 4.00 and no longer at 10.00."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    new = document(2, SPENT, {"value": bands("spent", gold=4)})
    site.begin(policy_published(new, T0 + DAY, "control-1"))
    site.sweep(T0 + DAY)
    assert site.moves() == [
        ("value", None, "floor", 1, "order"),
        ("value", "floor", "gold", 2, "policy_changed"),
    ]
    change = site.rows[1]
    assert change["cause"]["event_id"] == "control-1"
    assert change["policy"] == {"name": "unit", "version": 2}
    assert change["instant"] == "1997-01-02T00:00:00.000Z"
    version, spent = change["reasons"]
    assert (version["unit"], version["before"], version["after"]) == ("policy", 1, 2)
    assert (spent["boundary_before"], spent["boundary"], spent["crossed"]) == (1000, 400, "above")
    assert site.tiers["c1"]["policy"]["version"] == 2


def test_who_comes_after_a_policy_took_effect_has_not_changed_by_it() -> None:
    """Also where the bucket had heard of the customer before, but never had anything of it."""
    site = Site(document(1, SPENT, VALUE))
    site.bucket.adopt("c1", None)
    site.begin(policy_published(document(2, SPENT, VALUE), T0, "control"))
    site.take(order(1, T0 + DAY))
    assert site.moves() == [("value", None, "floor", 1, "order")]
    assert unpack(site.states["c1"]).edition == 1


def test_a_grading_that_is_given_up_ends_at_null_and_goes_on_when_it_comes_back() -> None:
    """The chain rule holds over the gap, and over restarts in it."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    other = {"worth": bands("spent", gold=10)}
    site.begin(policy_published(document(2, SPENT, other), T0 + DAY, "two"))
    site.sweep(T0 + DAY)
    site.restart()
    site.take(order(2, T0 + 2 * DAY))
    site.begin(policy_published(document(3, SPENT, VALUE), T0 + 3 * DAY, "three"))
    site.restart()
    site.sweep(T0 + 3 * DAY)
    assert site.moves() == [
        ("value", None, "floor", 1, "order"),
        ("value", "floor", None, 2, "policy_changed"),
        ("worth", None, "floor", 1, "policy_changed"),
        ("worth", "floor", "gold", 2, "order"),
        ("worth", "gold", None, 3, "policy_changed"),
        ("value", None, "gold", 3, "policy_changed"),
    ]
    assert site.tiers["c1"]["grades"] == {"value": "gold"}


def test_deadlines_before_the_policy_fire_under_the_one_before_it() -> None:
    """However late the customer is brought along; each change names the policy it came under."""
    site = Site(document(1, SPENT, {"value": bands("spent", gold=5)}))
    site.take(order(1, T0))
    longer = {"spent": {"sum": "gross", "window": "60d"}}
    new = document(2, longer, {"value": bands("spent", gold=5)})
    site.begin(policy_published(new, T0 + 40 * DAY, "two"))
    site.sweep(T0 + 100 * DAY)
    assert [(c["to"], c["policy"]["version"], c["instant"][:10]) for c in site.rows] == [
        ("gold", 1, "1997-01-01"),
        ("floor", 1, "1997-01-31"),
        ("gold", 2, "1997-02-10"),
        ("floor", 2, "1997-03-02"),
    ]


def test_tiers_that_the_new_policy_does_not_know_are_left_sideways() -> None:
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0), order(2, T0))
    new = document(2, SPENT, {"value": bands("spent", best=20, good=1)})
    site.begin(policy_published(new, T0 + DAY, "two"))
    site.sweep(T0 + DAY)
    assert site.moves()[-1] == ("value", "gold", "good", 3, "policy_changed")
    assert site.rows[-1]["direction"] == "lateral"


def test_a_bucket_remembers_older_editions_until_everyone_was_visited() -> None:
    """Over a restart in the middle; then only the newest is left."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0), order(2, T0, customer="c2"))
    site.begin(policy_published(document(2, SPENT, VALUE), T0 + DAY, "two"))
    site.take(order(3, T0 + 2 * DAY))
    assert len(decode_book(site.editions).editions) == 2
    site.restart()
    assert not decode_book(site.editions).swept
    site.sweep(T0 + 2 * DAY)
    book = decode_book(site.editions)
    assert book.swept
    assert [edition.number for edition in book.editions] == [1]
    assert {unpack(state).edition for state in site.states.values()} == {1}


@pytest.mark.parametrize("warned", [None, {"value": Warned(2, 1, "gold", "floor", 3)}])
@pytest.mark.parametrize("kin", [None, Kin()])
@pytest.mark.parametrize("consent", [None, Consent()])
@pytest.mark.parametrize("edition", [0, 7])
def test_a_sweep_knows_the_edition_of_everyone(
    kin: Kin | None, warned: dict[str, Warned] | None, consent: Consent | None, edition: int
) -> None:
    """Of parents, of those with an open warning, and of those who have spoken on consent."""
    shape = compile_policy(document(1, SPENT, VALUE)).shape
    customer = Customer("c1", shape, edition)
    customer.kin, customer.warned, customer.consent = kin, warned, consent
    assert unpack(encode(customer, shape)).edition == edition


def test_a_published_policy_stands_before_the_one_a_worker_is_started_with() -> None:
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    site.begin(policy_published(document(2, SPENT, VALUE), T0 + DAY, "two"))
    site.sweep(T0 + DAY)
    site.first = first_edition(document(9, SPENT, VALUE))
    site.restart()
    assert site.bucket.scorer.plan.version == 2


def test_an_order_that_an_earlier_policy_let_go_of_is_not_found_again() -> None:
    """Ten refund days, then ninety: whether the ledger was tidied meanwhile must not matter."""
    measures = {"net": {"sum": "revenue"}}
    gradings = {"value": bands("net", gold=4)}
    site = Site(document(1, measures, gradings, refund_days=10))
    site.take(order(1, T0), order(2, T0 + 15 * DAY))
    new = document(2, measures, gradings, refund_days=90)
    site.begin(policy_published(new, T0 + 20 * DAY, "two"))
    site.sweep(T0 + 20 * DAY)
    site.take(
        refunded(1, T0 + 21 * DAY, 500, customer_id="c1", order_id="o1"),
        refunded(2, T0 + 21 * DAY, 500, customer_id="c1", order_id="o2"),
    )
    customer = site.bucket.customers["c1"]
    assert customer.orders.totals.refunded == 500
    assert list(customer.pending) == ["o1"]


def test_boundaries_that_the_population_moves_are_an_edition_too() -> None:
    """The policy stays as it is."""
    first = document(1, SPENT, VALUE)
    site = Site(first)
    site.take(order(1, T0))
    control = PopulationCuts(
        event_id="census",
        occurred_at=datetime(2024, 1, 2, tzinfo=UTC),
        policy=first.policy,
        version=1,
        cuts={"value.spent": [400]},
        customers={"value.spent": 1},
    )
    site.begin(cuts_moved(control, T0 + DAY))
    assert site.bucket.in_force.edition.cause == "boundary_moved"
    assert site.bucket.in_force.edition.policy == first_edition(first).policy


@pytest.mark.parametrize(
    ("policy", "detail"),
    [
        ({"policy": "unit"}, "policy.version: allowed: "),
        (None, "policy.currency: allowed: USD"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused(policy: Any, detail: str) -> None:
    """The record goes to the dead letters and everything goes on."""
    own = document(1, SPENT, VALUE)
    euro = own.model_dump(mode="json") | {"currency": "EUR"}
    control = published(policy or euro)
    with pytest.raises(Rejected) as refused:
        beginning(decode_control(control), T0, T0, scorer_of(first_edition(own)).plan)
    assert refused.value.reason == "wrong_schema"
    assert refused.value.detail.startswith(detail)


def test_a_policy_from_the_future_is_refused() -> None:
    control = decode_control(published(document(2, SPENT, VALUE).model_dump(mode="json")))
    with pytest.raises(Rejected) as refused:
        beginning(control, T0 + 1, T0)
    assert refused.value.reason == FUTURE


def published(policy: dict[str, Any]) -> bytes:
    """Return the value of a policy.published record."""
    event = {"event_id": "p", "kind": "policy.published", "occurred_at": "1997-01-01T00:00:00Z"}
    return json.dumps(event | {"policy": policy}).encode()


def test_a_preview_counts_who_would_move_and_changes_nothing() -> None:
    """One of two customers has spent enough for what gold would cost then."""
    own = document(1, SPENT, VALUE)
    site = Site(own)
    site.take(order(1, T0, 500), order(2, T0, 300, customer="c2"))
    new = document(2, SPENT, {"value": bands("spent", gold=4)})
    now_ms = T0 + DAY
    preview = Preview(scorer_of(site.first), site.first, policy_published(new, now_ms, ""), now_ms)
    preview.take(site.editions, site.states.items())
    found = preview.migration
    assert (found.customers, found.moved) == (2, 1)
    assert found.moves == {"value": {("floor", "gold"): 1, ("floor", "floor"): 1}}


def test_windows_that_were_never_kept_are_named() -> None:
    older = scorer_of(first_edition(document(1, SPENT, VALUE, refund_days=1))).plan
    measures = {
        "spent": {"sum": "gross", "window": "90d"},
        "visits": {"count": "visit"},
        "trade": {"attribute": "trade", "type": "text"},
    }
    new = scorer_of(first_edition(document(2, measures, VALUE, refund_days=1))).plan
    assert list(never_kept(older, new)) == [
        "orders: 90 days needed, 30 days kept",
        "visit: not kept until now",
        "attribute trade: not kept until now",
    ]
