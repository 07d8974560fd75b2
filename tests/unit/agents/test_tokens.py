"""Tokens: where they come from, and what a mistake in the file is told as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.settings import SettingsError
from agents.web.server import Serving, check, read_simulation
from agents.web.tokens import MANAGE_TOKEN, TOKEN, Tokens, read_tokens
from tests.web.conftest import wholesale_plan

if TYPE_CHECKING:
    from pathlib import Path

LONG = "0123456789abcdefghij"


def test_a_file_and_the_environment_name_who_may_ask(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# who\ncrm {LONG}\n\nchat {LONG[::-1]} # read only\n")
    tokens = read_tokens({TOKEN: LONG * 2}, file)
    assert [tokens.owner(token) for token in (LONG, LONG[::-1], LONG * 2, "no")] == [
        "crm",
        "chat",
        "environment",
        None,
    ]


def test_only_those_may_manage_of_whom_it_is_said(tmp_path: Path) -> None:
    """By a word in the file, or with a token of the environment for just that."""
    file = tmp_path / "tokens"
    file.write_text(f"crm {LONG}\nboss {LONG[::-1]} manage # webhooks\n")
    tokens = read_tokens({TOKEN: LONG * 2, MANAGE_TOKEN: LONG * 3}, file)
    given = [LONG, LONG[::-1], LONG * 2, LONG * 3, "no"]
    assert [tokens.manager(token) for token in given] == [None, "boss", None, "manager", None]
    assert [tokens.owner(token) for token in given[1::2]] == ["boss", "manager"]
    assert Tokens().manager("") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "crm\n",
        "crm short\n",
        f"a {LONG}\na {LONG}x\n",
        f"a b {LONG}",
        f"a {LONG} read",
        f"a {LONG} manage all",
    ],
)
def test_a_mistake_in_the_file_is_told_without_the_token(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(SettingsError, match="allowed") as mistake:
        read_tokens({}, file)
    assert LONG not in str(mistake.value)
    assert "short" not in str(mistake.value)


def test_others_can_reach_it_only_with_tokens() -> None:
    plan = wholesale_plan()
    with pytest.raises(SettingsError, match=r"--host: 0\.0\.0\.0 is not allowed without tokens"):
        check(Serving("0.0.0.0"), plan)  # noqa: S104 - what is refused
    check(Serving("0.0.0.0", tokens=Tokens({"crm": LONG})), plan)  # noqa: S104
    check(Serving("localhost"), plan)


def test_an_amount_that_is_no_money_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--amount: recency is not allowed; allowed: profit"):
        check(Serving(amount="recency"), wholesale_plan())


def test_what_is_no_simulation_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "simulation.json"
    file.write_text("{}")
    with pytest.raises(SettingsError, match=r"--simulation: .* is not allowed"):
        read_simulation(file)


def test_tokens_are_never_shown() -> None:
    assert LONG not in repr(Serving(tokens=Tokens({"crm": LONG})))
