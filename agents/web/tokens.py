"""Who may ask: bearer tokens from a file or the environment. Only their digests are kept."""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from agents.settings import PREFIX, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = f"{PREFIX}API_TOKEN"
TOKENS_FILE = f"{PREFIX}API_TOKENS_FILE"
_SHORTEST = 20


class Tokens:
    """The tokens that are accepted, by name; with none, everybody may ask."""

    def __init__(self, tokens: Mapping[str, str] | None = None) -> None:
        """Accept *tokens*, by the name of who has each."""
        self._digests = {name: _digest(token) for name, token in (tokens or {}).items()}

    def __bool__(self) -> bool:
        """Whether any token is needed."""
        return bool(self._digests)

    def owner(self, token: str) -> str | None:
        """Return the name of who has *token*; None where nobody has.

        Takes as long whether the token is nearly right or not.
        """
        given, found = _digest(token), None
        for name, digest in self._digests.items():
            if hmac.compare_digest(digest, given):
                found = name
        return found


def read_tokens(environ: Mapping[str, str], file: Path | None = None) -> Tokens:
    """Return the tokens of a file (``TIERSTREAM_API_TOKENS_FILE``) and of the environment.

    The file has one token a line: a name, a blank, the token; ``#`` begins a comment.

    Raises:
        SettingsError: There is no such file, or a line of it cannot be used. No token is shown.
    """
    found: dict[str, str] = {}
    if file is None and environ.get(TOKENS_FILE):
        file = Path(environ[TOKENS_FILE])
    if file is not None:
        found = _lines(file)
    if token := environ.get(TOKEN):
        _check(TOKEN, token)
        found["environment"] = token
    return Tokens(found)


def _lines(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        message = f"--tokens ({TOKENS_FILE}): {file} cannot be read; allowed: a file of tokens"
        raise SettingsError(message) from exc
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = f"{file}, line {number}"
        if len(words) != 2 or words[0] in found:  # noqa: PLR2004 - a name and a token
            message = f"{where}: not allowed; allowed: a name of its own, a blank, a token"
            raise SettingsError(message)
        name, token = words
        _check(where, token)
        found[name] = token
    if not found:
        message = f"{file}: no token in it; allowed: lines of a name, a blank, a token"
        raise SettingsError(message)
    return found


def _check(where: str, token: str) -> None:
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable():
        message = f"{where}: this token is not allowed; allowed: {_SHORTEST} or more of a-z A-Z 0-9"
        raise SettingsError(message)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
