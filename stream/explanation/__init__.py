"""Why a customer stands where they stand, as values. Pure: no files, no store, no words."""

from stream.explanation.explain import Explanation, GradingNote, explain
from stream.explanation.place import Place, Rank
from stream.explanation.reach import Reach
from stream.explanation.standing import POINTS, Standing

__all__ = [
    "POINTS",
    "Explanation",
    "GradingNote",
    "Place",
    "Rank",
    "Reach",
    "Standing",
    "explain",
]
