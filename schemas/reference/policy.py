"""The reference of the policy language: every key of a policy file."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.meanings import said_of_fields, split_doc
from schemas.policy.document import PolicyDocument
from schemas.policy.part import Part
from schemas.reference.words import Schema, anchor, in_words, table

POLICIES: Final = Path(__file__).parents[2] / "deploy" / "policies"
_HEAD: Final = """\
<!-- Made from the models: python -m schemas.reference --write -->
# Policy reference

Every key of a policy file. How it begins: `tierstream policy init`; whether it is right:
`tierstream policy check FILE`, which names file, line, key and what is allowed. What every word
means exactly is said in [semantics.md](semantics.md);
[policy.v1.schema.json](../schemas/json/policy.v1.schema.json) lets an editor complete and check it.
Examples are taken from the policies in [deploy/policies](../deploy/policies).

- **Required** keys have a `*`. A key that is not named here is a mistake.
- Money is written in major units, as you say it: `1000.00`. A share is a percent: `80%`.
"""
_MEASURES, _GRADINGS = "measures", "gradings"
_NONE: Final = re.compile(r"\bNone\b")  # what Python calls a key that was left out

Titles = Mapping[str, str]
"""Of the sections, by the name of the model."""


def as_text() -> str:
    """Return the page."""
    root = PolicyDocument.model_json_schema()
    models = {model.__name__: model for model in _all_parts(Part)}
    definitions = root["$defs"]
    titles = {name: name for name in definitions}
    measures = {name: _own_key(models[name]) for name in _members(root["properties"][_MEASURES])}
    gradings = {
        name: definitions[name]["properties"]["type"]["const"]
        for name in _members(root["properties"][_GRADINGS])
    }
    titles |= {name: f"Measure {key}" for name, key in measures.items()}
    titles |= {name: f"Grading {kind}" for name, kind in gradings.items()}
    told = [_HEAD, "## The file\n", _keys(root, PolicyDocument, titles)]
    told.append("## Measures\n\nWhat is known of a customer, by a name of your choice.\n")
    for name, key in measures.items():
        told += _section(titles, definitions[name], models[name])
        told.append(f"What it reads is in: {_unit(models[name])}\n")
        told.append(_example(_MEASURES, lambda part, key=key: key in part))
    told.append("## Gradings\n\nHow measures become a grade, by a name of your choice.\n")
    for name, kind in gradings.items():
        told += _section(titles, definitions[name], models[name])
        told.append(_example(_GRADINGS, lambda part, kind=kind: part.get("type") == kind))
    told.append("## Parts\n")
    for name in sorted(set(definitions) - {*measures, *gradings}):
        told += _section(titles, definitions[name], models[name])
    return "\n".join(part for part in told if part).rstrip() + "\n"


def _all_parts(base: type[Part]) -> Iterable[type[Part]]:
    for model in base.__subclasses__():
        yield model
        yield from _all_parts(model)


def _members(schema: Schema) -> list[str]:
    inside = next(iter(schema["patternProperties"].values()))
    return [member["$ref"].rpartition("/")[2] for member in inside["oneOf"]]


def _section(titles: Titles, schema: Schema, model: type[Part]) -> list[str]:
    about = split_doc(model.__doc__ or "")[0]
    return [f"### {titles[model.__name__]}\n\n{about}\n", _keys(schema, model, titles)]


def _keys(schema: Schema, model: type[Part], titles: Titles) -> str:
    meanings = said_of_fields(model)
    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{name}`" + (" *" if name in required else ""),
            _allowed(field, titles),
            _default(field),
            _NONE.sub("left out", meanings.get(name, "")),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("key", "allowed", "without it", "meaning"), rows) + "\n"


def _allowed(field: Schema, titles: Titles) -> str:
    """Return what may stand there: what the model says to people, and where that is described."""
    links: dict[str, None] = {}

    def link(name: str) -> str:
        links[anchor(titles[name])] = None
        return anchor(titles[name])

    words = in_words(_without_null(field), link)
    said = field.get("description")
    if said is None:
        return words
    return f"{said} ({', '.join(links)})" if links else str(said)


def _without_null(field: Schema) -> Schema:
    members = [member for member in field.get("anyOf", ()) if member.get("type") != "null"]
    return {"anyOf": members} if members else field


def _default(field: Schema) -> str:
    default = field.get("default")
    return "" if default is None or default in ([], {}) else f"`{str(default).lower()}`"


def _unit(model: type[Part]) -> str:
    prop = next(base.__dict__["unit"] for base in model.__mro__ if "unit" in base.__dict__)
    return str(prop.__doc__).rstrip(".") + "."


def _own_key(model: type[Part]) -> str:
    """Return the key that tells a measure from the others: its first required one."""
    return next(
        field.alias or name for name, field in model.model_fields.items() if field.is_required()
    )


def _example(section: str, fits: Any) -> str:  # noqa: ANN401 - a test of one part
    """Return the shortest part of a ready policy that *fits*, or nothing."""
    found = []
    for file in sorted(POLICIES.glob("*.yaml")):
        policy = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, part in policy[section].items():
            if fits(part):
                text = yaml.safe_dump(
                    {section: {name: part}}, sort_keys=False, allow_unicode=True, width=100
                )
                found.append((len(text), text))
    return f"```yaml\n{min(found)[1]}```\n" if found else ""
