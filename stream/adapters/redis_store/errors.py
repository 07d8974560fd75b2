"""Where redis-py's exceptions stop: each becomes one of the store's, by the caller's next move."""

from __future__ import annotations

from typing import Final

from redis import exceptions

from stream.store import StoreError, StoreMismatch, StoreUnavailable

_PASSING: Final = (
    "OOM",
    "READONLY",
    "LOADING",
    "BUSY",
    "MISCONF",
    "CLUSTERDOWN",
    "NOREPLICAS",
    "MASTERDOWN",
    "TRYAGAIN",
    "MOVED",
    "ASK",
    "UNBLOCKED",
)
"""Codes of replies that say: not now. The command was not executed."""

_REFUSED: Final = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
)

_UNAVAILABLE: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.InvalidResponse,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterError,
    exceptions.RedisClusterException,
    exceptions.TryAgainError,
    exceptions.AskError,
    OSError,
)


def translate(exc: Exception, *, outcome_unknown: bool = False) -> StoreError:
    """Return the store's exception for *exc*; raise it ``from exc``."""
    text = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, _REFUSED):
        return StoreMismatch(f"Redis refuses this user: {text}")
    if isinstance(exc, _UNAVAILABLE) or str(exc).startswith(_PASSING):
        return StoreUnavailable(f"Redis: {text}", outcome_unknown=outcome_unknown)
    return StoreMismatch(f"Redis rejects what it was sent: {text}")
