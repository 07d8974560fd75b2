"""From what went wrong to one line for the person at the terminal."""

from __future__ import annotations

from typing import Final

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NoBrokersAvailable,
    NodeNotReadyError,
    UnknownTopicOrPartitionError,
)
from redis.exceptions import RedisError

from agents.embedded import EmbeddedServerError
from agents.reach import RefusedError
from agents.rebuilding.errors import RebuildError
from agents.replay.export import ExportError
from agents.replay.mistakes import ReplayFileError
from agents.replay.producer import ReplayTargetError
from agents.replay.reading import MissingTopicError
from agents.replay.scikit_tree import NoScikitLearnError
from agents.settings import SettingsError
from schemas.policy import PolicyFileError
from stream.cltv.fit import FitError
from stream.store import StoreError


class CommandError(Exception):
    """A command cannot do what was asked; the message is one line that says what to do."""


OURS: Final = (
    CommandError,
    EmbeddedServerError,
    ExportError,
    FitError,
    MissingTopicError,
    NoScikitLearnError,
    PolicyFileError,
    RebuildError,
    RefusedError,
    ReplayFileError,
    ReplayTargetError,
    SettingsError,
)
"""Errors whose message is already a line (a policy: one line per finding) for people."""

_UNREACHABLE: Final = (KafkaConnectionError, NoBrokersAvailable, NodeNotReadyError)


def said(exc: BaseException) -> str | None:
    """Return the line that tells a user about *exc*; None where it is a fault of ours."""
    if isinstance(exc, OURS):
        return str(exc)
    if isinstance(exc, UnknownTopicOrPartitionError):
        return f"Kafka: a topic is missing ({one_line(exc)}); run: tierstream topics create"
    if isinstance(exc, _UNREACHABLE):
        return f"Kafka cannot be reached: {one_line(exc)}; see --kafka"
    if isinstance(exc, KafkaError):
        return f"Kafka: {one_line(exc)}"
    if isinstance(exc, StoreError | RedisError):
        text = one_line(exc)
        return f"{text if text.startswith('Redis') else 'Redis: ' + text}; see --redis"
    return None


def one_line(exc: BaseException) -> str:
    r"""Return the message of *exc* in one line; its type where it has none.

    >>> one_line(ValueError("a\n b")), one_line(KeyError())
    ('a b', 'KeyError')
    """
    return " ".join(str(exc).split()) or type(exc).__name__
