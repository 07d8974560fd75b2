"""BG/NBD: against published figures, against the formula as printed, against simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.cltv.bgnbd import PurchaseModel
from tests.properties.profiles import tries
from tests.unit.stream.cltv.published import PURCHASES, PURCHASES_LOG_LIKELIHOOD, table

shapes = st.floats(0.01, 20)
models = st.builds(PurchaseModel, shapes, st.floats(0.1, 1_000), shapes, shapes)
counts = st.one_of(st.integers(0, 3), st.integers(0, 200))
times = st.floats(0.1, 3_000)


def by_addition(model: PurchaseModel, x: int, age: float, ahead: float) -> float:
    """Add up, over the number of purchases without dropping out, how many really come.

    That number is negative binomial; the n-th of them comes if n-1 times nobody dropped out.
    All terms are positive: slow, and safe.
    """
    z, power, stays = ahead / (model.alpha + age + ahead), model.r + x, model.b + x
    log_chance = power * math.log1p(-z)
    found, come, stay = 0.0, 0.0, 1.0
    for n in range(1, 200_000):
        log_chance += math.log((power + n - 1) / n * z)
        come += stay
        stay *= (stays + n - 1) / (model.a + stays + n - 1)
        found += math.exp(log_chance) * come
        if n * (1 - z) > power * z and math.exp(log_chance) * n < 1e-14 * found * (1 - z):
            return found
    raise AssertionError(n)


def test_the_likelihood_of_the_published_table_is_the_published_one() -> None:
    """Times rounded to two decimals, parameters to three, and still to the printed decimal."""
    total = sum(PURCHASES.log_likelihood(x, t_x, age) for x, t_x, age, _ in table())
    assert round(total, 1) == PURCHASES_LOG_LIKELIHOOD


def test_the_expectation_of_customer_1_over_39_weeks_is_the_published_one() -> None:
    assert round(PURCHASES.expected(2, 30.43, 38.86, 39.0), 3) == 1.226


def test_someone_new_is_expected_to_buy_as_published() -> None:
    """Hardie's spreadsheet, to the three decimals that its parameters are known to."""
    model = PurchaseModel(0.24259, 4.41360, 0.79292, 2.42591)
    weeks = (0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0)
    found = [model.while_alive(0, 0.0, ahead) for ahead in weeks]
    assert found == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=5e-4)


@given(models, counts, st.floats(0, 100), st.floats(0.1, 300))
@tries(100)
def test_series_and_integral_agree_with_adding_up(
    model: PurchaseModel, x: int, age: float, ahead: float
) -> None:
    if ahead / (model.alpha + age + ahead) > 0.99 and x > 50:
        return
    expected = by_addition(model, x, age, ahead)
    assert model.while_alive(x, age, ahead) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("a", [1.0, 1 - 1e-12, 1 + 1e-9, 1 - 1e-5])
def test_nothing_happens_at_a_is_1_where_the_printed_formula_divides_by_zero(a: float) -> None:
    model = PurchaseModel(0.5, 4.0, a, 2.0)
    assert model.while_alive(3, 20.0, 30.0) == pytest.approx(by_addition(model, 3, 20.0, 30.0))


def test_nothing_happens_at_a_plus_b_is_1_where_the_printed_series_has_a_pole() -> None:
    model = PurchaseModel(0.5, 4.0, 0.25, 0.75)
    assert model.while_alive(0, 20.0, 30.0) == pytest.approx(by_addition(model, 0, 20.0, 30.0))


@given(
    st.builds(PurchaseModel, shapes, st.floats(0.1, 1_000), st.floats(1.1, 5), shapes),
    st.integers(0, 30),
    times,
    times,
)
@tries(100)
def test_it_is_the_printed_formula(model: PurchaseModel, x: int, age: float, ahead: float) -> None:
    """Equation 10 with somebody else's 2F1, where that form is well conditioned."""
    special = pytest.importorskip("scipy.special")
    z, c = ahead / (model.alpha + age + ahead), model.a + model.b + x - 1
    if z > 0.9:
        return
    power = ((model.alpha + age) / (model.alpha + age + ahead)) ** (model.r + x)
    printed = c / (model.a - 1) * (1 - power * special.hyp2f1(model.r + x, model.b + x, c, z))
    assert model.while_alive(x, age, ahead) == pytest.approx(printed, rel=1e-6, abs=1e-9)


@given(models, counts, times, times, times)
@tries(100)
def test_silence_lowers_both_chance_and_rate_and_the_rate_no_faster_than_said(
    model: PurchaseModel, x: int, active: float, silent: float, more: float
) -> None:
    age, later = active + silent, active + silent + more
    assert model.alive(x, active, later) <= model.alive(x, active, age)
    now, then = model.while_alive(x, age, 52.0), model.while_alive(x, later, 52.0)
    slack = 1e-9 * now
    assert now * (model.alpha + age) / (model.alpha + later) - slack <= then <= now + slack


def test_simulated_customers_buy_what_is_expected_of_them() -> None:
    """100,000 newcomers: mean purchases over 30 weeks, within four standard errors."""
    rng, model, weeks = random.Random(7), PurchaseModel(0.9, 5.0, 1.5, 4.0), 30.0
    made = []
    for _ in range(100_000):
        rate, leaves = rng.gammavariate(model.r, 1 / model.alpha), rng.betavariate(model.a, model.b)
        bought, now = 0, rng.expovariate(rate)
        while now <= weeks:
            bought += 1
            if rng.random() < leaves:
                break
            now += rng.expovariate(rate)
        made.append(bought)
    mean = sum(made) / len(made)
    error = math.sqrt(sum((n - mean) ** 2 for n in made)) / len(made)
    assert abs(mean - model.while_alive(0, 0.0, weeks)) < 4 * error
