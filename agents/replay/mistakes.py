"""A mistake in a file or a name that was to be replayed, said in one line."""

from __future__ import annotations

_SHOWN = 60


class ReplayFileError(Exception):
    """What was to be replayed cannot be used; the user has to change it.

    Attributes:
        file: Name of the file or data set as the user gave it.
        line: Line of the mistake, from 1; 0 when the file as a whole is meant.
        column: Column or field; "" when the line as a whole is meant.
        value: What was found there, None when something is missing.
        allowed: What may stand there, in words.
    """

    def __init__(
        self, file: str, *, allowed: str, line: int = 0, column: str = "", value: str | None = None
    ) -> None:
        """Say where the mistake is, what was found, and what is *allowed*.

        >>> print(ReplayFileError("o.csv", line=3, column="amount", value="1,5", allowed="1.50"))
        o.csv:3: amount: '1,5' is not allowed; allowed: 1.50
        """
        self.file, self.line, self.column = file, line, column
        self.value, self.allowed = value, allowed
        place = f"{file}:{line}" if line else file
        key = f"{column}: " if column else ""
        said = "missing" if value is None else f"{_quoted(value)} is not allowed"
        super().__init__(f"{place}: {key}{said}; allowed: {allowed}")


def _quoted(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
