"""The command as a user meets it: exit codes, one line for a mistake, JSON for machines."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command

from agents.cli.commands import app
from agents.replay.export import FILES
from tests.unit.replay.histories import HISTORY, POLICY, written

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-m", "agents.cli.main")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "", "COLUMNS": "200", **environment},
    )


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return str(written(tmp_path, POLICY, "policy.yaml"))


@pytest.fixture
def history(tmp_path: Path) -> str:
    return str(written(tmp_path, HISTORY))


@pytest.fixture
def nobody() -> str:
    """Return an address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_an_offline_replay_tells_machines_what_it_came_to(
    history: str, policy: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run("replay", history, "--offline", "--policy", policy, "--export", str(out), "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["records"], told["customers"], told["refused"]) == (6, 2, {})
    assert told["customers_by_tier"]["value"] == {"gold": 0, "silver": 1, "bronze": 1}
    assert {path.name for path in out.iterdir()} == set(FILES)


def test_two_replays_of_a_file_write_the_same_bytes(
    history: str, policy: str, tmp_path: Path
) -> None:
    written_twice = []
    for name in ("one", "two"):
        run("replay", history, "--offline", "--policy", policy, "--export", str(tmp_path / name))
        written_twice.append([p.read_bytes() for p in sorted((tmp_path / name).iterdir())])
    assert written_twice[0] == written_twice[1]
    changes, customers, _ = written_twice[0]
    assert changes
    assert customers


def test_people_see_tiers_causes_and_a_sum(history: str, policy: str) -> None:
    done = run("replay", history, "--offline", "--policy", policy)
    assert "Customers per tier" in done.stdout
    assert "6 records of 2 customers up to 2024-01-05" in done.stdout


def test_an_explanation_adds_up_and_says_what_comes_next(history: str, policy: str) -> None:
    done = run("explain", "ann", "--offline", history, "--policy", policy)
    assert done.returncode == 0
    for text in (
        "value    silver  2024-01-04 10:00:00",
        "29.50 USD more: gold (from 100.00 USD); one order is enough",
        "kept down to 50.00 USD: 20.50 USD of margin",
        "if nothing happens: bronze on 2024-01-31 10:00:00",
    ):
        assert text in done.stdout


def test_a_forecast_says_what_when_and_what_prevents_it(history: str, policy: str) -> None:
    done = run("forecast", "ann", "--offline", history, "--policy", policy)
    assert done.returncode == 0, done.stderr
    for text in ("silver", "bronze", "2024-01-31 10:00:00, in 26 days", "one order of "):
        assert text in done.stdout
    chinese = run("forecast", "ann", "--offline", history, "--policy", policy, "--lang", "zh")
    assert "26 天后" in chinese.stdout


def test_a_forecast_for_machines_says_how_far_it_looked(history: str, policy: str) -> None:
    where = ("forecast", "ann", "--offline", history, "--policy", policy, "--json")
    far = json.loads(run(*where).stdout)["gradings"]["value"]
    assert (far["tier"], far["expected"]["tier"]) == ("silver", "bronze")
    assert far["expected"]["at"] == "2024-01-31T10:00:00.000Z"
    assert far["expected"]["prevention"]["orders"] == 1
    near = json.loads(run(*where, "--days", "3").stdout)["gradings"]["value"]
    assert near["expected"] is None
    assert near["not_before"] <= far["expected"]["at"]


def test_an_explanation_in_chinese_uses_the_labels_of_the_policy(
    history: str, tmp_path: Path
) -> None:
    labelled = POLICY.replace(
        "revenue_30d: {sum: revenue, window: 30d}",
        "revenue_30d: {sum: revenue, window: 30d, label: {zh: 近三十天销售额}}",
    ).replace("{tier: gold,", "{tier: gold, label: {zh: 黄金},")
    policy = str(written(tmp_path, labelled, "policy.yaml"))
    done = run("explain", "ann", "--offline", history, "--policy", policy, "--lang", "zh")
    assert done.returncode == 0
    for text in (
        "客户 ann",
        "近三十天销售额",
        "再增 29.50 USD",
        "2024-01-31 10:00:00 变为 bronze",
    ):
        assert text in done.stdout


def test_machines_are_told_what_would_change_a_tier(history: str, policy: str) -> None:
    done = run("explain", "ann", "--offline", history, "--policy", policy, "--json")
    found = json.loads(done.stdout)["gradings"]["value"]["counterfactual"]
    assert found["orders"] == {"to": "gold", "amount_minor": 2_950, "orders": 1}
    (worse,) = found["worse"]
    assert (worse["measure"], worse["at"], worse["to"]) == ("revenue_30d", 4_999, "bronze")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["replay", "none.csv", "--offline"], "--policy: missing; allowed: a policy file"),
        (["replay", "cdnow", "--offline", "--policy", "none.yaml"], "none.yaml: "),
        (["replay", "none.csv", "--offline", "--policy", "{policy}"], "none.csv: "),
        (["replay", "{history}", "--offline", "--policy", "{policy}", "--as-of", "x"], "--as-of: "),
        (["replay", "{history}", "--offline", "--policy", "{policy}", "--speed", "2"], "--speed: "),
        (["explain", "ann", "--policy", "{policy}", "--at", "soon"], "--at: 'soon' is not"),
        (
            ["explain", "ann", "--policy", "{policy}", "--at", "2024-01-01", "--kafka", "{nobody}"],
            "Kafka cannot be reached: ",
        ),
        (["explain", "eve", "--offline", "{history}", "--policy", "{policy}"], "customer 'eve' is"),
        (["topics", "create", "--partitions", "7"], "--partitions: 7 is not allowed"),
        (["topics", "create", "--retention", "1w"], "--retention: '1w' is not allowed"),
        (["replay", "{history}", "--kafka", "{nobody}"], "Kafka cannot be reached: "),
        (["topics", "create", "--kafka", "{nobody}"], "Kafka cannot be reached: "),
        (["explain", "a", "--policy", "{policy}", "--redis", "redis://{nobody}/0"], "Redis: "),
        (
            ["export", "out", "--policy", "{policy}", "--redis", "nonsense"],
            "--redis (TIERSTREAM_REDIS): this URL is",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(
    arguments: list[str], line: str, history: str, policy: str, nobody: str
) -> None:
    given = [a.format(history=history, policy=policy, nobody=nobody) for a in arguments]
    done = run(*given)
    said = [text for text in done.stderr.splitlines() if text and text != "waiting for a worker"]
    assert done.returncode == 1
    assert len(said) == 1
    assert said[0].startswith(f"error: {line}")


def test_a_wrong_command_line_is_exit_code_2() -> None:
    assert run("replay", "--sideways").returncode == 2


def test_settings_that_cannot_be_used_are_one_line() -> None:
    done = run("replay", "cdnow", TIERSTREAM_BUCKETS="many")
    assert done.returncode == 1
    assert done.stderr.startswith("error: TIERSTREAM_BUCKETS: 'many' is not allowed")


def test_a_policy_is_checked_with_one_line_for_each_mistake(policy: str, tmp_path: Path) -> None:
    bad = written(tmp_path, POLICY.replace("window: 30d", "window: 30"), "bad.yaml")
    assert run("policy", "check", policy).returncode == 0
    done = run("policy", "check", str(bad))
    assert done.returncode == 1
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["7", "9"]
    told = json.loads(run("policy", "check", str(bad), "--json").stdout)
    assert [finding["line"] for finding in told["findings"]] == [7, 9]


def test_doctor_names_a_remedy_for_what_it_cannot_reach(nobody: str) -> None:
    done = run("doctor", "--kafka", nobody, "--redis", f"redis://{nobody}/0", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    failed = {f["what"]: f["remedy"] for f in told["findings"] if f["level"] == "fail"}
    assert failed.keys() == {"broker", "redis"}
    assert all(failed.values())


def test_version_is_told() -> None:
    told = json.loads(run("version", "--json").stdout)
    assert told.keys() == {"tierstream", "python"}
    assert run("--version").stdout.startswith(f"tierstream {told['tierstream']} on Python ")


def test_help_lists_every_command_with_what_it_is_for() -> None:
    shown = run("--help").stdout
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        assert command.name == name
        assert command.help
        assert f" {name} " in shown


def test_a_command_imports_what_it_needs_and_no_more() -> None:
    """To ask for the version needs neither Faust nor a web server: a second and more."""
    asked = "from agents.cli.commands import app; app(['version'], standalone_mode=False)"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", f"{asked}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    imported = set(done.stdout.split())
    assert "agents.cli.about" in imported
    assert not imported & {"faust", "fastapi", "apprise"}
