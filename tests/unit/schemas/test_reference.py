"""The references are those of the models, and a reader finds everything in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from schemas.catalog import TOPICS
from schemas.messages import VALUES
from schemas.policy.document import PolicyDocument
from schemas.reference import __main__ as reference
from schemas.reference import events, policy

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {"events.md": events.as_text(), "policy-reference.md": policy.as_text()}


def test_the_committed_pages_are_the_generated_ones() -> None:
    """After changing a model, run `python -m schemas.reference --write` (or make generate)."""
    assert reference.main(["--check"]) == 0


def test_an_old_page_is_noticed_and_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check names it."""
    monkeypatch.setattr(reference, "DOCS", tmp_path)
    assert reference.main(["--write"]) == reference.main(["--check"]) == 0
    (tmp_path / "events.md").write_text("# Events\n")
    assert reference.main(["--check"]) == 1
    assert "events.md: out of date" in capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_a_page_leads_to_one_section(page: str) -> None:
    """As GitHub makes anchors of headings."""
    text = PAGES[page]
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_said_in_regular_expressions(page: str) -> None:
    """Every pattern has words; one that is new needs some in `schemas.reference.words`."""
    assert "text of the form" not in PAGES[page]


def test_every_topic_and_every_model_has_a_section() -> None:
    """Nothing that goes in or comes out is left out."""
    headings = set(re.findall(r"^#+ (.+)$", PAGES["events.md"], re.MULTILINE))
    assert headings >= set(TOPICS)
    assert headings >= {model.__name__ for models in VALUES.values() for model in models}


def test_every_grading_has_an_example() -> None:
    """Out of policies that are shipped, and so are tested. A tree comes from `tierstream fit`."""
    for section in re.split(r"^### ", PAGES["policy-reference.md"], flags=re.MULTILINE):
        if section.startswith("Grading ") and not section.startswith("Grading tree"):
            assert "```yaml" in section, section.splitlines()[0]


def test_every_key_of_the_language_is_there() -> None:
    """Each property of each part, under its own heading."""
    text = PAGES["policy-reference.md"]
    schema = PolicyDocument.model_json_schema()
    for definition in [schema, *schema["$defs"].values()]:
        for key in definition.get("properties", {}):
            assert f"\n| `{key}`" in text
