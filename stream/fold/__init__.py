"""The fold: one event or one instant at a time into one customer. Pure: time is an argument.

A customer's history depends on that customer's records and on nothing else: not on
batches, not on when a timer got the processor. `Scorer` first wakes every deadline before a
record at its own instant, then applies the event, then judges once. Nearly every order goes
the quiet road instead, and nothing is judged.
"""

from stream.fold.scorer import Scorer, TerseScorer

__all__ = ["Scorer", "TerseScorer"]
