"""A policy may keep a learned tree in a file beside it; what is published holds the tree."""

import json
from pathlib import Path

import pytest

from schemas.policy import PolicyFileError, load_policy, parse_policy
from schemas.policy.load import policy_from_data

POLICY = """\
policy: p
version: 1
time_zone: UTC
currency: USD
measures:
  orders: {count: orders}
gradings:
  learned:
    type: tree
    file: trees/one.json
"""
TREE = {
    "grades": ["a", "b"],
    "measures": {"orders": "count"},
    "root": {
        "measure": "orders",
        "at_most": 3,
        "missing": "low",
        "low": {"grade": "b"},
        "high": {"grade": "a", "counts": {"a": 2}},
    },
}


def written(folder: Path, tree: str) -> Path:
    """Write a policy and its tree."""
    (folder / "trees").mkdir()
    (folder / "trees" / "one.json").write_text(tree, encoding="utf-8")
    path = folder / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def test_a_tree_is_read_from_its_file_into_the_policy(tmp_path: Path) -> None:
    """The file is found from the policy's folder, and the policy travels without it."""
    policy = load_policy(written(tmp_path, json.dumps(TREE)))
    assert policy.grades_of("learned") == ("a", "b")
    data = json.loads(policy.model_dump_json())
    assert data["gradings"]["learned"]["tree"]["root"]["at_most"] == 3
    assert policy_from_data(data, "record") == policy


def one_finding(path: Path) -> str:
    with pytest.raises(PolicyFileError) as caught:
        load_policy(path)
    (finding,) = caught.value.findings
    return str(finding).removeprefix(f"{path}:")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    (tmp_path / "trees" / "one.json").unlink()
    assert one_finding(path) == (
        "10: gradings.learned.file: 'trees/one.json' is not allowed; "
        "allowed: a JSON file beside the policy (no such file or directory)"
    )


@pytest.mark.parametrize("text", ["", "{", "\x00", "[" * 100_000, '{"grades": [}'])
def test_a_file_that_is_not_json_is_one_line(tmp_path: Path, text: str) -> None:
    said = one_finding(written(tmp_path, text))
    assert said.startswith("10: gradings.learned.file: 'trees/one.json' is not allowed; allowed: a")


def test_a_mistake_in_the_tree_stands_at_the_line_that_names_its_file(tmp_path: Path) -> None:
    tree = TREE | {"measures": {"orders": "money"}, "currency": "USD"}
    assert one_finding(written(tmp_path, json.dumps(tree))) == (
        "10: gradings.learned.tree.measures.orders: 'orders' is not allowed; "
        "allowed: a measure of money; this one is count"
    )


def test_thresholds_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    """Money and counts are integers; 3.5 would have to be 3, and whoever exports it must say so."""
    root = TREE["root"] | {"at_most": 3.5}  # type: ignore[operator]
    said = one_finding(written(tmp_path, json.dumps(TREE | {"root": root})))
    assert "tree.root.at_most: '3.5' is not allowed; allowed: a whole number" in said


def test_a_policy_that_is_only_text_can_name_no_file() -> None:
    """What is published over Kafka reads nothing from the disk of those who receive it."""
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(POLICY, "record")
    assert [finding.key for finding in caught.value.findings] == [
        "gradings.learned.tree",
        "gradings.learned.file",
    ]
