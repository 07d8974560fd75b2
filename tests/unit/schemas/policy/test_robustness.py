"""Whatever is done to a policy file, its author gets lines, never a traceback."""

import contextlib
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import PolicyDocument, PolicyFileError, parse_policy
from schemas.policy.load import policy_from_data
from tests.unit.schemas.policy.sample import POLICY

JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    "",
    "x",
    "full",
    "12.5%",
    "revenue",
    [],
    {},
    [[]],
    {"a": {}},
]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [at] if at else []
    for key, part in inner:
        if isinstance(part, dict | list):
            found += places(part, (*at, key))
        else:
            found.append((*at, key))
    return found


PLACES = places(yaml.safe_load(POLICY))


def outcome(text: str) -> PolicyDocument | tuple[str, ...]:
    try:
        return parse_policy(text, "p.yaml")
    except PolicyFileError as exc:
        return tuple(map(str, exc.findings))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK)), max_size=3))
def test_any_value_anywhere_is_accepted_or_explained(changes: list[tuple[Any, Any]]) -> None:
    """Every part of the file replaced by every sort of junk, also several at once."""
    data = yaml.safe_load(POLICY)
    for (*steps, last), junk in changes:
        place = data
        try:
            for step in steps:
                place = place[step]
            place[last] = junk
        except (KeyError, IndexError, TypeError):
            continue
    answer = outcome(yaml.safe_dump(data))
    assert isinstance(answer, PolicyDocument) or all(
        line and "\n" not in line and "allowed: " in line for line in answer
    )
    with contextlib.suppress(PolicyFileError):
        policy_from_data(data, "record")


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(POLICY)), st.integers(0, 40), st.text(max_size=3))
def test_any_edit_is_accepted_or_explained(start: int, length: int, text: str) -> None:
    """Characters cut out and put in at random."""
    answer = outcome(POLICY[:start] + text + POLICY[start + length :])
    assert answer
