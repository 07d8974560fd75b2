"""Gamma-Gamma: what a customer's purchases are worth on average. Pure Python, closed form.

What a customer spends varies at random about a mean of their own (shape p), and means vary
over customers (q, gamma), independently of how often they buy.

Fader and Hardie, The Gamma-Gamma Model of Monetary Value (2013),
http://www.brucehardie.com/notes/025/: likelihood (1a), conditional expectation (5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpendModel:
    """Parameters, all above 0, and q above 1 (else the population has no mean).

    Attributes:
        p: Shape of one customer's spend.
        q: Shape of the distribution over customers.
        gamma: Its scale, in money; major units of the currency it was fitted in.
    """

    p: float
    q: float
    gamma: float

    @property
    def mean(self) -> float:
        """Mean spend of a purchase over the population: of someone who never bought again.

        >>> round(SpendModel(6.25, 3.74, 15.44).mean, 2)
        35.22
        """
        return self.p * self.gamma / (self.q - 1)

    def expected(self, x: int, total: float) -> float:
        """Return the expected spend of a purchase after *x* repeat purchases of *total* in all.

        Between what was seen and the mean of the population; the more was seen, the nearer.
        """
        return self.p * (self.gamma + total) / (self.p * x + self.q - 1)

    def log_likelihood(self, x: int, mean: float) -> float:
        """Return the log-likelihood of *x* > 0 repeat purchases of *mean* > 0 each."""
        p, q, gamma = self.p, self.q, self.gamma
        shape = p * x
        found = math.lgamma(shape + q) - math.lgamma(shape) - math.lgamma(q) + q * math.log(gamma)
        found += (shape - 1) * math.log(mean) + shape * math.log(x)
        return found - (shape + q) * math.log(gamma + x * mean)
