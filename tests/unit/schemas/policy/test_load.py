"""Reading policies: every mistake is one line that says where, what, and what is allowed."""

import json
from pathlib import Path

import pytest

from schemas.policy import Finding, PolicyFileError, load_policy, parse_policy
from schemas.policy.load import policy_from_data
from tests.unit.schemas.policy.sample import POLICY, line_of

# Blocks of three lines: what to replace in the sample, by what, and how the one finding begins.
TABLE = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8")
MISTAKES = [
    tuple(line.replace("\\n", "\n") for line in block.splitlines()) for block in TABLE.split("\n\n")
]

# Mistakes of a whole mapping stand at its key, not where the text was changed.
NAMED_AT_THEIR_KEY = {
    "gradings.status: ": "  status:",
    "gradings.value: ": "  value:",
    "measures.other: ": "  other:",
}


def findings_of(text: str) -> tuple[Finding, ...]:
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text, "policies/shop.yaml")
    return caught.value.findings


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_a_mistake_is_one_line_at_its_place(old: str, new: str, said: str) -> None:
    """File, line, key, value, and what is allowed; nothing else is complained about."""
    assert POLICY.count(old) >= 1
    text = POLICY.replace(old, new, 1)
    line = line_of(POLICY, old) + old[: _common(old, new)].count("\n")
    for key, first in NAMED_AT_THEIR_KEY.items():
        if said.startswith(key):
            line = line_of(text, first)
    found = findings_of(text)
    assert [str(finding) for finding in found][1:] == [], "only the seeded mistake"
    assert str(found[0]).startswith(f"policies/shop.yaml:{line}: {said}")


def _common(old: str, new: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)


def test_weights_that_do_not_add_up_are_named_with_their_total() -> None:
    """The total is shown, at the indicators."""
    text = POLICY.replace('weight: "40%"', 'weight: "30.5%"')
    line = line_of(text, "    indicators:\n      money")
    (finding,) = findings_of(text)
    assert (finding.line, finding.key) == (line, "gradings.score.indicators")
    assert finding.value == "a total weight of 90.5%"
    assert finding.allowed == "weights that add up to 100%"


def test_all_mistakes_are_shown_at_once_in_file_order() -> None:
    """Faults of form and contradictions between sound parts come out of the same run."""
    text = (
        POLICY.replace("version: 1", "version: x")
        .replace("orders, window: 365d", "orders, window: soon")
        .replace("exit: 800.00", "exit: 2000")
        .replace("keep_days: 90", "keep_days: -1")
    )
    keys = [finding.key for finding in findings_of(text)]
    assert keys == [
        "version",
        "measures.orders.window",
        "gradings.value.tiers.0.exit",
        "gradings.hot.keep_days",
    ]


def test_money_is_read_from_the_text_of_the_file() -> None:
    """1000.10 is exactly 100010 cents, never the nearest binary fraction."""
    policy = parse_policy(POLICY, "shop.yaml")
    grading = policy.gradings["value"]
    assert grading.type == "bands"
    enter = grading.tiers[0].enter
    assert enter is not None
    assert policy.threshold("revenue", enter) == 100_010


def test_a_policy_survives_publishing() -> None:
    """What is written as JSON into a record is read back as the same policy."""
    policy = parse_policy(POLICY, "shop.yaml")
    text = policy.model_dump_json()
    assert parse_policy(text, "record") == policy
    assert policy_from_data(json.loads(text), "record") == policy


def test_binary_floats_are_refused() -> None:
    """A policy that comes as data must carry decimals as strings."""
    data = json.loads(parse_policy(POLICY, "shop.yaml").model_dump_json())
    data["gradings"]["value"]["tiers"][0]["enter"] = 1000.1
    with pytest.raises(PolicyFileError, match=r"^record: gradings\.value\.tiers\.0\.enter: "):
        policy_from_data(data, "record")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "p.yaml:1: missing; allowed: a policy"),
        ("policy: [a", "p.yaml:1: "),
        ("policy: a\n\tversion: 1", "p.yaml:2: "),
        ("a: 1\n---\nb: 2\n", "p.yaml:2: "),
        ("just words", "p.yaml:1: 'just words' is not allowed; allowed: a mapping"),
        ("a: \x07", "p.yaml:1: the character U+0007 is not allowed; allowed: printable text"),
        ("? [a]\n: 1", "p.yaml:1: a mapping or list as a key is not allowed; allowed: text"),
        ("&a [*a]", "p.yaml:1: "),
        ("[" * 5_000, "p.yaml: nesting this deep is not allowed; allowed: a few levels"),
    ],
)
def test_what_is_not_a_policy_at_all_is_one_line_too(text: str, said: str) -> None:
    """No text, however broken, raises anything but PolicyFileError."""
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text, "p.yaml")
    assert str(caught.value.findings[0]).startswith(said)
    assert all("\n" not in str(finding) for finding in caught.value.findings)


def test_a_file_is_read_as_utf_8(tmp_path: Path) -> None:
    """A byte order mark is fine, other encodings are one line."""
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + POLICY.encode())
    assert load_policy(path).policy == "shop"
    path.write_bytes(POLICY.encode("utf-16"))
    with pytest.raises(PolicyFileError, match="allowed: text in UTF-8"):
        load_policy(path)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """The system's words, not a traceback."""
    with pytest.raises(PolicyFileError, match="no such file or directory is not allowed"):
        load_policy(tmp_path / "none.yaml")
