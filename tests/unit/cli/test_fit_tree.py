"""`tierstream fit tree`: from history to a tree that a policy can name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from agents.cli.commands import app
from agents.cli.errors import CommandError, said
from agents.replay import scikit_tree
from agents.replay.scikit_tree import NoScikitLearnError
from schemas.policy import load_policy
from stream.plan import compile_policy
from tests.properties.driver import Run
from tests.unit.replay.histories import HEADER, POLICY, written
from tests.unit.stream.policies import paid

if TYPE_CHECKING:
    from pathlib import Path

T0 = 1_704_103_200_000
HISTORY = HEADER + "".join(
    f"\nc{number},1,paid,2024-01-01T10:00:00Z,{20 + 2 * number}.00,USD" for number in range(60)
)


def fitted(folder: Path, *more: str) -> dict[str, object]:
    """Fit a tree on 60 customers who paid 20.00 to 138.00 each, once."""
    policy, history = written(folder, POLICY, "policy.yaml"), written(folder, HISTORY)
    arguments = ["fit", "tree", str(history), "--policy", str(policy), "--target", "value"]
    arguments += ["--out", str(folder / "tree.json"), "--least", "1", "--json", *more]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_what_is_learned_from_history_grades_by_a_policy_that_names_the_file(
    tmp_path: Path,
) -> None:
    """Tiers by revenue are found again from revenue, without scikit-learn at scoring time."""
    pytest.importorskip("sklearn")
    told = fitted(tmp_path, "--measures", "revenue_30d,orders")
    assert (told["training"], told["customers"], told["as_of"]) == (
        1.0,
        60,
        "2024-01-01T10:00:00.000Z",
    )
    share, common = told["held_out"], told["most_common"]
    assert isinstance(share, float)
    assert isinstance(common, float)
    assert share > common
    named = POLICY + "  learned: {type: tree, file: tree.json}\n"
    plan = compile_policy(load_policy(written(tmp_path, named, "named.yaml")))
    run = Run(plan)
    run.apply([paid(1, T0, 30_00)])
    run.apply([paid(2, T0 + 1, 30_00), paid(3, T0 + 2, 90_00)])
    moves = [change.after for change in run.changes if change.grading == "learned"]
    assert moves == ["bronze", "silver", "gold"]


def test_measures_may_be_read_some_days_before_the_grades(tmp_path: Path) -> None:
    """40 days on, the revenue of 30 days is gone, and everyone is bronze: there is one leaf."""
    pytest.importorskip("sklearn")
    more = ["--as-of", "2024-02-10", "--ahead", "39", "--measures", "revenue_30d"]
    told = fitted(tmp_path, *more)
    assert told["grades"] == ["bronze"]
    tree = json.loads((tmp_path / "tree.json").read_text())
    assert tree["root"]["grade"] == "bronze"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--measures", "revenu"], "--measures: 'revenu' is not allowed; allowed: revenue_30d, or"),
        (["--measures", "orders", "--ahead", "9"], "--ahead: 9 days before the grades, nothing"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, more: list[str], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        fitted(tmp_path, *more)
    assert str(caught.value).startswith(said)


def test_without_scikit_learn_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.tree", None)
    with pytest.raises(NoScikitLearnError) as caught:
        scikit_tree.fit([[1]], [0], depth=1, least=1)
    line = said(caught.value)
    assert line is not None
    assert line.endswith("run: pip install 'tierstream[fit]'")
