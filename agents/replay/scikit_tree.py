"""Fitting a decision tree with scikit-learn, which only this needs (the extra ``fit``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.gradings.tree_export import LearnedTree
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence


class NoScikitLearnError(Exception):
    """scikit-learn is not installed; the message is one line that says what to do."""


def fit(
    rows: Sequence[Sequence[int]], truth: Sequence[int], *, depth: int, least: int
) -> LearnedTree:
    """Return the tree that scikit-learn fits; the same for the same rows.

    Args:
        rows: Readings of the features; `MISSING` where there is none.
        truth: Position of the grade of each row.
        depth: Most splits one after the other.
        least: Fewest rows at a leaf.

    Raises:
        NoScikitLearnError: It is not installed.
    """
    try:
        from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise NoScikitLearnError(
            "scikit-learn is not installed, and only this command needs it; "
            "run: pip install 'tierstream[fit]'"
        ) from exc
    model = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=least, random_state=0)
    model.fit([[float("nan") if v == MISSING else v for v in row] for row in rows], truth)
    return learned_tree(model)


def learned_tree(model: object) -> LearnedTree:
    """Return the nodes of a fitted ``sklearn.tree.DecisionTreeClassifier``."""
    tree = model.tree_  # type: ignore[attr-defined]
    classes = model.classes_.tolist()  # type: ignore[attr-defined]
    return LearnedTree(
        low=tree.children_left.tolist(),
        high=tree.children_right.tolist(),
        feature=tree.feature.tolist(),
        threshold=tree.threshold.tolist(),
        missing_low=[bool(low) for low in tree.missing_go_to_left.tolist()],
        grade=[classes[best] for best in tree.value[:, 0, :].argmax(axis=1).tolist()],
    )
