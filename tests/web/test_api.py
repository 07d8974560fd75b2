"""The API as a client meets it, on a wholesaler held in memory."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from openapi_spec_validator import validate

from agents.web import openapi
from agents.web.app import create_api
from schemas.tier_changes import TierChange
from tests.web.conftest import TOKEN, wholesaler
from tests.web.sse import events
from tests.web.town import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 60


def got(served: Served, path: str, **asked: Any) -> Any:
    answer = requests.get(f"{served.url}/v1{path}", params=asked, timeout=WITHIN_S)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer.json()


def posted(served: Served, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{served.url}/v1{path}", json=body, timeout=WITHIN_S)


def somebody(served: Served, tier: str = "gold") -> str:
    return str(
        got(served, f"/gradings/value/tiers/{tier}/members", limit=1)["members"][0]["customer_id"]
    )


def test_tiers_add_up_to_everybody(served: Served) -> None:
    told = got(served, "/gradings")
    assert told["customers"] > 90
    for grading in told["gradings"]:
        counted = sum(tier["customers"] for tier in grading["tiers"]) + grading["not_graded"]
        assert counted == told["customers"], grading["grading"]


def test_amounts_add_up_in_every_grading(served: Served) -> None:
    """A share needs a whole: whoever is graded brings in the same whichever way they are cut."""
    told = got(served, "/gradings")
    assert told["amount"] == "profit_365d"
    sums = {
        grading["grading"]: sum(tier["amount_minor"] for tier in grading["tiers"])
        for grading in told["gradings"]
    }
    assert sums["value"] == sums["segment"] == sums["lifecycle"] != 0


def test_members_by_pages_are_everyone_in_the_tier_once(served: Served) -> None:
    def pages() -> Iterator[str]:
        after = 0
        while after is not None:
            page = got(served, "/gradings/value/tiers/lead/members", after=after, limit=7)
            yield from (member["customer_id"] for member in page["members"])
            after = page["next"]

    members = list(pages())
    (value,) = (g for g in got(served, "/gradings")["gradings"] if g["grading"] == "value")
    (lead,) = (tier for tier in value["tiers"] if tier["tier"] == "lead")
    assert len(members) == len(set(members)) == lead["customers"] > 7


def test_the_largest_of_a_tier_come_first(served: Served) -> None:
    members = got(served, "/gradings/value/tiers/gold/largest", limit=5)["members"]
    amounts = [member["amount_minor"] for member in members]
    assert amounts == sorted(amounts, reverse=True)
    assert min(amounts) >= 1_600_000


def test_flows_count_every_change_once(served: Served) -> None:
    days = got(served, "/gradings/value/flows", days=1000)["days"]
    counted = Counter[tuple[str | None, str | None]]()
    for day in days:
        for flow in day["flows"]:
            counted[flow["from"], flow["to"]] += flow["changes"]
        assert sum(f["changes"] for f in day["flows"]) == sum(c["changes"] for c in day["causes"])
    told = [change for change in all_changes(served) if change["grading"] == "value"]
    assert counted == Counter((change["from"], change["to"]) for change in told)
    assert [day["date"] for day in days] == sorted(day["date"] for day in days)


def all_changes(served: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after, more = "0.0", True
    while more:
        page = got(served, "/changes", after=after, limit=500)
        found += page["changes"]
        after, more = page["next"], page["more"]
    return found


def test_changes_by_pages_are_chains_without_a_gap(served: Served) -> None:
    """Per customer and grading 1, 2, 3, ..., each from the last to."""
    last: dict[tuple[str, str], tuple[int, str | None]] = {}
    for change in all_changes(served):
        TierChange.model_validate(change)
        key = change["customer_id"], change["grading"]
        sequence, tier = last.get(key, (0, change["from"]))
        assert (change["sequence"], change["from"]) == (sequence + 1, tier)
        last[key] = change["sequence"], change["to"]
    assert len(last) > 500


def test_without_a_cursor_the_newest_changes_come(served: Served) -> None:
    newest = got(served, "/changes", limit=3)
    instants = sorted(change["instant"] for change in all_changes(served))
    assert [change["instant"] for change in newest["changes"]] == instants[-3:]
    assert got(served, "/changes", after=newest["next"])["changes"] == []


def test_changes_of_one_grading_and_direction(served: Served) -> None:
    found = got(served, "/changes", grading="value", direction="down", limit=50)["changes"]
    assert {(change["grading"], change["direction"]) for change in found} == {("value", "down")}


@pytest.mark.parametrize("cursor", ["0", "1.2.3", "999999.0"])
def test_a_cursor_of_another_topic_is_gone(served: Served, cursor: str) -> None:
    answer = requests.get(f"{served.url}/v1/changes", {"after": cursor}, timeout=WITHIN_S)
    assert answer.status_code == HTTPStatus.GONE
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_stream_goes_on_behind_the_last_event_seen(served: Served) -> None:
    wanted = all_changes(served)
    seen = list(itertools.islice(events(served.url, "0.0"), 400))
    rest = list(itertools.islice(events(served.url, seen[-1][0]), 300))
    assert [json.loads(data) for _, data in [*seen, *rest]] == wanted[:700]


def test_the_card_explains_itself(served: Served) -> None:
    """Parts of a score and its rounding add up; the ladder names the tier."""
    card = posted(served, "/customers/card", customer_id=somebody(served)).json()
    value = card["gradings"]["value"]
    assert value["tier"] == "gold"
    assert [rung["tier"] for rung in value["standing"]["tiers"]] == [
        "platinum",
        "gold",
        "iron",
        "lead",
    ]
    assert value["standing"]["level"] == card["measures"]["profit_365d"]["value"]
    score = card["gradings"]["strength"]["score"]
    whole = sum(float(part["contribution"]) for part in score["parts"]) + float(score["rounding"])
    assert whole == pytest.approx(float(score["value"]))


def test_history_forecast_and_activity_are_of_the_same_customer(served: Served) -> None:
    who = somebody(served)
    history = posted(served, "/customers/history", customer_id=who).json()
    assert [t["sequence"] for t in history["transitions"] if t["grading"] == "value"]
    forecast = posted(served, "/customers/forecast", customer_id=who, days=400).json()
    assert forecast["gradings"]["value"]["expected"]["tier"] in {"iron", "lead", "platinum"}
    activity = posted(served, "/customers/activity", customer_id=who).json()
    assert sum(day["events"] for day in activity["kinds"]["orders"]) > 0


def test_nobody_knows_a_stranger(served: Served) -> None:
    answer = posted(served, "/customers/card", customer_id="nobody")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.json()["detail"] == "nothing is known of this customer"


def test_candidates_are_the_closest_and_still_stand_there(served: Served) -> None:
    found = got(served, "/candidates", grading="value")["candidates"]
    missing = [one["missing"] / one["enter"] for one in found]
    assert missing == sorted(missing)
    for one in found[:5]:
        card = posted(served, "/customers/card", customer_id=one["customer_id"]).json()
        standing = card["gradings"]["value"]["standing"]
        assert (standing["next_tier"], standing["missing"]) == (one["to"], one["missing"])


def test_whoever_is_at_risk_is_foretold_to_fall_at_that_instant(served: Served) -> None:
    told = got(served, "/at-risk")
    assert told["total"] == len(told["warnings"]) > 0
    for warning in told["warnings"]:
        body = {"customer_id": warning["customer_id"]}
        forecast = posted(served, "/customers/forecast", **body).json()
        expected = forecast["gradings"][warning["grading"]]["expected"]
        assert (expected["tier"], expected["at"]) == (
            warning["expected_tier"],
            warning["expected_at"],
        )
        assert warning["expected_at"] > told["now"]


def test_matrices_show_where_their_cells_part(served: Served) -> None:
    told = {one["grading"]: one for one in got(served, "/matrices")["matrices"]}
    assert list(told) == ["kaism", "boston"]
    boston = told["boston"]
    (high_x,), (high_y,) = boston["columns"]["levels"], boston["rows"]["levels"]
    cells = {(True, True): "star", (True, False): "cow", (False, True): "question"}
    for point in boston["points"]:
        place = point["x"] >= high_x, point["y"] >= high_y
        assert point["tier"] == cells.get(place, "dog")


def test_the_policy_in_force_comes_with_its_labels(served: Served) -> None:
    told = got(served, "/policies/in-force")
    assert told["labels"]["profit_365d"] == {"en": "Profit in a year", "zh": "近一年利润"}
    assert got(served, "/policies") == {"in_force": told["policy"], "published": []}


def test_a_simulation_stands_beside_the_policy_in_force(served: Served) -> None:
    """Everyone is counted under both; without one the page hides it, and the API says 404."""
    assert got(served, "/policies/in-force")["simulated"]
    told = got(served, "/simulation")
    for grading in told["gradings"].values():
        for side in ("old", "new"):
            counted = sum(tier["customers"] for tier in grading["tiers"][side].values())
            assert counted == told["customers"] == sum(f["customers"] for f in grading["matrix"])
    movers = told["gradings"]["value"]["movers"]
    assert {(one["old"], one["new"]) for one in movers} == {("platinum", "gold")}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/nothing", 404),
        ("/v1/gradings/none/flows", 404),
        ("/v1/gradings/value/tiers/tin/members", 404),
        ("/v1/gradings/value/flows?days=0", 422),
        ("/v1/changes?after=x", 422),
        ("/v1/customers/card", 405),
        ("/static/../app.py", 404),
    ],
)
def test_mistakes_are_problems(served: Served, path: str, status: int) -> None:
    answer = requests.get(served.url + path, timeout=WITHIN_S)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_what_a_client_sent_is_not_sent_back(served: Served) -> None:
    """An id may be a phone number: errors end up in logs."""
    answer = posted(served, "/customers/card", customer_id="+86 138 0000 0000", more="secret")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "138" not in answer.text
    assert "secret" not in answer.text


def test_without_the_token_nothing_is_told(guarded: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        for path in ("/v1/gradings", "/v1/health", "/v1/changes/stream"):
            answer = requests.get(guarded.url + path, headers=headers, timeout=WITHIN_S)
            assert answer.status_code == HTTPStatus.UNAUTHORIZED
            assert answer.headers["www-authenticate"] == "Bearer"
    known = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.get(f"{guarded.url}/v1/gradings", headers=known, timeout=WITHIN_S)
    assert answer.status_code == HTTPStatus.OK


def test_another_name_that_points_here_is_turned_away(served: Served) -> None:
    """A page elsewhere could have its own name resolve to loopback and ask in our stead."""
    answer = requests.get(
        f"{served.url}/v1/gradings", headers={"Host": "evil.example"}, timeout=WITHIN_S
    )
    assert answer.status_code == HTTPStatus.MISDIRECTED_REQUEST


def test_browsers_are_told_to_trust_nothing_else(served: Served) -> None:
    headers = requests.get(f"{served.url}/v1/health", timeout=WITHIN_S).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_until_the_topics_are_read_it_says_so() -> None:
    town = wholesaler()
    town.board.caught_up = False
    with Served(town) as served:
        assert got(served, "/health")["status"] == "rebuilding"
        for path in ("/v1/gradings", "/v1/changes/stream", "/readyz"):
            answer = requests.get(served.url + path, timeout=WITHIN_S)
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE


def test_an_erased_customer_is_in_no_answer() -> None:
    town = wholesaler()
    with Served(town) as served:
        who = somebody(served)
        town.board.take_tiers(who.encode(), None)
        assert who not in json.dumps([all_changes(served), got(served, "/candidates", limit=200)])
        for path in ("/at-risk", "/matrices", "/gradings/value/tiers/gold/members"):
            assert who not in json.dumps(got(served, path))


def test_the_committed_document_is_that_of_the_code() -> None:
    """Renew it with: python -m agents.web.openapi --write."""
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.as_text()


def test_the_document_is_openapi_3_1() -> None:
    document = create_api(None).openapi()
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_no_path_has_a_place_for_a_customer() -> None:
    """Ids in URLs are written down by proxies, and kept by browsers."""
    document = json.loads(Path(openapi.FILE).read_text(encoding="utf-8"))
    for path, methods in document["paths"].items():
        assert "customer" not in path.replace("/v1/customers/", "")
        for operation in methods.values():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert not any("customer" in name for name in names), path
