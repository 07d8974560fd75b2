"""Tags: rules that add and remove a mark, which may outlive its rule for some days (seed 003)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.policy.gradings.tag import TAG_GRADES
from stream.calendar import DAY_MS
from stream.gradings.base import Grading, Reading, Scope
from stream.gradings.conditions import Rules
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from schemas.policy.gradings.tag import TagGrading as Document
    from stream.customer import Grade
    from stream.gradings.conditions import Test

PRESENT, ABSENT = TAG_GRADES


@dataclass(slots=True)
class Tag(Grading):
    """Present while `adds` holds and `keep_ms` longer; absent at once when `removes` holds."""

    adds: Test | None = None
    removes: Test | None = None
    keep_ms: int = 0

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return ``present`` or ``absent``."""
        if self.removes is not None and self.removes(reading):
            return ABSENT
        return PRESENT if reading.now_ms < self.kept_until_ms(reading, standing) else ABSENT

    def kept_until_ms(self, reading: Reading, standing: Grade) -> int:
        """Return `NEVER` while the rule holds, else the instant at which the tag runs out.

        The clock starts when the rule stops holding. Looking again in between does not
        restart it, so the outcome does not depend on how often anyone looks.
        """
        if self.removes is not None and self.removes(reading):
            return 0
        if self.adds is not None and self.adds(reading):
            return NEVER
        if standing.kept_until_ms == NEVER:
            return reading.now_ms + self.keep_ms
        return standing.kept_until_ms

    def decided_by(self, reading: Reading) -> str | None:
        """Return the key of the rule that holds; None where neither does."""
        if self.removes is not None and self.removes(reading):
            return "remove_when"
        return "add_when" if self.adds is not None and self.adds(reading) else None

    def due_ms(self, standing: Grade) -> int:
        """Return when a tag whose rule no longer holds runs out."""
        return standing.kept_until_ms if standing.tier == PRESENT else NEVER


def compile_tag(name: str, document: Document, scope: Scope) -> Tag:
    """Return the grading that *document* describes."""
    rules = Rules(scope)
    adds = rules.compile(document.add_when)
    removes = None if document.remove_when is None else rules.compile(document.remove_when)
    return Tag(
        name,
        TAG_GRADES,
        cuts=rules.table(),
        depends=tuple(sorted(rules.depends)),
        words=rules.words,
        initial=ABSENT,
        expires=True,
        adds=adds,
        removes=removes,
        keep_ms=document.keep_days * DAY_MS,
    )
