"""Mistakes seeded into the starter policy: each is found, in one line that can be acted on.

The table in mistakes.txt has a block for each: ``#`` what it is, ``-`` and ``+`` the edits, ``@`` a
piece of the line at which it must be found, ``=`` what is said there ("…" for an example's
figures; a number in front for a line so many lines further down).
"""

from __future__ import annotations

import re

import pytest

from schemas.policy.load import parse_with_source
from stream.proofs.report import prove
from tests.unit.stream.proofs.seeded import NAME, STARTER, Seed, lines_of, seeds

SEEDS = seeds()


def pattern(seed: Seed, said: str) -> re.Pattern[str]:
    moved = re.fullmatch(r"([+-]\d+) (.*)", said)
    line = seed.line + (int(moved[1]) if moved else 0)
    text = moved[2] if moved else said
    parts = f"{NAME}:{line}: {text}".split("…")
    return re.compile(".*".join(map(re.escape, parts)))


@pytest.mark.parametrize("seed", SEEDS, ids=[seed.what for seed in SEEDS])
def test_a_mistake_is_found_at_its_line(seed: Seed) -> None:
    """Everything expected is said, and no other error or warning beside it."""
    wanted = [pattern(seed, said) for said in seed.said]
    assert wanted
    lines = lines_of(seed.text)
    for one in wanted:
        assert any(one.fullmatch(line) for line in lines), (one.pattern, lines)
    serious = [line for line in lines if ": note: " not in line]
    others = [line for line in serious if not any(one.fullmatch(line) for one in wanted)]
    assert others == []


def test_there_are_enough_seeds_of_both_sorts() -> None:
    """At least 25 in all; some cannot be read as a policy, some can and are proved wrong."""
    assert len(SEEDS) >= 35
    assert sum(any("warning: " in said for said in seed.said) for seed in SEEDS) >= 15
    assert sum(any("; allowed: " in said for said in seed.said) for seed in SEEDS) >= 15


def test_the_policy_they_are_seeded_into_is_sound() -> None:
    """No warning, every grade reached, and no ladder that more orders can lower."""
    document, _ = parse_with_source(STARTER, NAME)
    report = prove(document)
    assert {remark.severity for remark in report.remarks} <= {"note"}
    assert all(proven.reached == proven.tiers for proven in report.gradings)
    orders = {proven.name: proven.orders for proven in report.gradings}
    assert (orders["value"], orders["score"]) == ("proved", "proved")


def test_every_line_is_one_line_for_people() -> None:
    """No line feeds, no Python in it, and something to do in every warning."""
    for seed in SEEDS:
        for line in lines_of(seed.text):
            assert "\n" not in line
            assert not re.search(r"Fraction|Decimal|None|<|Traceback|MISSING", line), line
            assert ": warning: " not in line or "; " in line or "is already" in line, line
