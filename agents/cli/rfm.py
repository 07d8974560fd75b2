"""`tierstream rfm`: the 125 cells of a log, what they are worth, and whom to contact."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated

import typer

from agents.cli import options, rfm_tables, show
from agents.cli.cuts import Log
from agents.cli.errors import CommandError
from agents.replay.snapshots import Snapshot, customers_who_ordered, snapshots
from agents.replay.source import load_log
from schemas.policy import PolicyDocument
from stream.calendar import DAY_MS
from stream.plan import compile_policy
from stream.population.cells import Cell, Member, break_even, grades, tabulate
from stream.population.census import census
from stream.population.sampling import in_test_group

Money = Annotated[str | None, typer.Option(metavar="AMOUNT", rich_help_panel="Break-even")]


@dataclass(frozen=True, slots=True)
class Report:
    """What the command tells.

    Attributes:
        document: The policy.
        grading: Name of the grading with the cells.
        now_ms: As of when.
        cells: All 125.
        members: Every customer.
        days: Length of the period in which responses are counted, up to `now_ms`.
        needed: Response at which a contact pays; None if nobody asked.
        one_in: The test group is one in so many; None if nobody asked.
        chosen: Who are in it.
    """

    document: PolicyDocument
    grading: str
    now_ms: int
    cells: list[Cell]
    members: list[Member]
    days: int
    needed: Fraction | None
    one_in: int | None
    chosen: frozenset[str]


def rfm(  # noqa: PLR0913, PLR0917 - these are the options of a command
    source: Log,
    policy: options.Policy = None,
    as_of: options.AsOf = None,
    grading: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which rfm_cells grading; without it, the only one."),
    ] = None,
    response_days: Annotated[
        int,
        typer.Option(
            min=1, help="A response is an order in so many days after the customer was in the cell."
        ),
    ] = 30,
    contact_cost: Money = None,
    profit_per_sale: Money = None,
    test_group: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Pick one customer in N by a hash of the id."),
    ] = None,
    grid: Annotated[
        bool, typer.Option("--grid", help="Five by five, R by F, instead of the list of cells.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show the 125 RFM cells: customers, revenue, response, and who is worth contacting.

    Response: of those who stood in a cell --response-days before --as-of, the share that
    ordered since. Break-even: --contact-cost over --profit-per-sale; cells that reach it are
    worth a contact. Quintiles that the policy does not freeze are those of the log.
    """
    document = options.policy_from(options.settings_from(policy=policy))
    name = _grading(document, grading)
    needed = _needed(contact_cost, profit_per_sale)
    as_of_ms = options.instant_from(as_of)
    log = load_log(source, as_of_ms)
    now_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    earlier_ms = now_ms - response_days * DAY_MS
    with show.progress_bar() as bar:
        earlier_records = sum(record.record_ms <= earlier_ms for record in log)
        task = bar.add_task("rfm", total=len(log) + earlier_records)
        before = snapshots(log, document, earlier_ms, lambda done: bar.advance(task, done))
        now = snapshots(log, document, now_ms, lambda done: bar.advance(task, done))
    members = _members(document, name, now, now_ms)
    chosen = frozenset(
        m.customer_id for m in members if test_group and in_test_group(m.customer_id, test_group)
    )
    cells = tabulate(
        members,
        _members(document, name, before, earlier_ms),
        customers_who_ordered(log, earlier_ms, now_ms),
        chosen,
    )
    report = Report(
        document, name, now_ms, cells, members, response_days, needed, test_group, chosen
    )
    if as_json:
        show.print_json(rfm_tables.data(report))
    else:
        rfm_tables.tell(report, grid=grid)


def _grading(document: PolicyDocument, wanted: str | None) -> str:
    known = [name for name, part in document.gradings.items() if part.type == "rfm_cells"]
    if wanted in known:
        return str(wanted)
    if wanted is not None:
        allowed = ", ".join(known) or "none: the policy has no grading of type rfm_cells"
        raise CommandError(f"--grading: {wanted!r} is not allowed; allowed: {allowed}")
    if not known:
        raise CommandError(f"{document.policy}: this policy has no grading of type rfm_cells")
    if len(known) > 1:
        raise CommandError(f"--grading: missing; allowed: {', '.join(known)}")
    return known[0]


def _needed(cost: str | None, profit: str | None) -> Fraction | None:
    if cost is None and profit is None:
        return None
    if cost is None or profit is None:
        missing = "--contact-cost" if cost is None else "--profit-per-sale"
        raise CommandError(f"{missing}: missing; both or neither are needed for the break-even")
    amounts = (_amount("--contact-cost", cost), _amount("--profit-per-sale", profit))
    return break_even(*amounts)


def _amount(option: str, text: str) -> Fraction:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise CommandError(f"{option}: {text!r} is not allowed; allowed: an amount, such as 0.62")
    return Fraction(amount)


def _members(
    document: PolicyDocument, grading: str, found: list[Snapshot], at_ms: int
) -> list[Member]:
    """Grade everyone by the policy, with the cuts of these very customers where it has none."""
    rows = [customer.values for customer in found]
    plan = compile_policy(document, census(document, rows))
    codes = grades(plan, grading, rows, at_ms)
    return [
        Member(customer.customer_id, code, customer.revenue_minor)
        for customer, code in zip(found, codes, strict=True)
    ]
