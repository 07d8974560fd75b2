"""The mean of a function of a beta distributed number, by quadrature."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WIDEST_STEP = 1 / 16
_NEGLIGIBLE = -45.0
_FURTHEST = 10.0
_LEAST = 1e-300  # of p, which may be less than a float can say where a is near 0


def beta_mean(f: Callable[[float], float], a: float, b: float) -> float:
    """Return the mean of f(p) where p is beta distributed with parameters *a* and *b*.

    Takahasi and Mori's double exponential rule, here ``p = 1 / (1 + exp(-pi sinh(u)))``: the
    trapezoid rule in u converges exponentially whatever the density does at 0 and 1. The step
    is narrow enough for the peak of the density. For smooth, positive *f* that vary no faster
    than a power of p, the relative error is below 1e-11; for a and b up to about 20 that
    takes some hundred evaluations, for steeper ones up to some thousand.

    >>> round(beta_mean(lambda p: p, 2.0, 6.0), 12)
    0.25
    """
    log_norm = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    step = min(_WIDEST_STEP, 0.1 / math.sqrt(max(min(a, b), 1.0)))
    peak = round(math.asinh(math.log(a / b) / math.pi) / step)
    total = 0.0
    for start, direction in ((peak, 1), (peak - 1, -1)):
        number = start
        while abs(u := number * step) < _FURTHEST:
            number += direction
            logit = math.pi * math.sinh(u)
            log_p = min(logit, 0.0) - math.log1p(math.exp(-abs(logit)))
            log_weight = a * log_p + b * (log_p - logit) - log_norm
            if log_weight < _NEGLIGIBLE:
                break
            p = max(math.exp(log_p), _LEAST)
            total += math.exp(log_weight) * math.cosh(u) * f(p)
    return total * math.pi * step
