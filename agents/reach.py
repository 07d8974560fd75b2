"""Whether Kafka lets this process in; if not, why, in one line."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from agents.kafka import connection

if TYPE_CHECKING:
    from agents.settings import Settings

_WITHIN_MS = 10_000
_REFUSALS = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


class RefusedError(Exception):
    """Kafka and this process will not talk to each other; the message is one line.

    Waiting does not help: a setting, a certificate or a password is wrong.
    """


async def knock(settings: Settings) -> None:
    """Connect to one of the bootstrap servers, and say who we are.

    Raises:
        RefusedError: A server was there, and trust or the user failed.
        KafkaConnectionError: None could be talked to; the message says why the last could not.
        SettingsError: A certificate file cannot be used.
    """
    arguments = connection(settings)
    why = f"{settings.kafka!r} names no server"
    for host, port, _ in collect_hosts(arguments.pop("bootstrap_servers")):
        server = f"{host}:{port}"
        try:
            (await create_conn(host, port, request_timeout_ms=_WITHIN_MS, **arguments)).close()
        except ssl.SSLCertVerificationError as exc:
            message = (
                f"the certificate of {server} is not trusted: {exc.verify_message}; "
                "see TIERSTREAM_KAFKA_CA_FILE"
            )
            raise RefusedError(message) from exc
        except _REFUSALS as exc:
            message = f"{server} refuses user {settings.security.username!r}: {_said(exc)}"
            raise RefusedError(message) from exc
        except ssl.SSLError as exc:
            why = f"{server} does not speak TLS as we do ({exc.reason or exc})"
        except KafkaConnectionError:
            why = (
                f"{server} closed the connection: it may not speak "
                f"{settings.security.protocol} (TIERSTREAM_KAFKA_PROTOCOL), "
                "or want a certificate of ours"
            )
        except (KafkaError, OSError, TimeoutError) as exc:
            why = f"{server}: {_said(exc)}"
        else:
            return
    raise KafkaConnectionError(why)


def _said(exc: BaseException) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__
