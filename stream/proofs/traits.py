"""What is true of a measure by what it counts: where its readings lie, and which events it sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from schemas.policy import measures as documents
from stream.customer import ORDERS
from stream.measures import BASIS_POINTS
from stream.proofs.cells import HIGHEST, LOWEST, Domain

if TYPE_CHECKING:
    from schemas.policy.measures import Measure as Document
    from stream.measures import Measure

FOREVER = 1 << 40
"""Age in days that nothing reaches: the far end of a lifetime."""

_TOP_SCORE = 100
_SHARES = {
    ("revenue", "gross"),
    ("refunded", "gross"),
    ("contribution", "revenue"),
    ("contribution", "gross"),
}

Role = Literal[
    "amount",
    "contribution",
    "average",
    "ratio",
    "max",
    "last",
    "first",
    "since_last",
    "since_first",
    "growth",
    "other",
]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a measure counts, as far as the proofs know it.

    Attributes:
        role: How it reads its events; ``amount`` is a count or a sum that is never negative,
            ``other`` a kind of measure of which nothing more is known.
        source: Kind of event that it reads.
        field: Which amount of an order: ``count``, ``revenue``, ``gross``, ...
        per: For a ratio, the amount it is divided by.
        near: Age in days at which an event enters its window.
        far: Age in days at which it leaves; `FOREVER` for a lifetime.
        domain: Where its readings lie.
    """

    role: Role
    source: str
    domain: Domain
    field: str = ""
    per: str = ""
    near: int = 0
    far: int = FOREVER

    def within(self, other: Traits) -> bool:
        """Say whether the window of *other* sees every event that this one does."""
        return other.source == self.source and other.near <= self.near and self.far <= other.far

    def same_window(self, other: Traits) -> bool:
        """Say whether both look at the same events."""
        return (self.source, self.near, self.far) == (other.source, other.near, other.far)


def traits_of(document: Document, measure: Measure) -> Traits:
    """Return what is known of a measure; *measure* is what *document* compiles to."""
    if isinstance(document, documents.Windowed):
        return _windowed(document) or _unheard_of(measure)
    if isinstance(document, documents.DaysSinceMeasure):
        return _since(document.days_since)
    if isinstance(document, documents.Fact):
        return _fact(document, measure)
    if isinstance(document, documents.GrowthMeasure):
        least = LOWEST if document.growth == "contribution" else -BASIS_POINTS
        return Traits("growth", ORDERS, Domain(least), document.growth, far=document.window)
    return _unheard_of(measure)


def _fact(document: documents.Fact, measure: Measure) -> Traits:
    if isinstance(document, documents.FirstMeasure):
        return Traits("first", ORDERS, Domain(0), "gross")
    if isinstance(document, documents.LastMeasure):
        return _single("last", document.last)
    return Traits("other", measure.source, Domain(0, _TOP_SCORE))


def _since(what: str) -> Traits:
    if what == "first_order":
        return Traits("since_first", ORDERS, Domain(0))
    return Traits("since_last", ORDERS if what == "last_order" else what, Domain(0))


def _windowed(document: documents.Windowed) -> Traits | None:
    near, far = 0, FOREVER
    if document.window is not None:
        near = document.before or 0
        far = near + document.window
    traits: Traits | None = None
    if isinstance(document, documents.CountMeasure):
        traits = Traits("amount", document.count, Domain(0, unknown=False), "count")
    elif isinstance(document, documents.SumMeasure):
        free = document.sum == "contribution"
        domain = Domain(LOWEST if free else 0, unknown=False)
        traits = Traits("contribution" if free else "amount", ORDERS, domain, document.sum)
    elif isinstance(document, documents.AverageMeasure):
        least = LOWEST if document.average == "contribution" else 0
        traits = Traits("average", ORDERS, Domain(least), document.average)
    elif isinstance(document, documents.RatioMeasure):
        traits = _ratio(document.ratio.of, document.ratio.to)
    elif isinstance(document, documents.MaxMeasure):
        traits = _single("max", document.max)
    return None if traits is None else replace(traits, near=near, far=far)


def _ratio(of: str, to: str) -> Traits:
    least = LOWEST if of == "contribution" != to else 0
    most = BASIS_POINTS if (of, to) in _SHARES or of == to else HIGHEST
    return Traits("ratio", ORDERS, Domain(least, most), of, to)


def _single(role: Role, what: str) -> Traits:
    """Return the traits of a measure that shows one of the values seen."""
    source = ORDERS if what == "gross" else what
    most = _TOP_SCORE if what == "survey" else HIGHEST
    return Traits(role, source, Domain(0, most), what)


def _unheard_of(measure: Measure) -> Traits:
    """Return what the unit alone says. Wide enough to be true of anything."""
    if measure.unit == "text":
        return Traits("other", measure.source, Domain(texts=()))
    least = 0 if measure.unit in {"count", "days"} else LOWEST
    return Traits("other", measure.source, Domain(least))
