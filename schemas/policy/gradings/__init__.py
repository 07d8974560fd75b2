"""Gradings: how measures become a grade. One file for each kind, told apart by ``type``."""

from typing import Annotated

from pydantic import Tag

from schemas.policy.gradings.bands import Bands
from schemas.policy.gradings.base_bonus import BaseBonus
from schemas.policy.gradings.cap import Cap
from schemas.policy.gradings.conditions import Conditions
from schemas.policy.gradings.lifecycle import Lifecycle
from schemas.policy.gradings.matrix import Matrix
from schemas.policy.gradings.pareto import Pareto
from schemas.policy.gradings.rfm import RfmCells, RfmSegments
from schemas.policy.gradings.rfm_classes import RfmClasses
from schemas.policy.gradings.scorecards import IntervalScorecard, WeightedScorecard
from schemas.policy.gradings.tag import TagGrading
from schemas.policy.gradings.tree import TreeGrading
from schemas.policy.part import TAG_MARK, by_type

GRADING_TYPES = (
    "bands",
    "interval_scorecard",
    "weighted_scorecard",
    "rfm_cells",
    "rfm_segments",
    "rfm_classes",
    "pareto",
    "conditions",
    "tag",
    "base_bonus",
    "cap",
    "tree",
    "matrix",
    "lifecycle",
)

Grading = Annotated[
    Annotated[Bands, Tag(TAG_MARK + "bands")]
    | Annotated[IntervalScorecard, Tag(TAG_MARK + "interval_scorecard")]
    | Annotated[WeightedScorecard, Tag(TAG_MARK + "weighted_scorecard")]
    | Annotated[RfmCells, Tag(TAG_MARK + "rfm_cells")]
    | Annotated[RfmSegments, Tag(TAG_MARK + "rfm_segments")]
    | Annotated[RfmClasses, Tag(TAG_MARK + "rfm_classes")]
    | Annotated[Pareto, Tag(TAG_MARK + "pareto")]
    | Annotated[Conditions, Tag(TAG_MARK + "conditions")]
    | Annotated[TagGrading, Tag(TAG_MARK + "tag")]
    | Annotated[BaseBonus, Tag(TAG_MARK + "base_bonus")]
    | Annotated[Cap, Tag(TAG_MARK + "cap")]
    | Annotated[TreeGrading, Tag(TAG_MARK + "tree")]
    | Annotated[Matrix, Tag(TAG_MARK + "matrix")]
    | Annotated[Lifecycle, Tag(TAG_MARK + "lifecycle")],
    by_type(GRADING_TYPES),
]
"""Told apart by its ``type``."""
