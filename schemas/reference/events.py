"""The reference of events: every record that goes in or comes out, field by field."""

import json
from typing import Any, Final

from schemas.asyncapi import components
from schemas.catalog import TOPICS, Topic
from schemas.examples import EXAMPLES
from schemas.messages import ABOUT, HEADERS, VALUES
from schemas.reference.words import anchor, in_words, table, unit_of

_HEAD: Final = """\
<!-- Made from the models: python -m schemas.reference --write -->
# Events

Every record that goes into tierstream and every one that comes out. The same for machines:
[asyncapi.yaml](asyncapi.yaml), and a JSON Schema for each topic in [schemas/json](../schemas/json).
With a namespace `shop` the topics are `shop.orders` and so on.

- Values are JSON objects in UTF-8. Money is in whole **minor units** of the currency beside it:
  12990 EUR is 129.90 €.
- **What comes in** may have other fields: they are passed over. A record that does not fit goes to
  `dead-letters` with its reason. `event_id` is unique: the same id with the same content is counted
  once, with another content it is a dead letter.
- **What comes out** may get more fields within a version: pass over those you do not know. Nothing
  is taken away or changes its meaning within a version. Read committed records only.
- **Required** fields have a `*`.
"""


def as_text() -> str:
    """Return the page."""
    schemas = components()
    told: list[str] = [_HEAD]
    mentioned: dict[str, None] = {}
    for direction, title in (("in", "Coming in"), ("out", "Going out")):
        told.append(f"## {title}\n")
        for topic in TOPICS.values():
            if topic.direction == direction:
                told += _topic(topic, schemas, mentioned)
    told.append("## Parts\n")
    done = {model.__name__ for models in VALUES.values() for model in models}
    done |= {model.__name__ for model in HEADERS.values()}
    while waiting := [name for name in mentioned if name not in done]:
        for name in waiting:
            done.add(name)
            told.append(f"### {name}\n\n{schemas[name].get('description', '')}\n")
            told.append(_fields(schemas[name], mentioned))
    told.append("## Headers\n")
    for headers in dict.fromkeys(HEADERS.values()):
        name = headers.__name__
        told.append(f"### {name}\n\n{schemas[name]['description']}\n")
        told.append(_fields(schemas[name], mentioned))
        if name in EXAMPLES:
            told.append(_example(name))
    return "\n".join(told).rstrip() + "\n"


def _topic(topic: Topic, schemas: dict[str, Any], mentioned: dict[str, None]) -> list[str]:
    kept = "compacted" if topic.compacted else "kept by time"
    headers = HEADERS.get(topic.name)
    told = [f"### {topic.name}\n", ABOUT[topic.name] + "\n"]
    facts = [f"Key: `{topic.key}`" if " " not in topic.key else f"Key: {topic.key}", kept]
    if headers is not None:
        facts.append(f"headers: {anchor(headers.__name__)}")
    told.append("; ".join(facts) + ".\n")
    for model in VALUES[topic.name]:
        name = model.__name__
        told.append(f"#### {name}\n\n{schemas[name]['description']}\n")
        told.append(_fields(schemas[name], mentioned))
        told.append(_example(name))
    return told


def _example(name: str) -> str:
    shown = json.dumps(EXAMPLES[name], indent=2, ensure_ascii=False)
    return f"```json\n{shown}\n```\n"


def _fields(schema: dict[str, Any], mentioned: dict[str, None]) -> str:
    def link(name: str) -> str:
        mentioned[name] = None
        return anchor(name)

    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{name}`" + (" *" if name in required else ""),
            in_words(field, link),
            unit_of(name),
            field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("field", "value", "unit", "meaning"), rows) + "\n" if rows else "No fields.\n"
