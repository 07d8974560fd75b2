"""How long topics keep records: by the records' own timestamps, which in a replay are old."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, KafkaTimeoutError, for_code

from agents import kafka

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agents.settings import Settings

FOREVER: Final = -1
RETENTION: Final = "retention.ms"
_LOOKS = 50
_LOOK_EVERY_S = 0.1
_OWN_SETTING = 1  # https://kafka.apache.org/protocol: ConfigSource DYNAMIC_TOPIC_CONFIG


async def topic_configs(
    settings: Settings, topics: Iterable[str], *, own: bool = False
) -> dict[str, dict[str, str]]:
    """Return the configuration of each topic, or only what was set for that topic itself.

    Topics whose configuration may not be read are left out.

    Raises:
        aiokafka.errors.KafkaError: The broker cannot be reached.
    """
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    admin = kafka.admin(settings)
    await admin.start()
    try:
        answers: list[Any] = await admin.describe_configs(wanted)
    finally:
        await admin.close()
    return {
        name: {
            key: value
            for key, value, _, source, *_ in entries
            if value is not None and (source == _OWN_SETTING or not own)
        }
        for answer in answers
        for error, _, _, name, entries in answer.resources
        if error == 0
    }


async def set_retention(settings: Settings, topics: Iterable[str], retention_ms: int) -> None:
    """Let *topics* keep records for *retention_ms*, or `FOREVER`; compacted ones keep theirs.

    Raises:
        aiokafka.errors.KafkaError: The broker refused, or cannot be reached.
    """
    known = await topic_configs(settings, topics, own=True)
    # The request replaces what was set: send that along.
    wanted = [
        ConfigResource(ConfigResourceType.TOPIC, name, {**config, RETENTION: str(retention_ms)})
        for name, config in known.items()
        if config.get("cleanup.policy") != "compact"
    ]
    admin = kafka.admin(settings)
    await admin.start()
    try:
        answers: list[Any] = await admin.alter_configs(wanted)
    finally:
        await admin.close()
    for answer in answers:
        for error, message, *_ in answer.resources:
            if error:
                raise for_code(error)(message)
    await _await_retention(settings, [resource.name for resource in wanted], retention_ms)


async def _await_retention(settings: Settings, topics: list[str], retention_ms: int) -> None:
    """Wait until the broker goes by what it has accepted; that may take it a moment."""
    for _ in range(_LOOKS):
        configs = await topic_configs(settings, topics)
        if all(config.get(RETENTION) == str(retention_ms) for config in configs.values()):
            return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise KafkaTimeoutError(f"{RETENTION} was accepted but does not hold: {', '.join(topics)}")


async def forgetful(settings: Settings, topics: Iterable[str], age_ms: int) -> Mapping[str, int]:
    """Return the topics that delete records of *age_ms*, with how long they keep them."""
    try:
        configs = await topic_configs(settings, topics)
    except KafkaError:
        return {}  # not allowed to look: then nothing is known against it
    kept = {name: int(config.get(RETENTION, FOREVER)) for name, config in configs.items()}
    return {name: kept_ms for name, kept_ms in kept.items() if 0 <= kept_ms < age_ms}
