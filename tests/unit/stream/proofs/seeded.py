"""Reads the table of mistakes: which edit of the starter policy, and what must be said of it."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from pathlib import Path

from schemas.policy import PolicyFileError
from schemas.policy.load import parse_with_source
from stream.proofs.report import prove

STARTER = (
    importlib.resources.files("deploy").joinpath("policies", "starter.yaml").read_text("utf-8")
)
NAME = "policy.yaml"


@dataclass(frozen=True)
class Seed:
    """One mistake.

    Attributes:
        what: In a few words.
        text: The policy with the mistake in it.
        line: Where it stands.
        said: The lines that must be said of it, from the severity or the key on; each stands at
            `line` unless it names another place.
    """

    what: str
    text: str
    line: int
    said: tuple[str, ...]


def seeds() -> list[Seed]:
    """Return the whole table, in its order."""
    table = Path(__file__).with_name("mistakes.txt").read_text("utf-8")
    return [_seed(block) for block in table.strip().split("\n\n")]


def _seed(block: str) -> Seed:
    lines = [(line[0], line[2:].replace("\\n", "\n")) for line in block.splitlines()]
    text, olds = STARTER, [rest for mark, rest in lines if mark == "-"]
    for old, new in zip(olds, [rest for mark, rest in lines if mark == "+"], strict=True):
        assert old in text, old
        text = text.replace(old, new, 1)
    (at,) = (rest for mark, rest in lines if mark == "@")
    line = text[: text.index(at)].count("\n") + 1
    said = tuple(rest for mark, rest in lines if mark == "=")
    return Seed(next(rest for mark, rest in lines if mark == "#"), text, line, said)


def lines_of(text: str) -> list[str]:
    """Return what `tierstream policy check` says of a policy, line by line."""
    try:
        document, source = parse_with_source(text, NAME)
    except PolicyFileError as exc:
        return [str(finding) for finding in exc.findings]
    return [str(source.place(remark)) for remark in prove(document).remarks]
