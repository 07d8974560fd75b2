"""The AsyncAPI 3 document of all topics that others read or write, made from the models.

`python -m schemas.asyncapi --write` renews docs/asyncapi.yaml.
"""

import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic.json_schema import models_json_schema

from schemas import committed
from schemas.base import Contract
from schemas.catalog import TOPICS, Topic
from schemas.examples import EXAMPLES
from schemas.meanings import said_of_fields, split_doc
from schemas.messages import ABOUT, HEADERS, VALUES

FILE: Final = Path(__file__).parents[1] / "docs" / "asyncapi.yaml"
_KAFKA: Final = "0.5.0"  # of AsyncAPI's Kafka bindings
_TOMBSTONES: Final = {
    "customer-tiers": ("CustomerErased", "customer erased"),
    "tier-differences": ("NoDifferences", "no differences"),
}
"""By topic: the name and the title of what a null value says."""
_LETTER: Final = "DeadLetter"
_INFO: Final = {
    "title": "tierstream",
    "version": "1",
    "description": (
        "What goes into tierstream and what comes out, over Kafka. With a namespace, say `shop`, "
        "topics are called `shop.orders` and so on. Read with isolation.level=read_committed: "
        "then each event is seen once."
    ),
    "license": {"name": "Apache-2.0"},
}


def document() -> dict[str, Any]:
    """Return the whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "channels": {name: _channel(topic) for name, topic in TOPICS.items()},
        "operations": {_operation_name(topic): _operation(topic) for topic in TOPICS.values()},
        "components": {"messages": _messages(), "schemas": components()},
    }


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice: readers of AsyncAPI need not know YAML's anchors."""

    def ignore_aliases(self, data: object) -> bool:
        """Never point back."""
        del data
        return True


def as_text() -> str:
    """Return the document as it is committed."""
    head = "# Made from the models: python -m schemas.asyncapi --write\n"
    return head + yaml.dump(
        document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def _message_names(topic: Topic) -> list[str]:
    if topic.name == "dead-letters":
        return [_LETTER]
    names = [model.__name__ for model in VALUES[topic.name]]
    gone = _TOMBSTONES.get(topic.name)
    return names if gone is None else [*names, gone[0]]


def _channel(topic: Topic) -> dict[str, Any]:
    cleanup = "compact" if topic.compacted else "delete"
    return {
        "address": topic.name,
        "description": ABOUT[topic.name],
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {"cleanup.policy": [cleanup]},
                "bindingVersion": _KAFKA,
            }
        },
    }


def _operation_name(topic: Topic) -> str:
    verb = "read" if topic.direction == "in" else "publish"
    return verb + "".join(part.capitalize() for part in topic.name.split("-"))


def _operation(topic: Topic) -> dict[str, Any]:
    """Return what tierstream does with a topic: AsyncAPI speaks from the application's side."""
    return {
        "action": "receive" if topic.direction == "in" else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [
            {"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in _message_names(topic)
        ],
    }


def _messages() -> dict[str, Any]:
    found = {
        model.__name__: _message(TOPICS[topic], model)
        for topic, models in VALUES.items()
        for model in models
    }
    for topic, (name, title) in _TOMBSTONES.items():
        found[name] = {
            "title": title,
            "summary": "Takes the place of all that was told of the customer. Has no headers.",
            "payload": {"type": "null"},
            "bindings": {"kafka": {"key": _key(TOPICS[topic]), "bindingVersion": _KAFKA}},
        }
    found[_LETTER] = {
        "title": "dead letter",
        "summary": ABOUT["dead-letters"],
        "contentType": "application/octet-stream",
        "headers": _headers(HEADERS["dead-letters"]),
        "payload": {"description": "The original bytes, cut after 900,000."},
        "bindings": {
            "kafka": {
                "key": {"description": "The original key, cut after 50,000 bytes."},
                "bindingVersion": _KAFKA,
            }
        },
    }
    return found


def _message(topic: Topic, model: type[Contract]) -> dict[str, Any]:
    name = model.__name__
    message: dict[str, Any] = {
        "title": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower(),
        "summary": split_doc(model.__doc__ or "")[0],
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": _key(topic), "bindingVersion": _KAFKA}},
        "examples": [{"payload": EXAMPLES[name]}],
    }
    if headers := HEADERS.get(topic.name):
        message["headers"] = _headers(headers)
    return message


def _headers(model: type[Contract]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _key(topic: Topic) -> dict[str, str]:
    return {"type": "string", "description": f"`{topic.key}` of the value, in UTF-8."}


def components() -> dict[str, Any]:
    """Return every model as a schema, what its docstring says put where it belongs."""
    models = [model for of_topic in VALUES.values() for model in of_topic]
    models += dict.fromkeys(HEADERS.values())
    _, made = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    inherited = {model.__name__: said_of_fields(model) for model in models}
    schemas = dict(sorted(made["$defs"].items()))
    return {name: _schema(schema, inherited.get(name, {})) for name, schema in schemas.items()}


def _schema(schema: dict[str, Any], inherited: dict[str, str]) -> dict[str, Any]:
    text, told = split_doc(schema.get("description", ""))
    told = inherited | told
    found: dict[str, Any] = _plain(schema)
    for name, field in found.get("properties", {}).items():
        field.pop("title", None)
        if meaning := told.get(name):
            field["description"] = meaning
    return found | ({"description": text} if text else {})


def _plain(part: Any) -> Any:  # noqa: ANN401 - JSON
    """Return *part* in AsyncAPI's dialect, where `discriminator` is a name and not a mapping."""
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items() if key != "discriminator"}
    return [_plain(value) for value in part] if isinstance(part, list) else part


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    return committed.run("schemas.asyncapi", lambda: {FILE: as_text()}, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
