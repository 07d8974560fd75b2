"""A decision tree that was learned offline, written out: no code, no model library needed.

A policy names the tree's file (``file: tree.json``, relative to the policy), which is read when
the policy is; a policy that travels as data holds the tree itself (``tree: {...}``).
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, Tag

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import TAG_MARK, Items, Part, by_key
from schemas.policy.quantities import Currency, Name

MAX_DEPTH = 32
MAX_NODES = 4_095
_LARGEST = 10**18

Grade = Annotated[str, Field(min_length=1, max_length=64)]
Threshold = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
Count = Annotated[int, Field(ge=0)]
Side = Literal["low", "high"]


class Leaf(Part):
    """Where a way through the tree ends.

    Attributes:
        grade: What is given there.
        counts: How many training customers of each grade came here.
    """

    grade: Grade = Field(description="a grade")
    counts: dict[Grade, Count] = Field(default_factory=dict)


class Split(Part):
    """A turn: low for readings up to `at_most`, high above it.

    Attributes:
        at_most: A whole number in the measure's own unit: money in minor units.
        missing: Where a customer goes for whom the measure is unknown.
    """

    measure: Name = Field(description="the name of a measure")
    at_most: Threshold = Field(description="a whole number in the unit of the measure")
    missing: Side = Field(description="low or high")
    low: "Node" = Field(description="a leaf or another split")
    high: "Node" = Field(description="a leaf or another split")


Node = Annotated[
    Annotated[Split, Tag(TAG_MARK + "measure")] | Annotated[Leaf, Tag(TAG_MARK + "grade")],
    by_key(
        ("measure", "grade"),
        "a leaf with grade, or a split with measure, at_most, missing, low and high",
    ),
]

Split.model_rebuild()


class Tree(Part):
    """A decision tree and what it was trained on.

    Attributes:
        grades: Every grade it may give, best first.
        measures: The measures it looks at, with the unit in which it was trained.
        currency: In which it was trained; needed where it looks at money.
    """

    grades: Items[Grade] = Field(description="a list of grades, best first")
    measures: dict[Name, Literal["money", "count", "days", "bp", "number"]] = Field(
        description="a mapping of measures to their units"
    )
    currency: Currency | None = None
    root: Node = Field(description="a leaf or a split")


class TreeGrading(GradingPart):
    """The grade at the end of a customer's way through a tree."""

    type: Literal["tree"]
    tree: Tree = Field(description="a tree, or file: and the name of a JSON file with one")
    grade_labels: dict[Grade, Label] = Field(default_factory=dict)

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return self.tree.grades

    @property
    def ordered(self) -> bool:
        """Whether its grades go from best to worst."""
        return True

    def labels(self) -> dict[str, Label]:
        """Return the labels of the grades that have one."""
        return dict(self.grade_labels)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what does not fit the policy, or is not true of the tree itself."""
        tree, place = self.tree, (*at, "tree")
        for position, grade in enumerate(tree.grades):
            if grade in tree.grades[:position]:
                yield Mistake((*place, "grades", position), shown(grade), "a name not used above")
        for grade in self.grade_labels:
            yield from _grade((*at, "grade_labels", grade), grade, tree, at_key=True)
        for measure, unit in tree.measures.items():
            yield from fit.numeric((*place, "measures", measure), measure, (unit,), at_key=True)
        currency = fit.names.currency
        if "money" in tree.measures.values() and tree.currency != currency:
            allowed = f"{currency}, the currency of the policy: the tree compares amounts in it"
            told = None if tree.currency is None else shown(tree.currency)
            yield Mistake((*place, "currency"), told, allowed)
        yield from _node_mistakes(place, tree)


def nodes(tree: Tree) -> Iterator[tuple[Location, Split | Leaf]]:
    """Yield every node with its place inside the tree, from the root down."""
    waiting: list[tuple[Location, Split | Leaf]] = [(("root",), tree.root)]
    while waiting:
        place, node = waiting.pop()
        yield place, node
        if isinstance(node, Split):
            waiting += [((*place, "high"), node.high), ((*place, "low"), node.low)]


def _node_mistakes(at: Location, tree: Tree) -> Iterator[Mistake]:
    count = 0
    for place, node in nodes(tree):
        count += 1
        if isinstance(node, Split):
            if len(place) > MAX_DEPTH:
                allowed = f"at most {MAX_DEPTH} splits one after the other"
                yield Mistake((*at, *place), "a split this deep", allowed)
                return
            if node.measure not in tree.measures:
                allowed = one_of("a measure listed in the tree", node.measure, tree.measures)
                yield Mistake((*at, *place, "measure"), shown(node.measure), allowed)
        else:
            yield from _grade((*at, *place, "grade"), node.grade, tree)
            for grade in node.counts:
                yield from _grade((*at, *place, "counts", grade), grade, tree, at_key=True)
    if count > MAX_NODES:
        yield Mistake((*at, "root"), f"a tree of {count} nodes", f"at most {MAX_NODES} nodes")


def _grade(at: Location, grade: str, tree: Tree, *, at_key: bool = False) -> Iterator[Mistake]:
    if grade not in tree.grades:
        allowed = one_of("a grade listed in the tree", grade, tree.grades)
        yield Mistake(at, shown(grade), allowed, at_key)
