"""Removing what the demo made on servers that are not its own."""

from agents import kafka
from agents.cli.stores import client
from agents.settings import INPUTS, OUTBOX, OUTPUTS, Settings

_KEYS_AT_ONCE = 500


async def forget_topics(settings: Settings) -> None:
    """Delete the topics of the namespace; consumer groups without topics expire by themselves.

    Raises:
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    admin = kafka.admin(settings)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        names = [settings.topic(base) for base in (*INPUTS, *OUTPUTS, OUTBOX)]
        await admin.delete_topics([name for name in names if name in existing])
    finally:
        await admin.close()


def forget_redis(settings: Settings) -> None:
    """Delete every key of the namespace.

    Raises:
        RedisError: The server does not answer, or refuses.
    """
    with client(settings) as connection:
        found = connection.scan_iter(match=f"{settings.key_prefix}:*", count=_KEYS_AT_ONCE)
        for key in list(found):
            connection.unlink(key)
