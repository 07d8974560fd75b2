"""What every grading offers to the fold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec import Struct

from stream.customer import Value
from stream.gradings.ladder import NO_LADDER, Ladder
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from stream.customer import Grade


@dataclass(frozen=True, slots=True)
class Scope:
    """Resolves the names in a policy to positions, and its levels to integers.

    Attributes:
        measures: Position of each measure.
        gradings: Position of each grading, in evaluation order.
        grades: Gives the grades of a grading, best first.
        level: Turns a level of a measure into an integer of the measure's unit.
        listed: Turns a value that a condition lists into what the measure reads.
        cuts: Levels that the population sets, ascending, by name: ``grading.axis``. One
            that is not there is not known yet.
    """

    measures: Mapping[str, int]
    gradings: Mapping[str, int]
    grades: Callable[[str], tuple[str, ...]]
    level: Callable[[str, Decimal], int]
    listed: Callable[[str, str | int], Value]
    cuts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class Reading(Struct, frozen=True, gc=False):
    """The measures and the tiers found so far of one customer at one instant.

    Attributes:
        now_ms: The instant.
        values: By position of the measure.
        tiers: By position of the grading; those later in the order are the old ones.
    """

    now_ms: int
    values: Sequence[Value]
    tiers: list[str | None]


class Part(Struct, frozen=True, gc=False):
    """One addend of a score.

    Attributes:
        indicator: Name in the policy.
        measure: Position of the measure that earned the points; None where a condition did.
        value: Its reading; of a condition 1 while it holds, else 0.
        points: Points on the indicator's scale of 100, exact.
        weight: Share of the indicator in the score.
        table: Which of several tables of the indicator was used; None for the usual one.
    """

    indicator: str
    measure: int | None
    value: Value
    points: Fraction
    weight: Fraction
    table: str | None = None

    @property
    def contribution(self) -> Fraction:
        """What this part adds to the score."""
        return self.points * self.weight


class Score(Struct, frozen=True, gc=False):
    """A score and the parts it is made of: parts and rounding add up to it exactly."""

    value: Fraction
    parts: tuple[Part, ...]
    rounding: Fraction


class Step(Struct, frozen=True, gc=False):
    """One turn on the way through a decision tree.

    Attributes:
        measure: Position of the measure that was looked at.
        value: Its reading.
        threshold: The largest reading that goes ``low``.
        went: ``low`` or ``high``.
    """

    measure: int
    value: Value
    threshold: int
    went: str


class Level(Struct, frozen=True, gc=False):
    """What a ladder of tiers is compared with.

    Attributes:
        value: In the unit of the measure, or in points times ``10 ** places``.
        measure: Position of the measure; None for points.
        places: Decimal places of points; 0 for a measure.
    """

    value: int
    measure: int | None = None
    places: int = 0


@dataclass(slots=True)
class Grading(ABC):
    """One grading of a policy.

    Attributes:
        name: As the policy names it.
        tiers: Every tier it can give, best first.
        cuts: Ascending readings per measure at which its outcome may change: readings
            between two neighbouring cuts are treated alike.
        continuous: Measures of which every change may matter.
        depends: Positions of the gradings it looks at.
        initial: Where everyone stands before the first change; None: not yet graded.
        expires: Whether a standing may run out by itself (see `due_ms`).
        words: Texts per measure that it asks for; a text measure has no cuts but these.
        ladder: The tiers with their levels, for gradings that compare one level with them.
        varies: Whether fewer of `cuts` matter to a customer, by what a measure of text reads of
            it (see `cuts_for`).
    """

    name: str
    tiers: tuple[str, ...]
    cuts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    continuous: frozenset[int] = frozenset()
    depends: tuple[int, ...] = ()
    initial: str | None = None
    expires: bool = False
    words: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ladder: Ladder = NO_LADDER
    varies: bool = False

    @abstractmethod
    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier earned, None for "not yet graded". Pure; *standing* is the old one."""

    def score(self, reading: Reading) -> Score | None:
        """Return the score behind the tier, for gradings that have one."""
        del reading
        return None

    def decided_by(self, reading: Reading) -> str | None:
        """Return the rule that decided the tier of *reading*, where rules have names.

        None where none of them did, or the tier is not a matter of rules.
        """
        del reading
        return None

    def level(self, reading: Reading) -> Level | None:
        """Return what `ladder` is compared with; None without a ladder or a reading."""
        del reading
        return None

    def path(self, reading: Reading) -> tuple[Step, ...]:
        """Return the turns that led to the tier, for gradings that are trees."""
        del reading
        return ()

    def cuts_for(self, values: Sequence[Value]) -> Mapping[int, tuple[int, ...]]:
        """Return those of `cuts` that matter to a customer with these readings."""
        del values
        return self.cuts

    def segment(self, values: Sequence[Value]) -> str | None:
        """Return which segment of the population *values* are compared with; None: everybody."""
        del values
        return None

    def kept_until_ms(self, reading: Reading, standing: Grade) -> int:
        """Return until when the tier outlives what earned it (see `stream.gradings.tag`)."""
        del reading
        return standing.kept_until_ms

    def due_ms(self, standing: Grade) -> int:
        """Return the instant at which the standing itself runs out, if it does."""
        del standing
        return NEVER

    def rank(self, tier: str) -> int | None:
        """Return how good *tier* is (higher is better); None where tiers have no order."""
        return -self.tiers.index(tier)

    def boundary(
        self, measure: int, before: int, after: int, values: Sequence[Value]
    ) -> int | None:
        """Return the cut that *measure* crossed last on its way, or None if it crossed none.

        *values* are all readings of now: they say which cuts matter.
        """
        cuts = self.cuts_for(values).get(measure, ())
        low, high = bisect_right(cuts, before), bisect_right(cuts, after)
        if low == high:
            return None
        return cuts[high - 1] if high > low else cuts[high]


def merged(*cuts: Mapping[int, Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """Return the union of several tables of cuts, ascending.

    >>> merged({0: [5, 1]}, {0: [3, 5], 2: [7]})
    {0: (1, 3, 5), 2: (7,)}
    """
    union: dict[int, set[int]] = {}
    for table in cuts:
        for measure, levels in table.items():
            union.setdefault(measure, set()).update(levels)
    return {measure: tuple(sorted(levels)) for measure, levels in union.items()}
