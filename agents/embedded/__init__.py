"""Real servers as child processes: a Kafka-compatible broker and Redis, for demo and tests.

Not for production: the broker loses up to a second of acknowledged records when it is killed,
and both listen on loopback only.
"""

from agents.embedded.broker import EmbeddedBroker
from agents.embedded.redis_server import EmbeddedRedis
from agents.embedded.server import EmbeddedServerError, LocalServer

__all__ = ["EmbeddedBroker", "EmbeddedRedis", "EmbeddedServerError", "LocalServer"]
