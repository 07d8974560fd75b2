"""From a tree as scikit-learn keeps it to the tree of a policy: the same decisions, exactly.

Needs no scikit-learn. It compares readings as 32-bit floats with a 64-bit threshold; a policy
compares whole numbers. For every threshold there is one whole number up to which the first
comparison holds, since rounding to 32 bits never swaps two readings.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy.gradings.tree import Leaf, Split, Tree
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.measures import Measure

EXACT = 1 << 53
"""Readings up to this size are the same number as a 64-bit float."""
_EVERY = 10**18


class LearnedTree(NamedTuple):
    """A fitted tree, node by node; node 0 is the root, children stand after their parent.

    Attributes:
        low: Node for readings up to the threshold; -1 where the node is a leaf.
        high: Node for the others; -1 where the node is a leaf.
        feature: Position, among the features, of the one that is looked at.
        threshold: What it is compared with; infinite where only missing readings go high.
        missing_low: Whether missing readings go low.
        grade: Position, among the grades, of the one that a leaf gives.
    """

    low: Sequence[int]
    high: Sequence[int]
    feature: Sequence[int]
    threshold: Sequence[float]
    missing_low: Sequence[bool]
    grade: Sequence[int]


def whole_cut(threshold: float) -> int:
    """Return the largest whole number whose 32-bit float is at most *threshold*.

    Up to 2**24 that is the threshold rounded down; beyond, 32-bit floats have gaps. Exact for
    readings up to 2**53.

    >>> whole_cut(2.5), whole_cut(-2.5), whole_cut(16_777_217.0), whole_cut(math.inf) == _EVERY
    (2, -3, 16777217, True)
    """
    if math.isinf(threshold):
        return _EVERY if threshold > 0 else -_EVERY
    low, high = -EXACT, EXACT
    if _float32(low) > threshold:
        return -_EVERY
    while low < high:
        middle = (low + high + 1) // 2
        if _float32(middle) <= threshold:
            low = middle
        else:
            high = middle - 1
    return low


def _float32(number: int) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def export_tree(
    learned: LearnedTree,
    features: Sequence[Measure],
    grades: Sequence[str],
    currency: str,
    rows: Sequence[Sequence[int]],
    truth: Sequence[int],
) -> Tree:
    """Return the tree of a policy that decides as *learned* does.

    Args:
        learned: The fitted tree.
        features: The measures it was fitted on, in order.
        grades: Best first.
        currency: Of the measures of money.
        rows: Readings of the features, one row for each training customer; they are counted
            at the leaves that they come to.
        truth: Position of the grade of each row.
    """

    def built(node: int, here: list[int]) -> Split | Leaf:
        if learned.low[node] < 0:
            counts = [sum(truth[row] == i for row in here) for i in range(len(grades))]
            return Leaf(
                grade=grades[learned.grade[node]],
                counts={g: n for g, n in zip(grades, counts, strict=True) if n},
            )
        feature, cut = learned.feature[node], whole_cut(learned.threshold[node])
        sides: dict[bool, list[int]] = {True: [], False: []}
        for row in here:
            value = rows[row][feature]
            goes_low = learned.missing_low[node] if value == MISSING else value <= cut
            sides[goes_low].append(row)
        return Split(
            measure=features[feature].name,
            at_most=cut,
            missing="low" if learned.missing_low[node] else "high",
            low=built(learned.low[node], sides[True]),
            high=built(learned.high[node], sides[False]),
        )

    root = built(0, list(range(len(rows))))
    units = {feature.name: feature.unit for feature in features}
    money = currency if "money" in units.values() else None
    return Tree.model_validate(
        {"grades": grades, "measures": units, "currency": money, "root": root}
    )
