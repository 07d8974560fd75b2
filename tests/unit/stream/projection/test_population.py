"""Columns of tiers against the obvious model: a dictionary of dictionaries."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.projection.population import Member, Population

CUSTOMERS = st.sampled_from(["ann", "bob", "cid", "dan"])
TIERS = st.sampled_from(["gold", "iron", None])
GRADES = st.dictionaries(st.sampled_from(["value", "care"]), TIERS, min_size=1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), CUSTOMERS, GRADES),
        st.tuples(st.just("value"), CUSTOMERS, st.none() | st.integers(-500, 500)),
        st.tuples(st.just("erase"), CUSTOMERS, st.none()),
    ),
    max_size=40,
)


@given(STEPS)
def test_counts_sums_and_members_are_those_of_a_plain_dictionary(
    steps: list[tuple[str, str, object]],
) -> None:
    population = Population()
    tiers: dict[str, dict[str, str | None]] = {}
    amounts: dict[str, int | None] = {}
    for step, customer_id, what in steps:
        if step == "take" and isinstance(what, dict):
            population.take(customer_id, what)
            tiers[customer_id] = what
            amounts.setdefault(customer_id, None)
        elif step == "value" and not isinstance(what, dict | str):
            population.value(customer_id, what)  # type: ignore[arg-type]
            if customer_id in tiers:
                amounts[customer_id] = what  # type: ignore[assignment]
        elif step == "erase":
            population.erase(customer_id)
            tiers.pop(customer_id, None)
            amounts.pop(customer_id, None)
    assert len(population) == len(tiers)
    for grading in ("value", "care"):
        counted = Counter(grades[grading] for grades in tiers.values() if grading in grades)
        found = population.standings(grading)
        assert {tier: one.customers for tier, one in found.items() if one.customers} == counted
        for tier, one in found.items():
            members = {who for who, grades in tiers.items() if (grading, tier) in grades.items()}
            assert one.sum_minor == sum(amounts[who] or 0 for who in members)
            page, following = population.members(grading, tier, 0, 10)
            assert following is None
            assert {member.customer_id for member in page} == members
            assert {member.amount_minor for member in page} == {amounts[who] for who in members}


def test_a_page_does_not_shift_when_somebody_leaves_an_earlier_one() -> None:
    population = Population()
    for number in range(6):
        population.take(f"c{number}", {"value": "gold"})
    first, following = population.members("value", "gold", 0, 3)
    population.take("c0", {"value": "iron"})
    population.erase("c1")
    assert following is not None
    second, end = population.members("value", "gold", following, 3)
    assert [member.customer_id for member in (*first, *second)] == [f"c{n}" for n in range(6)]
    assert end is None


def test_the_largest_leave_out_whose_amount_is_not_known() -> None:
    population = Population()
    for customer_id, amount in {"a": 5, "b": 9, "c": 7}.items():
        population.take(customer_id, {"value": "gold"})
        population.value(customer_id, amount)
    population.take("d", {"value": "gold"})
    assert population.largest("value", "gold", 2) == [Member("b", 9), Member("c", 7)]


def test_a_grading_that_is_gone_counts_nobody() -> None:
    """A published policy may drop a grading: records then do not name it."""
    population = Population()
    population.take("a", {"value": "gold", "care": "rescue"})
    population.take("a", {"value": "gold"})
    assert population.standings("care")["rescue"].customers == 0
    assert population.tier("a", "care") is None
