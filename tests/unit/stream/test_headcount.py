"""Counting the customers of a bucket: who stands where, what the top fifth brings."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import parse_policy
from stream.customer import Customer, encode
from stream.headcount import Headcount, headcount, top_fifth
from stream.plan import compile_policy
from stream.population.bins import bin_of, bounds_of
from tests.integration.system import POLICY

SHAPE = compile_policy(parse_policy(POLICY, "shop.yaml")).shape
TIERS = st.sampled_from([None, "gold", "silver"])
amounts = st.integers(-(10**9), 10**9)


def stored(tier: str | None, gross: int, refunded: int, cost: int) -> bytes:
    """Return a customer as the store has it."""
    customer = Customer("c", SHAPE)
    customer.grades[0].tier = tier
    totals = customer.orders.totals
    totals.gross, totals.refunded, totals.cost = gross, refunded, cost
    return encode(customer, SHAPE)


@given(st.lists(st.tuples(TIERS, amounts, amounts, amounts), max_size=30), st.data())
def test_everyone_is_counted_once_however_a_scan_repeats(
    people: list[tuple[str | None, int, int, int]], data: st.DataObject
) -> None:
    """Tiers by grading, and what they bring: revenue less refunds and cost."""
    states = [(f"c{number}", stored(*person)) for number, person in enumerate(people)]
    again = data.draw(st.lists(st.sampled_from(states), max_size=5)) if states else []
    found = headcount([*states, *again])
    assert found.customers == len(people)
    tiers = Counter(("value", tier) for tier, *_ in people)
    assert {key: n for key, n in found.tiers.items() if key[0] == "value"} == tiers
    assert sum(n for key, n in found.tiers.items() if key[0] == "care") == len(people)
    brought = sum(total for _, total in found.contribution.values())
    assert brought == sum(gross - refunded - cost for _, gross, refunded, cost in people)


@given(st.lists(amounts, max_size=30), st.lists(amounts, max_size=30))
def test_buckets_add_up(some: list[int], others: list[int]) -> None:
    """Counting two buckets apart and adding them up is counting them together."""
    people = [(f"c{n}", stored(None, gross, 0, 0)) for n, gross in enumerate([*some, *others])]
    apart = Headcount()
    apart.add(headcount(people[: len(some)]))
    apart.add(headcount(people[len(some) :]))
    assert apart == headcount(people)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_the_top_fifth_is_off_by_less_than_the_bin_it_ends_in(brought: list[int]) -> None:
    """Against the same share of everybody in order, the last one in part."""
    bins = Headcount()
    for amount in brought:
        bins.contribution[bin_of(amount)] = tuple(  # type: ignore[assignment]
            map(sum, zip(bins.contribution.get(bin_of(amount), (0, 0)), (1, amount), strict=True))
        )
    ordered, left, exact = sorted(brought, reverse=True), len(brought), 0.0
    last = 0
    for amount in ordered:
        taken = min(5, left)
        exact, left, last = exact + amount * taken / 5, left - taken, amount
        if not left:
            break
    low, high = bounds_of(bin_of(last))
    members = bins.contribution[bin_of(last)][0]
    assert abs(top_fifth(bins.contribution) - exact) <= (high - low) * members + 1


def test_nobody_brings_nothing() -> None:
    """An empty installation has no top fifth."""
    assert top_fifth({}) == 0
    assert headcount([]) == Headcount()
