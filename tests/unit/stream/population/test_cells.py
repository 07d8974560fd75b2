"""The cells' economics: break-even (seed 002), shares, responses."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from stream.population.cells import Member, break_even, tabulate

CODES = [None, "555", "543", "111"]
MEMBERS = st.lists(
    st.tuples(st.sampled_from(CODES), st.integers(-50, 500), st.sampled_from(CODES), st.booleans()),
    max_size=30,
)


def test_break_even_is_1_77_percent_at_62_cents_for_35_dollars() -> None:
    """Seed 002: $0.62 / $35 = 1.77 %; a cell with that response or better is worth it."""
    needed = break_even(Fraction("0.62"), Fraction(35))
    assert needed == Fraction(31, 1750)
    assert round(needed * 10_000) == 177
    asked = [Member(str(n), "543", 0) for n in range(1_750)]
    for responders, worth in ((31, True), (30, False)):
        ordered = frozenset(map(str, range(responders)))
        cells = tabulate([], asked, ordered, frozenset())
        (cell,) = (cell for cell in cells if cell.asked)
        assert cell.is_worth_contacting(needed) is worth
    assert cells[0].is_worth_contacting(needed) is None


@given(MEMBERS)
def test_the_cells_add_up_to_everyone_graded(rows: list[tuple[str | None, int, str, bool]]) -> None:
    now = [Member(str(n), cell, revenue) for n, (cell, revenue, _, _) in enumerate(rows)]
    then = [Member(str(n), cell, 0) for n, (_, _, cell, _) in enumerate(rows)]
    ordered = frozenset(str(n) for n, row in enumerate(rows) if row[3])
    cells = tabulate(now, then, ordered, ordered)
    assert len(cells) == 125
    assert [cell.code for cell in cells] == sorted((c.code for c in cells), reverse=True)
    graded = [member for member in now if member.cell is not None]
    assert sum(cell.customers for cell in cells) == len(graded)
    assert sum(cell.revenue_minor for cell in cells) == sum(m.revenue_minor for m in graded)
    assert sum(cell.asked for cell in cells) == sum(m.cell is not None for m in then)
    assert all(cell.responded <= cell.asked for cell in cells)
    everyone = sum(max(member.revenue_minor, 0) for member in now)
    missing = sum(max(member.revenue_minor, 0) for member in now if member.cell is None)
    if everyone:
        assert sum(cell.share for cell in cells) == Fraction(everyone - missing, everyone)
