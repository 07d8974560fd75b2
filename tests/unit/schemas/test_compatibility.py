"""Each kind of breaking change is caught, and harmless ones are not."""

from copy import deepcopy
from typing import Any

import pytest

from schemas.catalog import DIRECTIONS, published_schemas
from schemas.compatibility import incompatible_changes

BASE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^a"},
        "kind": {"enum": ["x", "y"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 9},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "open": {"type": "string"},
    },
    "required": ["id", "kind"],
}

# Path of keys to set, the value (None removes), and the line for "in" and for "out" (None: fine).
Change = tuple[str, Any, str | None, str | None]
CHANGES: list[Change] = [
    ("properties/new", {"type": "string"}, None, None),
    ("required", ["id", "kind", "count"], "record.count: is now required", None),
    ("required", ["id"], None, "record.kind: is no longer required"),
    ("properties/open", None, "record.open: was removed", "record.open: was removed"),
    (
        "properties/kind/enum",
        ["x"],
        'record.kind: the value "y" is no longer allowed',
        None,
    ),
    ("properties/kind/enum", ["x", "y", "z"], None, 'record.kind: the value "z" was added'),
    ("properties/kind", {"type": "string"}, None, "record.kind: the list of values was dropped"),
    ("properties/count/maximum", 5, "record.count: maximum was 9, is now 5", None),
    ("properties/count/maximum", 50, None, "record.count: maximum was 9, is now 50"),
    ("properties/count/minimum", 1, "record.count: minimum was 0, is now 1", None),
    ("properties/count/minimum", None, None, "record.count: minimum was 0, is now unlimited"),
    (
        "properties/count/type",
        "number",
        None,
        "record.count: type was integer, is now number",
    ),
    (
        "properties/open/type",
        "integer",
        "record.open: type was string, is now integer",
        "record.open: type was string, is now integer",
    ),
    ("properties/id/maxLength", 5, "record.id: maxLength was 10, is now 5", None),
    ("properties/id/maxLength", None, None, "record.id: maxLength was 10, is now unlimited"),
    (
        "properties/id/pattern",
        "^b",
        "record.id: pattern was ^a, is now ^b",
        "record.id: pattern was ^a, is now ^b",
    ),
    ("properties/open/pattern", "^b", "record.open: pattern was any, is now ^b", None),
    (
        "properties/note",
        {"type": "string"},
        "record.note: the type null is no longer allowed",
        None,
    ),
    (
        "properties/open",
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        None,
        "record.open: the type null was added",
    ),
    (
        "properties/tags/items/type",
        "integer",
        "record.tags[]: type was string, is now integer",
        "record.tags[]: type was string, is now integer",
    ),
    ("properties/tags/minItems", 1, "record.tags: minItems was unlimited, is now 1", None),
    (
        "properties/map/additionalProperties/maximum",
        3,
        "record.map.*: maximum was unlimited, is now 3",
        None,
    ),
    ("additionalProperties", False, "record: unknown fields are no longer allowed", None),
    ("title", "Another", None, None),
    ("properties/id/description", "words", None, None),
]


def changed(schema: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    copy = deepcopy(schema)
    *steps, last = path.split("/")
    place = copy
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]}={change[1]}")
@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_change_breaks_writers_or_readers_or_nobody(change: Change, direction: str) -> None:
    """The same change may be harmless for one direction and break the other."""
    path, value, for_writers, for_readers = change
    new = changed(BASE, path, value)
    expected = for_writers if direction == "in" else for_readers
    found = incompatible_changes(BASE, new, "in" if direction == "in" else "out")
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize("name", sorted(DIRECTIONS))
def test_a_schema_is_compatible_with_itself(name: str) -> None:
    """Also those that refer to themselves."""
    schema = published_schemas()[name]
    assert incompatible_changes(schema, schema, DIRECTIONS[name]) == []


def test_a_kind_that_is_gone_is_named() -> None:
    """Writers may still send it."""
    old = published_schemas()["orders"]
    new = deepcopy(old)
    new["oneOf"] = [part for part in new["oneOf"] if "Refunded" not in part["$ref"]]
    assert incompatible_changes(old, new, "in") == [
        'record: kind "order.refunded" is no longer allowed'
    ]
    assert incompatible_changes(old, new, "out") == ['record: kind "order.refunded" was removed']
    assert incompatible_changes(new, old, "in") == []
    assert incompatible_changes(new, old, "out") == ['record: kind "order.refunded" was added']


def test_a_change_deep_in_one_kind_is_found_by_its_path() -> None:
    """The branch of the same kind is compared, not any branch."""
    old = published_schemas()["orders"]
    new = deepcopy(old)
    new["$defs"]["OrderPaid"]["required"].append("category")
    new["$defs"]["OrderRefunded"]["properties"]["amount_minor"]["maximum"] = 10
    assert sorted(incompatible_changes(old, new, "in")) == [
        "record.amount_minor: maximum was 1000000000000000, is now 10",
        "record.category: is now required",
    ]


def test_a_narrower_policy_language_is_caught() -> None:
    """A policy that was fine must stay fine; references inside recursion are followed."""
    old = published_schemas()["policy"]
    new = deepcopy(old)
    del new["$defs"]["MeasureCondition"]["properties"]["below"]
    new["$defs"]["SumMeasure"]["properties"]["sum"]["enum"].remove("cost")
    found = incompatible_changes(old, new, "in")
    assert any(line.endswith(".below: was removed") for line in found)
    assert any(line.endswith('.sum: the value "cost" is no longer allowed') for line in found)
