"""What `tierstream doctor` finds: one thing looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: ``fail`` where tierstream would not work, or not keep its promises.
        what: What was looked at.
        text: How it is.
        remedy: What to do; "" where nothing is to be done.
    """

    level: Level
    what: str
    text: str
    remedy: str = ""


def ok(what: str, text: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding("ok", what, text)


def warn(what: str, text: str, remedy: str) -> Finding:
    """Return a finding that can wait."""
    return Finding("warn", what, text, remedy)


def fail(what: str, text: str, remedy: str) -> Finding:
    """Return a finding that cannot wait."""
    return Finding("fail", what, text, remedy)
