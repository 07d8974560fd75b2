"""The AsyncAPI document and the examples in it are those of the models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from schemas import asyncapi
from schemas.catalog import TOPICS
from schemas.examples import EXAMPLES
from schemas.messages import ABOUT, HEADERS, VALUES

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.base import Contract

MODELS = {model.__name__: model for models in VALUES.values() for model in models}


def test_the_committed_document_is_the_generated_one() -> None:
    """After changing a model, run `python -m schemas.asyncapi --write`."""
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi.as_text()
    assert asyncapi.main(["--check"]) == 0


def test_an_old_document_is_noticed_and_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check says what to run."""
    monkeypatch.setattr(asyncapi, "FILE", tmp_path / "asyncapi.yaml")
    asyncapi.FILE.write_text("asyncapi: 2.6.0\n")
    assert asyncapi.main(["--check"]) == 1
    assert "python -m schemas.asyncapi --write" in capsys.readouterr().err
    assert asyncapi.main(["--write"]) == asyncapi.main(["--check"]) == 0


def test_every_topic_is_in_it_with_its_key_and_its_headers() -> None:
    """Those that come in are received, those that go out are sent."""
    document = yaml.safe_load(asyncapi.as_text())
    assert list(document["channels"]) == list(TOPICS) == list(VALUES) == list(ABOUT)
    actions = {
        operation["channel"]["$ref"].rpartition("/")[2]: operation["action"]
        for operation in document["operations"].values()
    }
    assert actions == {
        name: {"in": "receive", "out": "send"}[topic.direction] for name, topic in TOPICS.items()
    }
    for name, headers in HEADERS.items():
        for message in document["channels"][name]["messages"]:
            told = document["components"]["messages"][message]
            assert "key" in told["bindings"]["kafka"]
            if told["payload"] != {"type": "null"}:  # a tombstone says nothing at all
                assert told["headers"]["$ref"].endswith(headers.__name__)


def test_references_lead_somewhere() -> None:
    """No reference of the document is broken, and nothing is defined that nobody refers to."""
    document = yaml.safe_load(asyncapi.as_text())
    wanted = set(references(document))
    for pointer in wanted:
        at: Any = document
        for step in pointer.removeprefix("#/").split("/"):
            at = at[step]
    defined = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert defined == {pointer for pointer in wanted if "/schemas/" in pointer}


def references(part: Any) -> list[str]:
    """Return every `$ref` in *part*."""
    if isinstance(part, list):
        return [found for value in part for found in references(value)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for value in part.values() for found in references(value)]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_fits_its_model_and_every_model_has_one(name: str) -> None:
    """What is shown to readers is what is accepted, or written, by the contract."""
    models = MODELS | {"DeadLetterHeaders": HEADERS["dead-letters"]}
    assert sorted(models) == sorted(EXAMPLES)
    model: type[Contract] = models[name]
    told = model.model_validate_json(json.dumps(EXAMPLES[name]))
    shown = told.model_dump(mode="json", exclude_unset=True)
    assert shown == EXAMPLES[name]
