"""Tests of one measure that hold for everyone, or for no one, whatever else is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy.conditions import MeasureCondition
from schemas.policy.findings import Location, Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.proofs.case import Case

_INSTEAD = "remove it, or compare with another level"


def test_remarks(case: Case) -> Iterator[Remark]:
    """Yield a remark for each test that decides nothing, and for evidence that all have."""
    for name, grading in case.document.gradings.items():
        at: Location = ("gradings", name)
        evidence = grading.minimum_evidence
        if evidence is not None:
            level = case.document.threshold(evidence.measure, evidence.at_least)
            yield from _evidence(case, (*at, "minimum_evidence"), evidence.measure, level)
        for place, test in grading.tests():
            if isinstance(test, MeasureCondition):
                yield from _constant(case, (*at, *place), test)
    yield from _spellings(case)


def _evidence(case: Case, at: Location, measure: str, level: int) -> Iterator[Remark]:
    position = case.measure(measure)
    domain = case.traits[position].domain
    if level > domain.most:
        most = case.words.value(position, domain.most)
        text = f"nobody is ever graded: {measure} is never above {most}"
        yield Remark("warning", (*at, "at_least"), f"{text}; lower the level")
    elif level <= domain.least and not domain.unknown:
        least = case.words.value(position, domain.least)
        text = f"everyone has this evidence, as {measure} is never below {least}"
        yield Remark("note", (*at, "at_least"), f"{text}; raise the level, or leave it out")


def _constant(case: Case, at: Location, test: MeasureCondition) -> Iterator[Remark]:
    position = case.measure(test.measure)
    domain, name = case.traits[position].domain, test.measure
    if test.is_known is not None:
        if not domain.unknown:
            zero = case.words.value(position, 0)
            always = "always" if test.is_known else "never"
            text = f"this {always} holds: {name} is always known ({zero} without any events)"
            yield Remark("warning", (*at, "is_known"), f"{text}; compare it with a level instead")
    elif test.at_least is not None:
        level = case.document.threshold(name, test.at_least)
        yield from _at_least(case, (*at, "at_least"), name, level)
    elif test.below is not None:
        level = case.document.threshold(name, test.below)
        yield from _below(case, (*at, "below"), name, level)
    else:
        least, most = (case.words.value(position, end) for end in (domain.least, domain.most))
        for place, value in enumerate(test.is_ or ()):
            if isinstance(value, int) and not domain.least <= value <= domain.most:
                side = f"above {most}" if value > domain.most else f"below {least}"
                text = f"{name} is never {value}: it is never {side}; remove the number"
                yield Remark("warning", (*at, "is", place), text)


def _at_least(case: Case, at: Location, name: str, level: int) -> Iterator[Remark]:
    position = case.measure(name)
    domain = case.traits[position].domain
    if level > domain.most:
        most = case.words.value(position, domain.most)
        yield Remark("warning", at, f"this never holds: {name} is never above {most}; {_INSTEAD}")
    elif level <= domain.least:
        text = f"{name} is never below {case.words.value(position, domain.least)}"
        if domain.unknown:
            plain = f"{{measure: {name}, is_known: true}}"
            text = f"this holds wherever {name} is known, as {text}; {plain} says it plainly"
            yield Remark("note", at, text)
        else:
            yield Remark("warning", at, f"this always holds: {text}; {_INSTEAD}")


def _below(case: Case, at: Location, name: str, level: int) -> Iterator[Remark]:
    position = case.measure(name)
    domain = case.traits[position].domain
    if level <= domain.least:
        least = case.words.value(position, domain.least)
        yield Remark("warning", at, f"this never holds: {name} is never below {least}; {_INSTEAD}")
    elif level > domain.most:
        most = case.words.value(position, domain.most)
        text = f"this holds wherever {name} is known, as {name} is never above {most}; {_INSTEAD}"
        yield Remark("warning", at, text)


def _spellings(case: Case) -> Iterator[Remark]:
    """Yield texts that differ from one above only in capitals: profiles carry one of them."""
    seen: dict[tuple[str, str], str] = {}
    for name, grading in case.document.gradings.items():
        for at, test in grading.tests():
            if not isinstance(test, MeasureCondition):
                continue
            for place, text in enumerate(test.is_ or ()):
                if not isinstance(text, str):
                    continue
                known = seen.setdefault((test.measure, text.casefold()), text)
                if known != text:
                    said = f"{text!r} here and {known!r} above are two different texts"
                    line = f"{said}; write {test.measure} as your profiles do, the same everywhere"
                    yield Remark("warning", ("gradings", name, *at, "is", place), line)
