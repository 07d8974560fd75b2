"""The published schemas are those of the models, and never break what was released."""

import json
from pathlib import Path

import pytest

from schemas.catalog import (
    DIRECTIONS,
    FOLDER,
    RELEASED,
    TOPICS,
    as_text,
    file_name,
    files,
    main,
    published_schemas,
)
from schemas.committed import old, renew
from schemas.compatibility import incompatible_changes


def test_the_committed_schemas_are_the_generated_ones() -> None:
    """After changing a model, run `python -m schemas.catalog --write`."""
    assert FOLDER / "orders.v1.schema.json" in files(FOLDER)
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", sorted(DIRECTIONS))
def test_no_released_schema_is_broken(name: str) -> None:
    """What was released can still be sent, and what we send can still be read."""
    released = json.loads((RELEASED / file_name(name)).read_text(encoding="utf-8"))
    assert incompatible_changes(released, published_schemas()[name], DIRECTIONS[name]) == []


def test_every_release_is_still_published() -> None:
    """A released schema never goes away."""
    released = {path.name for path in RELEASED.glob("*.json")}
    assert released == {file_name(name) for name in DIRECTIONS}


def test_schemas_are_written_the_same_way_every_time(tmp_path: Path) -> None:
    """Sorted keys, and an old or unknown file is noticed."""
    renew(files(tmp_path))
    assert old(files(tmp_path)) == []
    (tmp_path / "orders.v1.schema.json").write_text("{}")
    (tmp_path / "extra.json").write_text("{}")
    assert {path.name for path in old(files(tmp_path))} == {"extra.json", "orders.v1.schema.json"}
    renew(files(tmp_path))
    assert old(files(tmp_path)) == []
    assert not (tmp_path / "extra.json").exists()
    assert as_text({"b": 1, "a": 2}) == '{\n  "a": 2,\n  "b": 1\n}\n'


def test_the_topics_are_those_of_the_design() -> None:
    """Four in, six out; compacted: current tiers, differences of a shadow, receipts."""
    ins = [name for name, topic in TOPICS.items() if topic.direction == "in"]
    assert ins == ["orders", "interactions", "profiles", "controls"]
    compacted = [name for name, topic in TOPICS.items() if topic.compacted]
    assert compacted == ["customer-tiers", "tier-differences", "erasure-receipts"]
    assert len(TOPICS) == 10
