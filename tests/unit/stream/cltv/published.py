"""Figures that others printed, and the CDNOW sample as they printed it.

* Fader, Hardie and Lee (2005), Marketing Science 24, 275-284: parameters and log-likelihood.
* Hardie's spreadsheet of that paper (brucehardie.com/notes/004): one customer's expectation.
* Fader and Hardie (2013), brucehardie.com/notes/025: the Gamma-Gamma parameters, from the 946
  customers of the sample with a repeat purchase; the expectations of its first ten customers.
"""

from __future__ import annotations

import csv

from agents.replay.cdnow import data_file
from stream.cltv.bgnbd import PurchaseModel
from stream.cltv.gamma_gamma import SpendModel

PURCHASES = PurchaseModel(0.243, 4.414, 0.793, 2.426)
PURCHASES_LOG_LIKELIHOOD = -9582.4
SPEND = SpendModel(6.25, 3.74, 15.44)
SPEND_LOG_LIKELIHOOD = -4055.92
# Customers 1 to 10: expected mean spend.
EXPECTED_SPEND = (24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17)


def table() -> list[tuple[int, float, float, float]]:
    """Return x, t_x and T in weeks, and the mean repeat spend, of every customer in order."""
    with data_file("cdnow_customers_summary_with_transactions.csv").open() as lines:
        return [
            (int(row["x"]), float(row["t_x"]), float(row["T"]), float(row["zbar"]))
            for row in csv.DictReader(lines)
        ]
