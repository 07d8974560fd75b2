"""Settings of security: mistakes are one line, which never shows a secret."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from agents.kafka import trust
from agents.settings import KafkaSecurity, SettingsError, from_environment
from tests.documented import documented

if TYPE_CHECKING:
    from pathlib import Path

SASL = {"TIERSTREAM_KAFKA_PROTOCOL": "SASL_SSL"}


def test_the_documented_settings_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them arrive, and no secret is in what is printed of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").touch()
    lines = [shlex.split(line) for line in documented("security.md", "settings").splitlines()]
    settings = from_environment(dict(word.split("=", 1) for _, word in lines))
    assert settings.security == KafkaSecurity(
        "SASL_SSL", "SCRAM-SHA-512", "worker", "worker-secret", "ca.pem"
    )
    assert settings.redis.startswith("rediss://tierstream:redis-secret@")
    assert not re.search("(worker|redis)-secret", repr(settings))


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"TIERSTREAM_KAFKA_PROTOCOL": "TLS"}, "_PROTOCOL: 'TLS' is not allowed; allowed: PLAIN"),
        ({**SASL, "TIERSTREAM_KAFKA_MECHANISM": "GSSAPI"}, "_MECHANISM: 'GSSAPI' is not allowed"),
        (SASL, "TIERSTREAM_KAFKA_USERNAME: missing"),
        ({**SASL, "TIERSTREAM_KAFKA_USERNAME": "ann"}, "TIERSTREAM_KAFKA_PASSWORD: missing"),
        ({"TIERSTREAM_LOGS": "text"}, "TIERSTREAM_LOGS: 'text' is not allowed; allowed: console,"),
        (
            {"TIERSTREAM_TRACING": "on"},
            "TIERSTREAM_TRACING: 'on' is not allowed; allowed: off, otlp",
        ),
        ({"TIERSTREAM_REDIS": "http://h:1"}, "this URL is not allowed; allowed: redis://"),
        ({"TIERSTREAM_REDIS": "rediss://h?ssl_ca_certs=no.pem"}, "ssl_ca_certs=no.pem is not"),
    ],
)
def test_a_mistake_names_the_setting_and_what_is_allowed(
    environ: dict[str, str], says: str
) -> None:
    """Before anything is connected."""
    with pytest.raises(SettingsError) as caught:
        from_environment(environ)
    assert says in str(caught.value)


@pytest.mark.parametrize("password", ["se/cret", "se#cret", "se?cret", "[secret", "1/secret"])
def test_a_url_that_cannot_be_read_is_not_shown(password: str) -> None:
    """The reason is most often a character of the password that is not encoded."""
    with pytest.raises(SettingsError) as caught:
        from_environment({"TIERSTREAM_REDIS": f"redis://ann:{password}@h:6379/0"})
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
def test_a_certificate_file_that_cannot_be_used_is_named(tmp_path: Path, setting: str) -> None:
    """Missing, or no PEM."""
    odd = tmp_path / "odd.pem"
    odd.write_text("no certificate")
    for path in (odd, tmp_path / "missing.pem"):
        with pytest.raises(SettingsError, match=rf"KAFKA_{setting.upper()}: '.*{path.name}'"):
            trust(KafkaSecurity("SSL", **{setting: str(path)}))
