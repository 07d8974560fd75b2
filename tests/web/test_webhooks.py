"""Managing webhooks by the API, on a real Redis."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import requests

from stream.adapters.redis_endpoints import RedisEndpoints
from stream.adapters.redis_queue import Entry
from tests.web.conftest import MANAGING, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.town import Served

WITHIN_S = 60
NOBODY = "ep_" + 16 * "0"


def ask(served: Served, method: str, path: str = "", token: str = MANAGING, **body: Any) -> Any:
    """Ask for something below `/v1/webhooks`."""
    return requests.request(
        method,
        f"{served.url}/v1/webhooks{path}",
        json=body if method == "POST" else None,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=WITHIN_S,
    )


@pytest.fixture
def store(redis_url: str, guarded: Served) -> Iterator[RedisEndpoints]:
    """Where endpoints are kept; none is left behind."""
    prefix = guarded.town.desk.settings.key_prefix
    made = RedisEndpoints(redis_url, prefix=prefix, area="webhooks")
    yield made
    for endpoint in made.endpoints():
        made.remove(endpoint.id)
    made.close()


def test_an_endpoint_is_added_shown_changed_and_removed(
    guarded: Served, store: RedisEndpoints
) -> None:
    """Its secret is told when it is made or changed, and nowhere else."""
    answer = ask(guarded, "POST", url="https://example.com/hook", topics=["tier-changes"])
    assert answer.status_code == HTTPStatus.CREATED
    made = answer.json()
    store.post([Entry(made["id"], f"{made['id']}/m{n}", b"{}", 0) for n in range(3)])
    store.settle(made["id"], f"{made['id']}/m0", "park", at_ms=1, why="refused")

    shown = ask(guarded, "GET", f"/{made['id']}")
    assert shown.json() | {"created_at": ""} == {
        "id": made["id"],
        "url": "https://example.com/hook",
        "topics": ["tier-changes"],
        "created_at": "",
        "status": "enabled",
        "why": "",
        "waiting": 2,
        "given_up": 1,
    }
    listed = ask(guarded, "GET")
    assert listed.json()["endpoints"] == [shown.json()]
    assert listed.headers["Cache-Control"] == "no-store"

    rotated = ask(guarded, "POST", f"/{made['id']}/secret", overlap_hours=1).json()
    (kept,) = store.endpoints()
    assert [one.text for one in kept.secrets] == [rotated["secret"], made["secret"]]

    disabled = ask(guarded, "POST", f"/{made['id']}/disable").json()
    assert (disabled["status"], disabled["why"]) == ("disabled", "by boss")
    assert ask(guarded, "POST", f"/{made['id']}/enable").json() == shown.json()

    assert ask(guarded, "DELETE", f"/{made['id']}").status_code == HTTPStatus.NO_CONTENT
    assert ask(guarded, "DELETE", f"/{made['id']}").status_code == HTTPStatus.NOT_FOUND
    assert ask(guarded, "GET").json() == {"endpoints": []}
    assert store.parked() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "https:///nowhere",
        "https://example.com/a b",
    ],
)
def test_a_url_that_the_command_refuses_is_refused(
    guarded: Served, store: RedisEndpoints, url: str
) -> None:
    answer = ask(guarded, "POST", url=url)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.json()["detail"] == (
        "body.url: not allowed; allowed: an https:// URL without user and password"
    )
    assert store.endpoints() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", f"/{NOBODY}"),
        ("DELETE", f"/{NOBODY}"),
        *(("POST", f"/{NOBODY}/{what}") for what in ("secret", "disable", "enable", "replay")),
    ],
)
def test_only_a_token_that_may_manage_gets_anywhere(
    guarded: Served, served: Served, method: str, path: str
) -> None:
    """Not one for asking only, and nobody where the server has no tokens at all."""
    assert ask(guarded, method, path, TOKEN).status_code == HTTPStatus.FORBIDDEN
    assert ask(guarded, method, path, "").status_code == HTTPStatus.UNAUTHORIZED
    for token in ("", MANAGING):
        assert ask(served, method, path, token).status_code == HTTPStatus.FORBIDDEN


def test_a_manager_may_also_ask(guarded: Served) -> None:
    headers = {"Authorization": f"Bearer {MANAGING}"}
    answer = requests.get(f"{guarded.url}/v1/gradings", headers=headers, timeout=WITHIN_S)
    assert answer.ok


def test_a_replay_without_kafka_can_be_tried_again(guarded: Served, store: RedisEndpoints) -> None:
    del store
    made = ask(guarded, "POST", url="https://example.com/hook").json()
    answer = ask(guarded, "POST", f"/{made['id']}/replay", since="2026-01-01T00:00:00Z")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["detail"] == "Kafka does not answer; try again"
