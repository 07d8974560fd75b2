"""Gamma-Gamma: against published figures."""

from __future__ import annotations

import pytest

from stream.cltv.gamma_gamma import SpendModel
from tests.unit.stream.cltv.published import EXPECTED_SPEND, SPEND, SPEND_LOG_LIKELIHOOD, table


def test_the_likelihood_of_the_published_table_is_the_published_one() -> None:
    total = sum(SPEND.log_likelihood(x, mean) for x, _, _, mean in table() if x)
    assert round(total, 2) == SPEND_LOG_LIKELIHOOD


def test_the_first_ten_customers_are_expected_to_spend_as_published() -> None:
    """With the parameters in full, as in the spreadsheet; means here are rounded to cents."""
    model = SpendModel(6.24957, 3.74422, 15.44352)
    found = tuple(model.expected(x, x * mean) for x, _, _, mean in table()[:10])
    assert found == pytest.approx(EXPECTED_SPEND, abs=0.01)


def test_more_purchases_pull_the_expectation_from_the_population_to_the_customer() -> None:
    seen = [SPEND.expected(x, x * 100.0) for x in range(40)]
    assert seen == sorted(seen)
    assert seen[0] == SPEND.mean
    assert 98 < seen[-1] < 100
