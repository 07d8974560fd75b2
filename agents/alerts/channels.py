"""Where channels are reached: addresses are secrets, from the environment or from a file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from agents.settings import PREFIX, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.settings import Settings

VARIABLE = f"{PREFIX}CHANNEL_"
_FILE = f"{PREFIX}CHANNELS_FILE"


def variable_of(channel: str) -> str:
    """Return the variable that may hold the address of a channel.

    >>> variable_of("north-desk")
    'TIERSTREAM_CHANNEL_NORTH_DESK'
    """
    return VARIABLE + re.sub(r"[^A-Z0-9]", "_", channel.upper())


class Addresses:
    """Where each channel is reached: URLs as apprise reads them, one or several.

    A variable of the environment stands before the file. Nothing here is ever shown.
    """

    __slots__ = ("_environ", "_file")

    def __init__(self, file: Mapping[str, tuple[str, ...]], environ: Mapping[str, str]) -> None:
        self._file = dict(file)
        self._environ = environ

    def of(self, channel: str) -> tuple[str, ...]:
        """Return the addresses of a channel; none where nobody has named any."""
        said = self._environ.get(variable_of(channel))
        return tuple(said.split()) if said else self._file.get(channel, ())


def read_addresses(settings: Settings, environ: Mapping[str, str] | None = None) -> Addresses:
    """Return the addresses in the file that the settings name, and in the environment.

    Raises:
        SettingsError: The file cannot be read, or says something else; the message shows no
            address.
    """
    environ = os.environ if environ is None else environ
    if not settings.channels_file:
        return Addresses({}, environ)
    try:
        data = yaml.safe_load(Path(settings.channels_file).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as exc:
        why = getattr(exc, "strerror", None) or "not YAML in UTF-8"
        raise SettingsError(
            f"{_FILE}: {settings.channels_file!r} is not allowed ({why.lower()}); allowed: "
            "a YAML file of channels and their addresses"
        ) from None  # the cause would quote the file
    found: dict[str, tuple[str, ...]] = {}
    for name, said in (data if isinstance(data, dict) else {"": None}).items():
        listed = [said] if isinstance(said, str) else said
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise SettingsError(
                f"{settings.channels_file}: {name}: this value is not allowed; allowed: an "
                "address (a URL that apprise reads), or a list of them"
            )
        found[str(name)] = tuple(listed)
    return Addresses(found, environ)
