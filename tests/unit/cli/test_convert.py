"""`tierstream convert` as a newcomer meets it: from a shop's export to a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from agents.cli.commands import app
from agents.cli.errors import CommandError
from agents.replay.orders_csv import read_orders

if TYPE_CHECKING:
    from pathlib import Path

EXPORT = "\ufeffBestellnummer;Kundennummer;Datum;Betrag;Status\nB1;K7;26.10.2024;1.062,09;bezahlt\n"
SAID = ("--currency", "EUR", "--decimal", ",", "--time-zone", "Europe/Berlin")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(EXPORT)
    return path


def convert(export: Path, *options: str) -> str:
    """Run the command; return what it said. Raises what it refuses with."""
    command = ["convert", str(export), str(export.with_name("orders.csv")), *options]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_written_is_what_a_replay_reads(export: Path) -> None:
    said = convert(export, *SAID, "--kind", "bezahlt=paid")
    (row,) = read_orders(export.with_name("orders.csv"))
    assert (row.customer_id, row.order_id, row.amount_minor, row.currency) == (
        "K7",
        "B1",
        106_209,
        "EUR",
    )
    assert "1 lines of 1 customers" in said
    assert "customer_id  Kundennummer" in said


def test_a_file_that_is_there_stays_unless_forced(export: Path) -> None:
    orders = export.with_name("orders.csv")
    orders.write_text("mine")
    with pytest.raises(CommandError, match="exists; allowed: a new file, or --force"):
        convert(export, *SAID, "--kind", "bezahlt=paid")
    assert orders.read_text() == "mine"
    convert(export, *SAID, "--kind", "bezahlt=paid", "--force")
    assert len(list(read_orders(orders))) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--kind", "bezahlt"), "--kind: 'bezahlt' is not allowed; allowed: VALUE=KIND, KIND one"),
        (("--kind", "bezahlt=sold"), "one of paid, refunded, cancelled, skip"),
        (("--column", "total=Betrag"), "allowed: OURS=THEIRS, OURS one of customer_id"),
        (("--currency", "Euro"), "--currency: 'Euro' is not allowed; allowed: an ISO 4217 code"),
        (("--decimal", ";"), "--decimal: ';' is not allowed; allowed: , or ."),
        (("--time-zone", "Berlin"), "--time-zone: 'Berlin' is not allowed; allowed: an IANA"),
        (("--encoding", "excel"), "--encoding: 'excel' is not allowed; allowed: utf-8"),
    ],
)
def test_a_wrong_option_is_one_line(export: Path, options: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        convert(export, *options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_export_without_an_order_is_told(export: Path) -> None:
    with pytest.raises(CommandError, match="no order in it"):
        convert(export, *SAID, "--kind", "bezahlt=skip")
