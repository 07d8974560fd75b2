"""Maximum likelihood: the parameters of both models that make a history most probable.

Parameters are found as logarithms, which keeps them above 0, from exact gradients.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stream.cltv.bgnbd import PurchaseModel
from stream.cltv.digamma import digamma
from stream.cltv.gamma_gamma import SpendModel
from stream.cltv.minimise import Minimum, minimise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stream.cltv.purchases import Purchases

    Likelihood = Callable[[Sequence[float]], tuple[float, Sequence[float]]]

_FEWEST: Final = 10
_LARGEST: Final = 1_000.0
_SMALLEST: Final = 1e-6


class FitError(Exception):
    """A history does not determine the parameters; the message is one line for people."""


@dataclass(frozen=True, slots=True)
class PurchaseFit:
    """How often customers buy.

    Attributes:
        model: The parameters, in the unit of time asked for.
        log_likelihood: Of the whole history.
        customers: In the history.
        repeating: Of them with a repeat purchase.
        steps: Taken by the search.
    """

    model: PurchaseModel
    log_likelihood: float
    customers: int
    repeating: int
    steps: int


@dataclass(frozen=True, slots=True)
class SpendFit:
    """What a purchase is worth.

    Attributes:
        model: The parameters, in major units.
        log_likelihood: Of the mean repeat spend of every customer who has one.
        customers: Those customers.
        steps: Taken by the search.
    """

    model: SpendModel
    log_likelihood: float
    customers: int
    steps: int


def fit_purchases(
    seen: Iterable[Purchases], unit_days: int, after_step: Callable[[int], None] | None = None
) -> PurchaseFit:
    """Return the BG/NBD parameters that fit *seen* best; times in units of *unit_days* days.

    Raises:
        FitError: Too few customers came back, or the history says nothing of a parameter.
    """
    counted = Counter((p.repeats, p.active_days, p.silent_days) for p in seen)
    customers = counted.total()
    repeating = sum(n for (x, _, _), n in counted.items() if x > 0)
    _enough(repeating, "customers with a repeat purchase")
    rows = [
        (x, active / unit_days, (active + silent) / unit_days, n)
        for (x, active, silent), n in sorted(counted.items())
    ]
    age = max(sum(row[2] * row[3] for row in rows) / customers, 1.0)

    def cost(logs: Sequence[float]) -> tuple[float, Sequence[float]]:
        found, slope = _purchase_likelihood(_model(logs), rows)
        return -found / customers, [-s / customers for s in slope]

    minimum = minimise(cost, [0.0, math.log(age), 0.0, 0.0], after_step)
    model = _model(minimum.at)
    _determined(minimum, {"r": model.r, "a": model.a, "b": model.b})
    return PurchaseFit(model, -minimum.value * customers, customers, repeating, minimum.steps)


def fit_spend(
    seen: Iterable[Purchases],
    minor_per_major: int,
    after_step: Callable[[int], None] | None = None,
) -> SpendFit:
    """Return the Gamma-Gamma parameters that fit the repeat purchases of *seen* best.

    Customers whose repeat purchases brought nothing are left out: the model has none.

    Raises:
        FitError: Too few customers came back, or the history says nothing of a parameter.
    """
    counted = Counter((p.repeats, p.repeat_minor) for p in seen if p.repeats and p.repeat_minor)
    customers = counted.total()
    _enough(customers, "customers with repeat purchases that brought money")
    rows = [(x, minor / minor_per_major / x, n) for (x, minor), n in sorted(counted.items())]
    mean = sum(m * n for _, m, n in rows) / customers

    def cost(logs: Sequence[float]) -> tuple[float, Sequence[float]]:
        found, slope = _spend_likelihood(_spend(logs), rows)
        return -found / customers, [-s / customers for s in slope]

    minimum = minimise(cost, [0.0, math.log(2.0), math.log(mean)], after_step)
    model = _spend(minimum.at)
    _determined(minimum, {"p": model.p, "q": model.q})
    if model.q <= 1:
        raise FitError(
            f"q is {model.q:.3f}: spend differs so much between customers that it has no mean; "
            "allowed: a history in which q is above 1"
        )
    return SpendFit(model, -minimum.value * customers, customers, minimum.steps)


def _model(logs: Sequence[float]) -> PurchaseModel:
    return PurchaseModel(*map(_exp, logs))


def _spend(logs: Sequence[float]) -> SpendModel:
    return SpendModel(*map(_exp, logs))


def _exp(log: float) -> float:
    return math.exp(min(max(log, -30.0), 30.0))


def _enough(customers: int, who: str) -> None:
    if customers < _FEWEST:
        raise FitError(f"{customers} {who}; allowed: at least {_FEWEST}, better some hundred")


def _determined(minimum: Minimum, shapes: dict[str, float]) -> None:
    for name, shape in shapes.items():
        if not _SMALLEST < shape < _LARGEST:
            raise FitError(
                f"{name} runs off to {shape:.3g}: the history says nothing of it; "
                "allowed: more customers, or a longer history"
            )
    if not minimum.found:
        raise FitError(
            f"no best parameters were found in {minimum.steps} steps; "
            "allowed: more customers, or a longer history"
        )


def _purchase_likelihood(
    model: PurchaseModel, rows: Sequence[tuple[int, float, float, int]]
) -> tuple[float, list[float]]:
    """Return the log-likelihood of *rows* (x, t_x, T, customers), and its slope.

    The slope is by the logarithms of r, alpha, a and b. See `PurchaseModel.log_likelihood`.
    """
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    log_alpha = math.log(alpha)
    by_count: dict[int, tuple[float, float, float, float, float]] = {}
    total = by_r = by_alpha = by_a = by_b = 0.0
    for x, t_x, age, customers in rows:
        known = by_count.get(x)
        if known is None:
            known = by_count[x] = _of_count(model, x)
        found, r_slope, a_slope, b_slope, drop = known
        power, log_age = r + x, math.log(alpha + age)
        found += r * log_alpha - power * log_age
        alpha_slope = r / alpha - power / (alpha + age)
        r_slope += log_alpha - log_age
        if x:
            aged = log_age - math.log(alpha + t_x)
            odds = power * aged + drop
            gone = 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))
            found += max(odds, 0.0) + math.log1p(math.exp(-abs(odds)))
            r_slope += gone * aged
            alpha_slope += gone * power * (1 / (alpha + age) - 1 / (alpha + t_x))
            a_slope += gone / a
            b_slope -= gone / (b + x - 1)
        total += customers * found
        by_r += customers * r_slope
        by_alpha += customers * alpha_slope
        by_a += customers * a_slope
        by_b += customers * b_slope
    return total, [by_r * r, by_alpha * alpha, by_a * a, by_b * b]


def _of_count(model: PurchaseModel, x: int) -> tuple[float, float, float, float, float]:
    """Return what depends on *x* only: likelihood, its slopes by r, a and b, odds of leaving."""
    r, a, b = model.r, model.a, model.b
    found = math.lgamma(r + x) - math.lgamma(r)
    found += math.lgamma(b + x) - math.lgamma(b) + math.lgamma(a + b) - math.lgamma(a + b + x)
    both = digamma(a + b) - digamma(a + b + x)
    return (
        found,
        digamma(r + x) - digamma(r),
        both,
        both + digamma(b + x) - digamma(b),
        math.log(a / (b + x - 1)) if x else 0.0,
    )


def _spend_likelihood(
    model: SpendModel, rows: Sequence[tuple[int, float, int]]
) -> tuple[float, list[float]]:
    """Return the log-likelihood of *rows* (x, mean spend, customers), and its slope.

    The slope is by the logarithms of p, q and gamma.
    """
    p, q, gamma = model.p, model.q, model.gamma
    shapes: dict[int, tuple[float, float]] = {}
    total = by_p = by_q = by_gamma = 0.0
    q_digamma, log_gamma = digamma(q), math.log(gamma)
    for x, mean, customers in rows:
        known = shapes.get(x)
        if known is None:
            known = shapes[x] = digamma(p * x), digamma(p * x + q)
        low, high = known
        log_all = math.log(gamma + x * mean)
        total += customers * model.log_likelihood(x, mean)
        by_p += customers * x * (high - low + math.log(x * mean) - log_all)
        by_q += customers * (high - q_digamma + log_gamma - log_all)
        by_gamma += customers * (q / gamma - (p * x + q) / (gamma + x * mean))
    return total, [by_p * p, by_q * q, by_gamma * gamma]
