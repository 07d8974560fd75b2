"""Who may ask: bearer tokens from a file or the environment. Only their digests are kept."""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from agents.settings import PREFIX, SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TOKEN = f"{PREFIX}API_TOKEN"
MANAGE_TOKEN = f"{PREFIX}API_MANAGE_TOKEN"
TOKENS_FILE = f"{PREFIX}API_TOKENS_FILE"
_SHORTEST = 20
_MAY_MANAGE = "manage"


class Tokens:
    """The tokens that are accepted, by name; with none, everybody may ask, and nobody manage."""

    def __init__(
        self, tokens: Mapping[str, str] | None = None, managers: Collection[str] = ()
    ) -> None:
        """Accept *tokens*, by the name of who has each; *managers* are those who may manage."""
        self._digests = {name: _digest(token) for name, token in (tokens or {}).items()}
        self._managers = frozenset(managers)

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

    def manager(self, token: str) -> str | None:
        """Return the name of who has *token* and may manage; None where nobody does."""
        name = self.owner(token)
        return name if name in self._managers else None


def read_tokens(environ: Mapping[str, str], file: Path | None = None) -> Tokens:
    """Return the tokens of a file (``TIERSTREAM_API_TOKENS_FILE``) and of the environment.

    The file has one token a line: a name, a blank, the token, and behind another blank ``manage``
    where its owner may change webhooks; ``#`` begins a comment.

    Raises:
        SettingsError: There is no such file, or a line of it cannot be used. No token is shown.
    """
    found: dict[str, str] = {}
    managers: set[str] = set()
    if file is None and environ.get(TOKENS_FILE):
        file = Path(environ[TOKENS_FILE])
    if file is not None:
        found, managers = _lines(file)
    for variable, name in ((TOKEN, "environment"), (MANAGE_TOKEN, "manager")):
        if token := environ.get(variable):
            _check(variable, token)
            found[name] = token
            managers.discard(name)
    if environ.get(MANAGE_TOKEN):
        managers.add("manager")
    return Tokens(found, managers)


def _lines(file: Path) -> tuple[dict[str, str], set[str]]:
    """Return the tokens by name, and who may manage."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        message = f"--tokens ({TOKENS_FILE}): {file} cannot be read; allowed: a file of tokens"
        raise SettingsError(message) from exc
    found: dict[str, str] = {}
    managers: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = f"{file}, line {number}"
        name, token, *more = *words, ""
        if not token or more not in ([""], [_MAY_MANAGE, ""]) or name in found:
            message = (
                f"{where}: not allowed; allowed: a name of its own, a blank, a token, and behind "
                f"another blank {_MAY_MANAGE!r} if it may change webhooks"
            )
            raise SettingsError(message)
        _check(where, token)
        found[name] = token
        if more[0]:
            managers.add(name)
    if not found:
        message = f"{file}: no token in it; allowed: lines of a name, a blank, a token"
        raise SettingsError(message)
    return found, managers


def _check(where: str, token: str) -> None:
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable():
        message = f"{where}: this token is not allowed; allowed: {_SHORTEST} or more of a-z A-Z 0-9"
        raise SettingsError(message)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
