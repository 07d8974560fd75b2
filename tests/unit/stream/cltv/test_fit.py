"""The fit: the published parameters come out, slopes are slopes, and bad histories are said so."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.replay.cdnow import read_cdnow
from agents.replay.log import order_records, sorted_log
from agents.replay.purchases import counting_policy, purchases_in
from stream.cltv import fit
from stream.cltv.bgnbd import PurchaseModel
from stream.cltv.digamma import digamma
from stream.cltv.fit import FitError, fit_purchases, fit_spend
from stream.cltv.gamma_gamma import SpendModel
from stream.cltv.minimise import minimise
from stream.cltv.purchases import Purchases
from tests.properties.profiles import tries

if TYPE_CHECKING:
    from collections.abc import Sequence

END_OF_CALIBRATION = 852_076_800_000 + 272 * 86_400_000  # 1997-09-30T00:00:00Z


@pytest.fixture(scope="module")
def sample() -> list[Purchases]:
    """Return the calibration period of the CDNOW sample, through the core."""
    log = sorted_log(order_records(read_cdnow("cdnow-sample")), END_OF_CALIBRATION)
    seen, refused = purchases_in(log, counting_policy("USD"), END_OF_CALIBRATION)
    assert not refused
    return seen


def test_the_published_parameters_of_the_cdnow_sample_come_out(sample: list[Purchases]) -> None:
    """Fader, Hardie and Lee (2005): to three decimals, and the log-likelihood."""
    found = fit_purchases(sample, 7)
    model = found.model
    assert [round(v, 3) for v in (model.r, model.alpha, model.a, model.b)] == [
        0.243,
        4.414,
        0.793,
        2.426,
    ]
    assert round(found.log_likelihood, 1) == -9582.4
    assert (found.customers, found.repeating) == (2_357, 946)


def test_the_published_spend_of_the_cdnow_sample_comes_out(sample: list[Purchases]) -> None:
    """Fader and Hardie (2013): p 6.25, q 3.74, gamma 15.44, from 946 customers."""
    found = fit_spend(sample, 100)
    model = found.model
    assert [round(v, 2) for v in (model.p, model.q, model.gamma)] == [6.25, 3.74, 15.44]
    assert round(found.log_likelihood, 2) == -4055.92
    assert found.customers == 946


def test_days_and_weeks_are_the_same_model(sample: list[Purchases]) -> None:
    """Only alpha has a unit of time."""
    weeks, days = fit_purchases(sample, 7).model, fit_purchases(sample, 1).model
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-4)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-4)


def test_no_other_search_finds_better_parameters(sample: list[Purchases]) -> None:
    """Somebody else's optimiser, without slopes, ends in the same place."""
    optimize = pytest.importorskip("scipy.optimize")
    rows = [(p.repeats, p.active_days / 7, (p.active_days + p.silent_days) / 7) for p in sample]

    def cost(logs: Sequence[float]) -> float:
        model = PurchaseModel(*map(math.exp, logs))
        return -sum(model.log_likelihood(*row) for row in rows)

    start = [math.log(v) for v in (0.3, 5.0, 0.7, 2.0)]
    best = optimize.minimize(cost, start, method="Nelder-Mead", options={"fatol": 1e-6})
    assert -best.fun <= fit_purchases(sample, 7).log_likelihood + 1e-4


logs = st.floats(-2, 2)


@given(st.tuples(logs, logs, logs, logs))
@tries(100)
def test_the_slope_of_the_purchase_likelihood_is_its_slope(at: tuple[float, ...]) -> None:
    rows = [(0, 0.0, 10.0, 3), (1, 2.0, 12.5, 2), (7, 9.0, 9.5, 1), (40, 30.0, 39.0, 1)]
    _slope_agrees(lambda x: fit._purchase_likelihood(fit._model(x), rows), at)


@given(st.tuples(logs, logs, logs))
@tries(100)
def test_the_slope_of_the_spend_likelihood_is_its_slope(at: tuple[float, ...]) -> None:
    rows = [(1, 2.5, 3), (3, 40.0, 2), (20, 11.0, 1)]
    _slope_agrees(lambda x: fit._spend_likelihood(fit._spend(x), rows), at)


