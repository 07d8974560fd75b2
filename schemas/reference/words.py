"""JSON Schema in words, and tables of fields in Markdown. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_PATTERNS: Final = {
    "^[a-z][a-z0-9_.-]{0,63}$": "a name of `a-z 0-9 _ . -`",
    "^[a-z0-9-]{1,64}$": "a name of `a-z 0-9 -`",
    "^[1-9][0-9]{0,4}d$": "days such as `30d`",
    "^([1-9][0-9]{0,4}d|lifetime)$": "days such as `365d`, or `lifetime`",
    r"^-?[0-9]{1,16}(\.[0-9]{1,9})?$": "a decimal",
    r"^-?[0-9]{1,9}(\.[0-9]{1,6})? ?%$": "a percent such as `40%`",
    "^[A-Z]{3}$": "three capital letters",
    "^[0-9a-f]{32}$": "32 hexadecimal digits",
    "^-?[0-9]{1,19}$": "a whole number as text",
    r"^-?[0-9]+(\.[0-9]+|/[1-9][0-9]*)?$": 'an exact number: a decimal, or a fraction ("236/3")',
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$": "an instant in UTC",
    "^/tierstream/[a-z0-9-]+$": "`/tierstream/` and a name of `a-z 0-9 -`",
    "^[0-9]{10}$|^-?[0-9]{14,15}-[0-9]{10}$": "digits",
    r"^[^\n\r]*$": "one line of text",
    "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$": "a W3C `traceparent`",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day such as `08:30`",
}
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "object": "a mapping",
    "array": "a list",
}
_MANY: Final = 40
_UNITS: Final = (
    ("_minor", "minor units of the currency"),
    ("_days", "days"),
    ("_hours", "hours"),
    ("_minutes", "minutes"),
    ("_bytes", "bytes"),
    ("_ms", "milliseconds"),
)


def unit_of(field: str) -> str:
    """Return the unit that the name of a field says, or nothing.

    >>> unit_of("amount_minor"), unit_of("days"), unit_of("kind")
    ('minor units of the currency', 'days', '')
    """
    return next((unit for suffix, unit in _UNITS if f"_{field}".endswith(suffix)), "")


def in_words(schema: Schema, link: Callable[[str], str]) -> str:
    """Return what *schema* allows; *link* writes a reference to a definition.

    >>> in_words({"type": "integer", "minimum": 1}, str)
    'a whole number, 1 or more'
    >>> in_words({"anyOf": [{"$ref": "#/$defs/Label"}, {"type": "null"}]}, str)
    'Label or null'
    """
    if reference := schema.get("$ref"):
        return link(reference.rpartition("/")[2])
    if members := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(dict.fromkeys(in_words(member, link) for member in members))
    if schema.get("type") == "array":
        return "a list of: " + in_words(schema.get("items", {}), link)
    if schema.get("type") == "object" and (inside := _values_of(schema)):
        return "a mapping of names to: " + in_words(inside, link)
    return _plain_words(schema)


def _plain_words(schema: Schema) -> str:
    if "const" in schema:
        return _code(schema["const"])
    if values := schema.get("enum"):
        return "one of " + ", ".join(map(_code, values)) if len(values) < _MANY else "a code"
    if schema.get("format") == "date-time":
        return "an instant (RFC 3339, with its zone)"
    if "pattern" in schema:
        return _PATTERNS.get(schema["pattern"], f"text of the form `{schema['pattern']}`")
    return _TYPES.get(schema.get("type", ""), "anything") + _bounds(schema)


def _values_of(schema: Schema) -> Schema | None:
    patterns = schema.get("patternProperties", {})
    inside = next(iter(patterns.values()), schema.get("additionalProperties"))
    return inside or None


def _bounds(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("minLength"))
    high = schema.get("maximum", schema.get("maxLength"))
    unit = " characters" if schema.get("type") == "string" else ""
    if low is None and high is None:
        return ""
    if high is None:
        return f", {low:,}{unit} or more"
    return f", at most {high:,}{unit}" if low is None else f", {low:,} to {high:,}{unit}"


def _code(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; columns in which nothing stands are left out.

    >>> print(table(["a", "b"], [["1", ""], ["2", ""]]))
    | a |
    |---|
    | 1 |
    | 2 |
    """
    heads, body = list(head), [list(row) for row in rows]
    kept = [place for place in range(len(heads)) if any(row[place] for row in body)]
    lines = [[heads[place] for place in kept], ["---"] * len(kept)]
    lines += [[row[place].replace("|", "\\|") for place in kept] for row in body]
    told = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([told[0], told[1].replace(" ", ""), *told[2:]])


def anchor(name: str) -> str:
    """Return the link to the section called *name*.

    >>> anchor("TierChange")
    '[TierChange](#tierchange)'
    """
    return f"[{name}](#{name.lower().replace(' ', '-')})"
