"""Caps and vetoes over another grading: credit and risk hold down what volume earned.

Source: the risk and credit side of seeds 001 and 002. Who ranks first, 10M paid half a year
late or 8M on time, is for the policy to say; the rule that decided has a name, so it can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy.gradings.cap import Veto
from stream.gradings.base import Grading, Reading, Scope
from stream.gradings.conditions import Rules

if TYPE_CHECKING:
    from schemas.policy.gradings.cap import Cap as Document
    from stream.customer import Grade
    from stream.gradings.conditions import Test


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: As the policy names it.
        test: Whether it holds.
        limit: Position, from the best, of the best tier that it allows.
        final: Whether the rules after it are left out while it holds.
    """

    name: str
    test: Test
    limit: int
    final: bool


@dataclass(slots=True)
class Cap(Grading):
    """The tier of the grading at position `of`, held down by `rules` in their order."""

    of: int = 0
    rules: tuple[Rule, ...] = ()

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier that is left; None while the other grading gives none."""
        del standing
        return self._judged(reading)[0]

    def decided_by(self, reading: Reading) -> str | None:
        """Return the rule that lowered the tier to what it is; None where none did."""
        return self._judged(reading)[1]

    def _judged(self, reading: Reading) -> tuple[str | None, str | None]:
        earned = reading.tiers[self.of]
        if earned is None:
            return None, None
        position, decided = self.tiers.index(earned), None
        for rule in self.rules:
            if rule.test(reading):
                if rule.limit > position:
                    position, decided = rule.limit, rule.name
                if rule.final:
                    break
        return self.tiers[position], decided


def compile_cap(name: str, document: Document, scope: Scope) -> Cap:
    """Return the grading that *document* describes."""
    tests = Rules(scope)
    grades = scope.grades(document.of)
    rules = tuple(
        Rule(
            rule.rule,
            tests.compile(rule.when),
            grades.index(rule.tier[1]),
            isinstance(rule, Veto),
        )
        for rule in document.rules
    )
    of = scope.gradings[document.of]
    return Cap(
        name,
        grades,
        cuts=tests.table(),
        depends=tuple(sorted({of, *tests.depends})),
        words=tests.words,
        of=of,
        rules=rules,
    )
