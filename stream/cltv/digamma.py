"""The derivative of the logarithm of the gamma function."""

from __future__ import annotations

import math

_ASYMPTOTIC_FROM = 10.0


def digamma(x: float) -> float:
    """Return psi(x) for x > 0, to about 1e-14 (absolute near the root, else relative).

    Moves up by ``psi(x) = psi(x+1) - 1/x`` until the asymptotic series holds (Abramowitz and
    Stegun 6.3.5 and 6.3.18).

    >>> round(digamma(1.0), 12)  # minus Euler's constant
    -0.577215664902
    """
    below = 0.0
    while x < _ASYMPTOTIC_FROM:
        below += 1 / x
        x += 1
    w = 1 / (x * x)
    tail = w * (
        1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - w * (1 / 132 - w * 691 / 32760))))
    )
    return math.log(x) - 0.5 / x - tail - below
