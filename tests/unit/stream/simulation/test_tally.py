"""Sums and rankings that do not depend on how the customers are dealt out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.simulation.tally import Amount, Flapper, GradingTally, Top

customers = st.lists(
    st.tuples(
        st.sampled_from(["gold", "iron", None]),
        st.sampled_from(["gold", "iron", None]),
        st.integers(-50, 50),
        st.integers(0, 30),
        st.sampled_from(["ann", "bob"]),
    ),
    max_size=40,
)


def counted(listed: list[tuple[int, tuple[str | None, str | None, int, int, str]]]) -> GradingTally:
    tally = GradingTally.empty(5)
    for number, (old, new, revenue, week, owner) in listed:
        tally.flows.setdefault((old, new), Amount()).add(1, revenue)
        tally.owners.setdefault(owner, {}).setdefault((old, new), Amount()).add(1, revenue)
        tally.weeks[number % 2][week] += 1
        tally.flapping[number % 2] += 1
        tally.flappers[number % 2].add(Flapper(-week, f"{number:03}", week))
    return tally


def told(tally: GradingTally) -> tuple[object, ...]:
    return tally.flows, tally.owners, tally.weeks, tally.flapping, [t.items for t in tally.flappers]


@given(customers, st.integers(1, 5))
def test_shares_merged_in_any_order_are_the_whole(
    listed: list[tuple[str | None, str | None, int, int, str]], parts: int
) -> None:
    numbered = list(enumerate(listed))
    merged = GradingTally.empty(5)
    for part in reversed(range(parts)):
        merged.merge(counted(numbered[part::parts]))
    assert told(merged) == told(counted(numbered))


@given(st.lists(st.integers(-9, 9), max_size=30), st.integers(0, 6))
def test_a_ranking_keeps_the_first_few(ranks: list[int], limit: int) -> None:
    items = [Flapper(rank, f"{i:02}", 0) for i, rank in enumerate(ranks)]
    top = Top[Flapper](limit)
    for item in items:
        admitted = top.admits(item.rank, item.customer_id)
        top.add(item)
        assert (item in top.items) == admitted
    assert top.items == sorted(items)[:limit]
