"""`tierstream policy check` and `policy init` as the owner of a policy meets them."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import pytest

from schemas.policy import load_policy
from stream.proofs.report import prove
from tests.unit.cli.test_command import run

SHIPPED = [
    *(
        Path(str(file))
        for file in importlib.resources.files("deploy").joinpath("policies").iterdir()
        if file.name.endswith(".yaml")
    ),
    Path(__file__).parents[2] / "bench" / "policy.yaml",
]


@pytest.fixture
def doubtful(tmp_path: Path) -> str:
    """Return a policy with a tier out of reach, a hundred lines down."""
    path = tmp_path / "doubtful.yaml"
    path.write_text(
        "#\n" * 90
        + """\
policy: doubtful
version: 1
time_zone: UTC
currency: USD
measures:
  share: {ratio: {of: refunded, to: gross}}
gradings:
  risk:
    type: bands
    measure: share
    tiers: [{tier: "impossible", enter: "101%"}, {tier: some, enter: "1%"}, {tier: none}]
""",
        encoding="utf-8",
    )
    return str(path)


@pytest.mark.parametrize("file", SHIPPED, ids=[file.name for file in SHIPPED])
def test_every_shipped_policy_has_no_errors(file: Path) -> None:
    report = prove(load_policy(file))
    assert [remark for remark in report.remarks if remark.severity == "error"] == []


def test_a_warning_is_one_line_and_passes(doubtful: str) -> None:
    """Its line number comes out as written, whatever a terminal makes of ":100:"."""
    done = run("policy", "check", doubtful)
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if ": warning: " in line]
    assert line == (
        f"{doubtful}:101: warning: gradings.risk.tiers.0: nobody can reach impossible: it starts "
        "at 101%, but share is never above 100%; lower it"
    )
    assert "2 of 3" in done.stdout
    assert "0 errors, 1 warnings, 1 notes" in done.stdout


def test_warnings_fail_where_strict(doubtful: str) -> None:
    assert run("policy", "check", doubtful, "--strict").returncode == 1


def test_machines_are_told_what_was_proved(doubtful: str) -> None:
    told = json.loads(run("policy", "check", doubtful, "--json").stdout)
    assert told["ok"] is True
    assert [(f["severity"], f["line"], f["key"]) for f in told["findings"]] == [
        ("warning", 101, "gradings.risk.tiers.0"),
        ("note", 98, "gradings.risk"),
    ]
    risk = told["gradings"]["risk"]
    assert (risk["reachable"], risk["unreachable"]) == (2, 1)
    assert risk["more_orders_never_lower"] == "open"
    assert risk["witnesses"].keys() == {"some", "none"}
    assert risk["witnesses"]["some"]["share"].endswith("%")


def test_examples_for_every_grade_are_shown_on_request(doubtful: str) -> None:
    assert "such as" not in run("policy", "check", doubtful).stdout
    shown = run("policy", "check", doubtful, "--witnesses").stdout
    assert "risk: a customer for every grade" in shown


def test_a_first_policy_is_written_and_passes(tmp_path: Path) -> None:
    """Also where warnings fail."""
    path = tmp_path / "mine.yaml"
    done = run("policy", "init", str(path))
    assert done.returncode == 0
    assert f"tierstream policy check {path}" in done.stdout
    assert run("policy", "check", str(path), "--strict").returncode == 0


def test_a_file_is_written_over_only_when_forced(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine", encoding="utf-8")
    done = run("policy", "init", str(path))
    assert done.returncode == 1
    assert done.stderr == f"error: {path}: exists; allowed: a new file, or --force\n"
    assert path.read_text(encoding="utf-8") == "mine"
    assert run("policy", "init", str(path), "--force").returncode == 0
    assert load_policy(path).policy == "starter"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = run("policy", "init", str(tmp_path / "none" / "mine.yaml"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/none/mine.yaml: no such file or directory; ")
