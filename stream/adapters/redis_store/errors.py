"""Where redis-py's exceptions stop: each becomes one of the store's, by the caller's next move."""

from __future__ import annotations

from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Final

from redis import exceptions

from stream.store import StoreError, StoreMismatch, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def _reasons(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def translate(exc: Exception, *, outcome_unknown: bool = False) -> StoreError:
    """Return the store's exception for *exc*; raise it ``from exc``."""
    text = f"{type(exc).__name__}: {exc}"
    # The cluster client, and redis-py while it connects, wrap what says most.
    for reason in _reasons(exc):
        if isinstance(reason, _REFUSED):
            return StoreMismatch(f"Redis refuses this user: {type(reason).__name__}: {reason}")
        if isinstance(reason, SSLCertVerificationError):
            why = f"the certificate of Redis is not trusted: {reason.verify_message}"
            return StoreMismatch(f"{why}; see ssl_ca_certs in docs/security.md")
    if isinstance(exc, _UNAVAILABLE) or str(exc).startswith(_PASSING):
        return StoreUnavailable(f"Redis: {text}", outcome_unknown=outcome_unknown)
    return StoreMismatch(f"Redis rejects what it was sent: {text}")