def _slope_agrees(function: fit.Likelihood, at: Sequence[float]) -> None:
    value, slope = function(at)
    for i, expected in enumerate(slope):
        up, down = list(at), list(at)
        up[i] += 1e-5
        down[i] -= 1e-5
        found = (function(up)[0] - function(down)[0]) / 2e-5
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-7 * abs(value) + 1e-6)


def test_the_likelihood_of_the_fit_is_that_of_the_model(sample: list[Purchases]) -> None:
    found = fit_purchases(sample, 7)
    total = sum(
        found.model.log_likelihood(
            p.repeats, p.active_days / 7, (p.active_days + p.silent_days) / 7
        )
        for p in sample
    )
    assert total == pytest.approx(found.log_likelihood, rel=1e-12)


def test_what_was_simulated_is_found_again() -> None:
    """4,000 customers drawn from a model: its parameters, roughly."""
    rng, true = random.Random(3), SpendModel(5.0, 4.0, 30.0)
    seen = []
    for _ in range(4_000):
        x, scale = rng.randint(1, 6), rng.gammavariate(true.q, 1 / true.gamma)
        total = sum(rng.gammavariate(true.p, 1 / scale) for _ in range(x))
        seen.append(Purchases(x, 10, 10, round(total * 100)))
    model = fit_spend(seen, 100).model
    assert (model.p, model.q, model.gamma) == pytest.approx((true.p, true.q, true.gamma), rel=0.1)


def test_too_small_a_history_is_said_in_one_line() -> None:
    few = [Purchases(1, 3, 4, 500)] * 9 + [Purchases(0, 0, 9, 0)] * 100
    with pytest.raises(
        FitError, match=r"^9 customers with a repeat purchase; allowed: at least 10"
    ):
        fit_purchases(few, 7)
    with pytest.raises(FitError, match=r"^9 customers with repeat purchases that brought money"):
        fit_spend(few, 100)


def test_a_history_in_which_all_customers_are_alike_determines_nothing() -> None:
    alike = [Purchases(5, 50, 10, 5_000)] * 50
    with pytest.raises(FitError, match="allowed: more customers, or a longer history"):
        fit_purchases(alike, 7)
    with pytest.raises(FitError, match="allowed: more customers, or a longer history"):
        fit_spend(alike, 100)


def test_the_search_finds_the_bottom_of_a_bent_valley() -> None:
    """Rosenbrock's function, from where he started."""

    def valley(at: Sequence[float]) -> tuple[float, Sequence[float]]:
        x, y = at
        bend = y - x * x
        return (1 - x) ** 2 + 100 * bend**2, [-2 * (1 - x) - 400 * x * bend, 200 * bend]

    steps: list[int] = []
    found = minimise(valley, [-1.2, 1.0], steps.append)
    assert found.found
    assert found.at == pytest.approx((1, 1), abs=1e-6)
    assert steps == list(range(1, found.steps + 1))


def test_a_function_without_a_bottom_is_not_said_to_have_one() -> None:
    found = minimise(lambda at: (-at[0], [-1.0]), [0.0])
    assert not found.found


@pytest.mark.parametrize("x", [1e-3, 0.2, 1.0, 1.4616, 2.5, 9.99, 10.0, 300.0, 1e6])
def test_digamma_is_the_slope_of_the_logarithm_of_gamma(x: float) -> None:
    special = pytest.importorskip("scipy.special")
    assert digamma(x) == pytest.approx(float(special.digamma(x)), rel=1e-12, abs=1e-13)


def test_digamma_obeys_its_recurrence_and_its_known_values() -> None:
    euler = 0.577_215_664_901_532_9
    assert digamma(0.5) == pytest.approx(-euler - 2 * math.log(2), rel=1e-13)
    for x in (0.1, 1.0, 7.3, 9.5, 12.0):
        assert digamma(x + 1) - digamma(x) == pytest.approx(1 / x, rel=1e-11)
