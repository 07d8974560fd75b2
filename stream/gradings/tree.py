"""A learned grading: the grade at the end of a customer's way through a decision tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy.gradings.tree import Leaf as LeafDocument
from schemas.policy.gradings.tree import Split as SplitDocument
from schemas.policy.gradings.tree import nodes
from stream.gradings.base import Grading, Reading, Scope, Step
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from schemas.policy.gradings.tree import Tree as TreeDocument
    from schemas.policy.gradings.tree import TreeGrading as Document
    from stream.customer import Grade, Value

    Node: TypeAlias = "Split | str"

LOW, HIGH = "low", "high"


class Split(NamedTuple):
    """A turn.

    Attributes:
        measure: Position of the measure that is looked at.
        threshold: The largest reading that goes low, in the measure's unit.
        missing: Where a missing reading goes.
        low: What comes next there: another turn, or the grade.
        high: The same.
    """

    measure: int
    threshold: int
    missing: str
    low: Node
    high: Node

    def goes(self, value: Value) -> str:
        """Return ``low`` or ``high``."""
        if value == MISSING:
            return self.missing
        return LOW if value <= self.threshold else HIGH  # type: ignore[operator]


@dataclass(slots=True)
class Tree(Grading):
    """Every reading ends at exactly one leaf, whose grade it earns."""

    root: Node = ""

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the grade at the end of the way."""
        del standing
        node, values = self.root, reading.values
        while not isinstance(node, str):
            node = node.low if node.goes(values[node.measure]) == LOW else node.high
        return node

    def path(self, reading: Reading) -> tuple[Step, ...]:
        """Return the turns of the way, from the root down."""

        def steps() -> Iterator[Step]:
            node = self.root
            while not isinstance(node, str):
                value = reading.values[node.measure]
                went = node.goes(value)
                yield Step(node.measure, value, node.threshold, went)
                node = node.low if went == LOW else node.high

        return tuple(steps())


def compile_tree(name: str, document: Document, scope: Scope) -> Tree:
    """Return the grading that *document* describes."""
    return grow(name, document.tree, scope.measures)


def grow(name: str, document: TreeDocument, measures: Mapping[str, int]) -> Tree:
    """Return the grading of a tree, with the position of each measure by *measures*."""

    def built(node: SplitDocument | LeafDocument) -> Node:
        if isinstance(node, LeafDocument):
            return node.grade
        low, high = built(node.low), built(node.high)
        return Split(measures[node.measure], node.at_most, node.missing, low, high)

    cuts: dict[int, set[int]] = {}
    for _, node in nodes(document):
        if isinstance(node, SplitDocument):
            levels = cuts.setdefault(measures[node.measure], set())
            levels.add(node.at_most + 1)
            if node.missing == HIGH:
                # What is missing reads as below everything, but does not go low here.
                levels.add(MISSING + 1)
    return Tree(
        name,
        document.grades,
        cuts={measure: tuple(sorted(levels)) for measure, levels in cuts.items()},
        root=built(document.root),
    )
