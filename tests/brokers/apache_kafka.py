"""Apache Kafka as one local process: KRaft, one node, no container. No topics and no clients here.

Needs Java 17 or newer, and Maven the first time: the broker's jars (version in pom.xml) are
resolved into ``.cache/`` once. From a shell, until Ctrl-C::

    python -m tests.brokers.apache_kafka run
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from agents.embedded.broker import speaks_kafka
from agents.embedded.server import HOST, EmbeddedServerError, LocalServer, free_port

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache"
RESOLVE_WITHIN_S = 600
FORMAT_WITHIN_S = 60

# Differences from a production broker, each one because a single node could not start or a test
# would only wait. Limits, timeouts of transactions and durability are Kafka's defaults.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners={protocol}://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners={protocol}://{host}:{port}
inter.broker.listener.name={protocol}
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:PLAINTEXT
log.dirs={log_dir}
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=50
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
log.cleaner.dedupe.buffer.size=16777216
"""


def jars() -> Path:
    """Return the folder with the broker's jars; resolves them the first time.

    Raises:
        EmbeddedServerError: There is no Maven, or it could not resolve them.
    """
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    folder = CACHE / f"apache-kafka-{digest}"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        msg = "Apache Kafka needs Maven once; on Debian: apt-get install maven"
        raise EmbeddedServerError(msg)
    # Into a folder of its own, renamed when complete: two runs may resolve at the same time.
    partial = CACHE / f"resolving-{uuid.uuid4().hex}"
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
    resolved = subprocess.run(  # noqa: S603 -- Maven on our own pom
        [maven, "-q", "-B", "-f", str(POM), *goal, "-DincludeScope=runtime"],
        capture_output=True,
        text=True,
        check=False,
        timeout=RESOLVE_WITHIN_S,
    )
    if resolved.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        said = (resolved.stdout + resolved.stderr).strip().splitlines() or ["no output"]
        msg = f"Maven could not resolve Apache Kafka: {said[0]}"
        raise EmbeddedServerError(msg)
    try:
        partial.rename(folder)
    except OSError:  # the other run was first
        shutil.rmtree(partial, ignore_errors=True)
    return folder


class ApacheKafka(LocalServer):
    """One broker and controller in a Java process; used like `EmbeddedBroker`.

    Durable against `kill` (the process dies, the page cache does not).
    """

    name = "apache-kafka"
    _protocol = "PLAINTEXT"
    _controller_port: int | None = None

    def _security(self) -> str:
        """Return what its properties say about security."""
        return ""

    def _users(self) -> list[str]:
        """Return the options that store its first users while its storage is formatted."""
        return []

    def _java(self, main: str, *arguments: str) -> list[str]:
        java = shutil.which("java")
        if java is None:
            msg = "Apache Kafka needs Java 17; on Debian: apt-get install openjdk-17-jre-headless"
            raise EmbeddedServerError(msg)
        level = "-Dorg.apache.logging.log4j.level=WARN"
        return [java, "-Xms256m", "-Xmx768m", level, "-cp", f"{jars()}/*", main, *arguments]

    def _command(self) -> list[str]:
        config = self.data_dir / "server.properties"
        formatted = self.data_dir / "log" / "meta.properties"
        # The controller's port is part of the stored quorum, so it stays over restarts.
        if self._controller_port is None or not formatted.exists():
            self._controller_port = free_port({self.port})
        config.write_text(
            PROPERTIES.format(
                protocol=self._protocol,
                host=HOST,
                port=self.port,
                controller_port=self._controller_port,
                log_dir=formatted.parent,
            )
            + self._security()
        )
        if not formatted.exists():
            self._format(config)
        return self._java("kafka.Kafka", str(config))

    def _format(self, config: Path) -> None:
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = ["format", "-t", cluster_id, "-c", str(config), *self._users()]
        done = subprocess.run(  # noqa: S603 -- Java on the jars we resolved
            self._java("kafka.tools.StorageTool", *command),
            capture_output=True,
            text=True,
            check=False,
            timeout=FORMAT_WITHIN_S,
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
            msg = f"Apache Kafka could not format its storage: {said[-1]}"
            raise EmbeddedServerError(msg)

    def _answers(self) -> bool:
        return speaks_kafka(HOST, self.port)


def main(argv: list[str]) -> int:
    """Run one broker until Ctrl-C or SIGTERM."""
    if argv != ["run"]:
        sys.stderr.write("usage: python -m tests.brokers.apache_kafka run\n")
        return 2
    try:
        with ApacheKafka() as broker:
            # After the start: a child would inherit the mask.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            sys.stdout.write(f"{broker.address} pid {broker.pid} log {broker.log_path}\n")
            sys.stdout.flush()
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except EmbeddedServerError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
