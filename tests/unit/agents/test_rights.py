"""What a worker asks to be allowed is what the documentation tells people to grant."""

from __future__ import annotations

import re
import shlex

import pytest

from agents.rights import needed
from agents.settings import Role, Settings
from stream.adapters.redis_store import scripts
from tests.documented import documented

SETTINGS = Settings(namespace="shop", alerts=False)


def granted(block: str, user: str) -> set[tuple[str, str, str]]:
    """Return the (operation, kind, name) that a documented block grants to *user*."""
    found = set()
    for line in documented("security.md", block).replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        if words[:1] != ["acl"] or f"User:{user}" not in words:
            continue
        said = list(zip(words[1::2], words[2::2], strict=True))
        (operation,) = (value for option, value in said if option == "--operation")
        found |= {
            (operation, option.removeprefix("--"), value)
            for option, value in said
            if option in {"--topic", "--group", "--transactional-id"}
        }
    return found


@pytest.mark.parametrize(
    ("role", "block", "user"),
    [
        ("all", "kafka-worker", "worker"),
        ("scoring", "kafka-roles", "scoring"),
        ("delivery", "kafka-roles", "relay"),
        ("alerts", "kafka-alerts", "alerts"),
        ("webhooks", "kafka-webhooks", "webhooks"),
    ],
)
def test_the_documented_rights_are_those_that_are_needed(role: Role, block: str, user: str) -> None:
    """No more and no less; of transactional ids the prefix is granted."""
    wanted = {
        (right.operation, right.kind, re.sub(r"relay-[0-9]+", "relay-", right.name))
        for right in needed(SETTINGS, role)
    }
    assert granted(block, user) == wanted


def test_the_documented_redis_user_may_do_what_a_worker_checks_for() -> None:
    """The script that looks for missing rights, what is sent besides, and nothing else."""
    checked = re.findall(r"\{'([A-Z]+)', KEYS", scripts.RIGHTS.source.decode())
    allowed = re.findall(r"\+(\S+)", documented("security.md", "redis-user"))
    assert len(set(allowed)) == len(allowed)
    besides = {"get", "set", "evalsha", "script|load", "publish", "info", "time"}
    assert set(allowed) == {name.lower() for name in checked} | besides


def test_a_worker_with_all_roles_needs_the_rights_of_alerts_where_there_are_routes() -> None:
    alerting = set(needed(Settings(namespace="shop"), "all"))
    assert alerting == {*needed(SETTINGS, "all"), *needed(SETTINGS, "alerts")}


def test_without_the_audit_nothing_is_read_back() -> None:
    """The feed's group and topic are needed for the audit only."""
    rights = needed(Settings(namespace="shop", audit=False), "delivery")
    assert ("Read", "topic", "shop.tier-changes") not in rights
    assert ("Read", "group", "shop-feed") not in rights
