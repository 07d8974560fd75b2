"""Reading a policy from a file, from text, or from a record, and saying what is wrong with it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.currencies import EXPONENTS
from schemas.policy.checks import Checker
from schemas.policy.document import PolicyDocument
from schemas.policy.files import read_trees
from schemas.policy.findings import Finding, Location, Mistake, PolicyFileError, shown
from schemas.policy.fit import level_words
from schemas.policy.measures import Measure
from schemas.policy.part import BY_TYPE, INCOHERENT, MISSING, UNKNOWN_KEY, without_tags
from schemas.policy.shape import PolicyShape
from schemas.policy.source import Source, read_yaml

_STAND_INS: dict[str, object] = {
    "policy": "unreadable",
    "version": 1,
    "time_zone": "UTC",
    "currency": "USD",
}
_NAMED = ("measures", "gradings")
_MEASURE: TypeAdapter[Measure] = TypeAdapter(Measure)
_SCORECARDS = ("interval_scorecard", "weighted_scorecard", "base_bonus")


def load_policy(path: Path | str) -> PolicyDocument:
    """Read and check the policy file at *path*.

    Raises:
        PolicyFileError: The file cannot be read, or has mistakes; every one is listed.
    """
    return open_policy(path)[0]


def open_policy(path: Path | str) -> tuple[PolicyDocument, Source]:
    """Read and check the policy file at *path*; return with it where everything stands in it.

    Raises:
        PolicyFileError: The file cannot be read, or has mistakes; every one is listed.
    """
    name = str(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as exc:
        said = (exc.strerror or "unreadable").lower()
        raise PolicyFileError([Finding(name, 0, "", said, "a readable file")]) from exc
    except UnicodeDecodeError as exc:
        raise PolicyFileError([Finding(name, 0, "", "bytes", "text in UTF-8")]) from exc
    return parse_with_source(text, name, Path(path).parent)


def parse_policy(text: str, name: str, folder: Path | None = None) -> PolicyDocument:
    """Check the policy in *text*, YAML or JSON; *name* is the file named in findings.

    Files that the policy names are looked for in *folder*; without it, it may name none.

    Raises:
        PolicyFileError: The text has mistakes; every one is listed, in the order of the file.
    """
    return parse_with_source(text, name, folder)[0]


def parse_with_source(
    text: str, name: str, folder: Path | None = None
) -> tuple[PolicyDocument, Source]:
    """Do as `parse_policy`, and return where everything stands in *text* as well."""
    data, source = read_yaml(text, name)
    unread = set() if folder is None else read_trees(data, source, folder)
    document, mistakes = _read(data)
    said = unread | {finding.key for finding in source.findings}  # an alias was read as nothing
    findings = [_finding(mistake, source) for mistake in mistakes]
    findings = source.findings + [f for f in findings if f.key not in said]
    if document is None or findings:
        raise PolicyFileError(sorted(findings, key=lambda finding: finding.line))
    return document, source


def policy_from_data(data: object, name: str) -> PolicyDocument:
    """Check a policy that came as plain data, such as ``policy`` of a policy.published record.

    Decimals must be strings, as ``PolicyDocument.model_dump(mode="json")`` writes them.

    Raises:
        PolicyFileError: The policy has mistakes; every one is listed, with line 0.
    """
    document, mistakes = _read(data)
    if document is None:
        keys = (".".join(map(str, m.location)) for m in mistakes)
        raise PolicyFileError(
            Finding(name, 0, key, m.value, m.allowed) for key, m in zip(keys, mistakes, strict=True)
        )
    return document


def _read(data: object) -> tuple[PolicyDocument | None, list[Mistake]]:
    try:
        return PolicyDocument.model_validate(data), []
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    mistakes = [_mistake(error, data) for error in errors]
    if isinstance(data, Mapping) and not any(error["type"] == INCOHERENT for error in errors):
        mistakes.extend(_beside(data, mistakes))
    return None, mistakes


def _beside(data: Mapping[str, Any], mistakes: list[Mistake]) -> Iterator[Mistake]:
    """Check how the sound parts fit together, so that one run shows every mistake."""
    places = {mistake.location[:2] for mistake in mistakes}
    broken = {str(place[1]) for place in places if len(place) > 1 and place[0] in _NAMED}
    sound: dict[str, Any] = {
        key: value for key, value in data.items() if key in PolicyShape.model_fields
    }
    for key in {str(place[0]) for place in places if place and place[0] not in _NAMED}:
        sound.pop(key, None)
    for key in _NAMED:
        named = data.get(key)
        if not isinstance(named, Mapping):
            return
        sound[key] = {k: v for k, v in named.items() if (key, k) not in places}
    try:
        shape = PolicyShape.model_validate(_STAND_INS | sound)
    except ValidationError:
        return
    yield from Checker(shape, frozenset(broken)).mistakes()


def _mistake(error: Any, data: object) -> Mistake:  # noqa: ANN401 - pydantic's ErrorDetails
    kind, context = error["type"], error.get("ctx", {})
    location, allowed = without_tags(error["loc"]), context.get("allowed", error["msg"])
    if kind == INCOHERENT:
        return Mistake(location, context["value"], allowed, context["at_key"])
    if location and location[-1] == "[key]":
        location = location[:-1]
        return Mistake(location, shown(location[-1]), allowed, at_key=True)
    if kind == MISSING:
        return Mistake(location, None, allowed)
    if kind == UNKNOWN_KEY:
        return Mistake(location, shown(location[-1]), allowed, at_key=True)
    given = error["input"]
    if allowed.startswith(BY_TYPE) and isinstance(given, Mapping) and "type" in given:
        words = "one of " + allowed.removeprefix(BY_TYPE)
        return Mistake((*location, "type"), shown(given["type"]), words)
    if kind == "level":
        allowed = _level_words(location, data)
    return Mistake(location, shown(given), allowed)


def _finding(mistake: Mistake, source: Source) -> Finding:
    value = mistake.value
    if value is not None and not mistake.at_key and mistake.location in source.texts:
        text = source.texts[mistake.location]
        value = shown(text) if text else "nothing"
    key = ".".join(map(str, mistake.location))
    line = source.line(mistake.location, at_key=mistake.at_key)
    return Finding(source.name, line, key, value, mistake.allowed)


def _level_words(location: Location, data: object) -> str:
    """Say what a level at *location* may be, by the unit of the measure that governs it."""
    around = [data]
    for key in location:
        here: Any = around[-1]
        around.append(here[key])
    root: Any = data
    currency = root.get("currency")
    currency = currency if isinstance(currency, str) and currency in EXPONENTS else "USD"
    name = _governing(location, around)
    if name is None:
        return "points, such as 80"
    try:
        unit = _MEASURE.validate_python(root["measures"][name]).unit
    except (ValidationError, KeyError, TypeError):
        return "a number, such as 1000.00"
    return level_words(unit, currency, EXPONENTS[currency])


def _governing(location: Location, around: list[Any]) -> str | None:
    """Return the measure whose level stands at *location*; None when it is points of a score."""
    if location[0] == "population":
        return _frozen_measure(str(location[2]), around[0])
    if location[0] == "routes":
        return str(around[1].get("amount"))
    for depth in range(len(location) - 1, -1, -1):
        if isinstance(around[depth], Mapping):
            if isinstance(around[depth].get("measure"), str):
                return str(around[depth]["measure"])
            if any(around[depth].get("type") == name for name in _SCORECARDS):
                return None
        if depth and location[depth - 1] == "measures":
            return str(location[depth])
    return None


def _frozen_measure(cut: str, root: Mapping[str, Any]) -> str:
    """Return the measure of a frozen *cut*; "" where the policy does not tell."""
    grading, _, axis = cut.rpartition(".")
    try:
        spec = root["gradings"][grading]
        part = spec[axis]
        return str(part["measure"] if isinstance(part, Mapping) else spec["measure"])
    except (KeyError, TypeError):
        return ""
