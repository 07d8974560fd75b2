"""One signed POST, to an address that may be reached from here. Blocks."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable

_PORTS = {"http": 80, "https": 443}
_OK = range(200, 300)
_MOST_READ = 64_000
GONE = 410


class Target(NamedTuple):
    """A URL taken apart."""

    scheme: str
    host: str
    port: int
    path: str


class UrlError(ValueError):
    """A URL cannot be an endpoint's; the message says what is allowed."""


def target_of(url: str, *, private: bool) -> Target:
    """Take a URL apart.

    Args:
        url: Of an endpoint.
        private: Whether plain http, and addresses that are not public, are allowed.

    Raises:
        UrlError: It is none, or names a user, or http is not allowed.
    """
    allowed = "an https:// URL without user and password"
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as exc:
        raise UrlError(allowed) from exc
    schemes = ("http", "https") if private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or not url.isascii():
        raise UrlError(allowed)
    if any(character <= " " for character in url):
        raise UrlError(allowed)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path)


def addresses_of(target: Target, *, private: bool) -> list[str]:
    """Return the addresses of a host. All must be public, unless *private* is allowed.

    Raises:
        UrlError: One is not: whoever names a host could else reach into our own network.
        OSError: The host is not known.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not private and not all(_is_public(address) for address in addresses):
        raise UrlError("a host whose addresses are all public (TIERSTREAM_WEBHOOK_PRIVATE)")
    return addresses


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    found = found if inner is None else inner
    return found.is_global and not found.is_multicast


def signed(message_id: str, body: bytes, secrets: Iterable[str], now_ms: int) -> dict[str, str]:
    """Return the headers of Standard Webhooks: one signature for each secret.

    >>> signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}',
    ...     ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], 1614265330000)["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    signatures = [Webhook(secret).sign(message_id, moment, body.decode()) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": " ".join(signatures),
    }


def post(url: str, body: bytes, headers: dict[str, str], timeout_s: float, *, private: bool) -> int:
    """POST *body* and return the status; redirects are not followed.

    The connection goes to an address that was looked at, so that a name that changes meanwhile
    leads nowhere else.

    Raises:
        UrlError: The URL, or an address of its host, is not allowed.
        OSError: Nobody was reached, or not over TLS that is trusted.
        http.client.HTTPException: What came back is not HTTP.
    """
    target = target_of(url, private=private)
    (address, *_) = addresses_of(target, private=private)
    connection = _Connection(target, address, timeout_s)
    try:
        sent = {"content-type": "application/json", "user-agent": "tierstream", **headers}
        connection.request("POST", target.path, body, sent)
        answer = connection.getresponse()
        answer.read(_MOST_READ)
        return answer.status
    finally:
        connection.close()


def is_taken(status: int) -> bool:
    """Whether an answer says that the message was taken."""
    return status in _OK


class _Connection(http.client.HTTPConnection):
    """A connection to a host by one address of it."""

    def __init__(self, target: Target, address: str, timeout_s: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout_s)
        self._target = target
        self._address = address
        self._within_s = timeout_s

    def connect(self) -> None:
        """Connect, over TLS by the host's name where the URL says https."""
        place = (self._address, self._target.port)
        self.sock: socket.socket = socket.create_connection(place, self._within_s)
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._target.host)
