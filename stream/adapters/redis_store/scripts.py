"""The Lua scripts and the digests the server knows them by. No I/O beyond reading the files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """One script.

    Attributes:
        source: Its text.
        sha: Hexadecimal SHA-1 of the text: what EVALSHA calls it by.
    """

    source: bytes
    sha: str


def _read(name: str) -> Script:
    source = resources.files("stream.adapters").joinpath("lua", f"{name}.lua").read_bytes()
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())


COMMIT = _read("commit")
OPEN = _read("open")
HEAD = _read("head")
RIGHTS = _read("rights")
FACTS = _read("facts")
SKIP = _read("skip")
MEMBERS = _read("members")
POST = _read("post")
CLAIM = _read("claim")
SETTLE = _read("settle")
ERASE = _read("erase")
AMEND = _read("amend")
ALL = (COMMIT, OPEN, HEAD, RIGHTS, FACTS, SKIP, MEMBERS, POST, CLAIM, SETTLE, ERASE, AMEND)
