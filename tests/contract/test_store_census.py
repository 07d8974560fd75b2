"""A census from a store: what its bins and readings tell is what everybody reads."""

from __future__ import annotations

import random
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from schemas.policy.relative import RelativeCut
from stream.population.cuts import mean_cut, pareto_cuts, quantile_cuts
from stream.population.follow import levels_of
from stream.population.ordered import Ordered
from stream.store import BucketCommit
from tests.contract.backends import must

if TYPE_CHECKING:
    from stream.store import Store

BUCKETS = range(4)
SHARES = (Fraction(4, 5), Fraction(19, 20))


@pytest.mark.parametrize("seed", range(3))
def test_cuts_are_those_of_the_whole_population(store: Store, seed: int) -> None:
    """Over several buckets, with ties, losses and customers who come, move and leave."""
    chance = random.Random(seed)
    known: dict[str, int] = {}
    for version in range(4):
        told: dict[int, dict[str, int | None]] = defaultdict(dict)
        for number in chance.sample(range(400), 200):
            amount = int(chance.lognormvariate(6, 3)) * chance.choice([1, 1, 1, 100, 0, -1])
            reading = None if chance.random() < 0.2 else amount
            told[number % len(BUCKETS)][f"c{number}"] = reading
            if reading is None:
                known.pop(f"c{number}", None)
            else:
                known[f"c{number}"] = reading
        for bucket in BUCKETS:
            must(store, BucketCommit(bucket, version, ranks={"spent": told[bucket]}))
        order = Ordered.stored(store, BUCKETS, "spent")
        readings = list(known.values())
        quintiles = levels_of(RelativeCut("m", "spent", "quantiles", 4), order)
        assert quintiles == quantile_cuts(readings, 5)
        assert levels_of(RelativeCut("m", "spent", "mean"), order) == (mean_cut(readings),)
        abc = levels_of(RelativeCut("m", "spent", "shares", 2, SHARES), order)
        assert abc == tuple(reversed(pareto_cuts(readings, SHARES)))
        exact = np.ceil(np.quantile(np.array(readings), [0.2, 0.4, 0.6, 0.8]) - 1e-3)
        assert quintiles == tuple(map(int, exact))
