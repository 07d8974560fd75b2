"""A mistake in a policy file, said in one line, and the error that carries all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_SHOWN = 60

Location = tuple[str | int, ...]
"""Keys and list positions from the top of the file down to a value."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake at a place in a policy, before the file and line are known.

    Attributes:
        location: Where it is.
        value: What stands there, as shown to the user; None when something is missing.
        allowed: What may stand there.
        at_key: True when the key itself is the mistake, not what it holds.
    """

    location: Location
    value: str | None
    allowed: str
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake of the policy's author.

    Attributes:
        file: Name of the file as the user gave it.
        line: Line of the mistake, from 1; 0 when the file as a whole is meant.
        key: Keys from the top of the file joined with dots, list positions from 0.
        value: What was written there; None when something is missing.
        allowed: What may stand there, in words.
    """

    file: str
    line: int
    key: str
    value: str | None
    allowed: str

    def __str__(self) -> str:
        """Return the one line that is shown to the user."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key}: " if self.key else ""
        said = "missing" if self.value is None else f"{self.value} is not allowed"
        return f"{place}: {key}{said}; allowed: {self.allowed}"


Severity = Literal["error", "warning", "note"]
"""error: cannot be used; warning: surely not what was meant; note: worth knowing."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found out about a policy that can be used, before file and line are known.

    Attributes:
        severity: How bad it is.
        location: Where to look.
        text: What it is and what to do about it, in one line for the author.
        at_key: True when the key itself is meant, not what it holds.
    """

    severity: Severity
    location: Location
    text: str
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class PlacedRemark:
    """A remark with its place in the file.

    Attributes:
        file: Name of the file as the user gave it.
        line: From 1; 0 when the policy did not come from a file.
        key: Keys from the top of the file joined with dots, list positions from 0.
    """

    file: str
    line: int
    key: str
    severity: Severity
    text: str

    def __str__(self) -> str:
        """Return the one line that is shown to the user."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.severity}: {self.key}: {self.text}"


class PolicyFileError(Exception):
    """The policy cannot be used. The user has to change the file.

    Attributes:
        findings: Every mistake found, in the order of the file; at least one.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep *findings*; the message is one line for each."""
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


def shown(value: object) -> str:
    """Return *value* as a user would recognise it, at most about 60 characters.

    >>> shown("abc"), shown(True), shown(None), shown({}), shown(12)
    ("'abc'", "'true'", 'nothing', 'a mapping', "'12'")
    """
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
