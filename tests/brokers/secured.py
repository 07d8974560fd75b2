"""Apache Kafka and Redis that ask who is there, over TLS, and give nobody more than was granted."""

from __future__ import annotations

import shlex
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import redis
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest

from agents.embedded import EmbeddedRedis
from agents.embedded.redis_server import ASK_WITHIN_S
from agents.embedded.server import HOST
from agents.kafka import connection
from agents.settings import KafkaSecurity, Settings
from tests.brokers.apache_kafka import ApacheKafka
from tests.documented import run_documented

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"
DEFAULT_PASSWORD = "default-secret"  # noqa: S105 - of a server that lives for one test

# The broker talks to itself as a user of its own listener. Its controller listens on loopback,
# in the clear: that is the anonymous super user, who cannot come in through the other listener.
SECURITY = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:ANONYMOUS
sasl.enabled.mechanisms={mechanism}
sasl.mechanism.inter.broker.protocol={mechanism}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
  org.apache.kafka.common.security.scram.ScramLoginModule required \
  username="{admin}" password="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
auto.create.topics.enable=false
"""

# https://kafka.apache.org/protocol, and ResourceType, PatternType, AclOperation of kafka-clients.
_RESOURCES = {"--topic": 2, "--group": 3, "--transactional-id": 5}
_PATTERNS = {"literal": 3, "prefixed": 4}
_OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10}
_ALLOW = 3


class Authority:
    """The documented trial authority, and a server certificate of it, in a folder."""

    def __init__(self, folder: Path) -> None:
        """Make both."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        run_documented("security.md", "authority", folder)

    @property
    def ca_file(self) -> str:
        """Its certificate."""
        return str(self.folder / "ca.pem")


class SecureKafka(ApacheKafka):
    """One broker with SASL_SSL and ACLs; *passwords* by user name, `ADMIN` may do everything."""

    name = "secure-kafka"
    _protocol = "SASL_SSL"

    def __init__(self, authority: Authority, passwords: Mapping[str, str], **more: Any) -> None:
        super().__init__(**more)
        self._authority = authority
        self._passwords = dict(passwords)

    def security(self, user: str) -> KafkaSecurity:
        """Return how *user* talks to it."""
        return KafkaSecurity(
            "SASL_SSL", MECHANISM, user, self._passwords[user], self._authority.ca_file
        )

    def _security(self) -> str:
        return SECURITY.format(
            admin=ADMIN,
            mechanism=MECHANISM,
            password=self._passwords[ADMIN],
            folder=self._authority.folder,
        )

    def _users(self) -> list[str]:
        return [
            word
            for name, password in self._passwords.items()
            for word in ("--add-scram", f"{MECHANISM}=[name={name},password={password}]")
        ]

    def _answers(self) -> bool:
        trust = ssl.create_default_context(cafile=self._authority.ca_file)
        with (
            socket.socket() as plain,
            trust.wrap_socket(plain, server_hostname=HOST) as secured,
        ):
            secured.settimeout(ASK_WITHIN_S)
            secured.connect((HOST, self.port))
        return True


class SecureRedis(EmbeddedRedis):
    """A Redis that speaks TLS only; its default user is for the tests, with a password."""

    name = "secure-redis"

    def __init__(self, authority: Authority, **more: Any) -> None:
        settings = {
            "tls-cert-file": f"{authority.folder}/server.crt",
            "tls-key-file": f"{authority.folder}/server.key",
            "tls-ca-cert-file": authority.ca_file,
            "tls-auth-clients": "no",
            "requirepass": DEFAULT_PASSWORD,
        }
        super().__init__(settings=settings, **more)
        self._authority = authority

    def url_for(self, user: str, password: str) -> str:
        """Return the URL for a user."""
        return f"rediss://{user}:{password}@{self.address}/0?ssl_ca_certs={self._authority.ca_file}"

    @property
    def url(self) -> str:
        """The URL of the default user, who may do everything."""
        return self.url_for("default", DEFAULT_PASSWORD)

    def _command(self) -> list[str]:
        return [*super()._command(), "--port", "0", "--tls-port", str(self.port)]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=ASK_WITHIN_S) as client:
                return bool(client.info("server")["process_id"] == self.pid)
        except redis.RedisError as exc:
            raise OSError(str(exc)) from exc


async def grant(broker: SecureKafka, commands: str) -> None:
    """Do what `kafka-acls.sh --add` would do for each documented line ``acl …``."""
    creations = [
        creation
        for line in commands.replace("\\\n", " ").splitlines()
        if line.startswith("acl ")
        for creation in acls(shlex.split(line)[1:])
    ]
    settings = replace(Settings(kafka=broker.address), security=broker.security(ADMIN))
    client = AIOKafkaClient(**connection(settings))
    await client.bootstrap()
    try:
        for creation in creations:
            answer: Any = await client.send(client.get_random_node(), CreateAclsRequest(*creation))
            (code, message) = answer.creation_responses[0]
            assert code == 0, (creation, message)
    finally:
        await client.close()


def acls(words: list[str]) -> Iterable[tuple[int, str, int, str, str, int, int]]:
    """Return (resource type, name, pattern, principal, host, operation, allow) of one command.

    >>> list(acls("--allow-principal User:ann --operation Read --group g".split()))
    [(3, 'g', 3, 'User:ann', '*', 3, 3)]
    """
    said = list(zip(words[::2], words[1::2], strict=True))
    principal = dict(said)["--allow-principal"]
    pattern = _PATTERNS[dict(said).get("--resource-pattern-type", "literal")]
    operations = [value for option, value in said if option == "--operation"]
    return [
        (_RESOURCES[option], value, pattern, principal, "*", _OPERATIONS[operation], _ALLOW)
        for option, value in said
        if option in _RESOURCES
        for operation in operations
    ]
