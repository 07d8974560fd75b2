"""Where webhooks may go, and how they are signed."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from agents.dispatch import now_ms
from agents.webhooks.posting import UrlError, addresses_of, post, signed, target_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the specification
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def test_signatures_are_those_of_the_specification() -> None:
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [SECRET], 1614265330000
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_either_secret_of_a_rotation_verifies_and_no_other() -> None:
    body = '{"who": "客户"}'
    headers = signed("m1", body.encode(), [SECRET, OTHER], now_ms())
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(body, headers) == {"who": "客户"}
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + " ", headers)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "https://user:pass@example.com/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://bücher.example/",
        "example.com",
    ],
)
def test_an_endpoint_is_an_https_url_without_a_user(url: str) -> None:
    with pytest.raises(UrlError, match="an https:// URL"):
        target_of(url, private=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_addresses_of_our_own_network_are_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a name leads to a public address and to one of those."""

    def found(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    target = target_of("https://example.com/hook", private=False)
    with pytest.raises(UrlError, match="all public"):
        addresses_of(target, private=False)
    assert addresses_of(target, private=True)[1] == address


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that leads elsewhere a moment later is not asked again."""
    asked: list[str] = []

    def found(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", ("93.184.216.34", 443))]

    def connect(place: tuple[str, int], *_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError(place)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError, match=r"93\.184\.216\.34"):
        post("https://example.com/hook", b"{}", {}, 1.0, private=False)
    assert asked == ["example.com"]
