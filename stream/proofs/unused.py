"""Measures that nothing looks at, and measures that are the same as another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy.findings import Remark
from stream.proofs.case import strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.proofs.case import Case


def unused_remarks(case: Case) -> Iterator[Remark]:
    """Yield a note for each measure that is used nowhere or stands there twice."""
    document = case.document
    used = {text for key, part in document if key != "measures" for text in strings(part)}
    first: dict[str, str] = {}
    for name, measure in document.measures.items():
        at = ("measures", name)
        if name not in used:
            text = f"{name} is not used anywhere below; use it in a grading, or remove it"
            yield Remark("note", at, text, at_key=True)
        twin = first.setdefault(measure.model_dump_json(), name)
        if twin != name:
            text = f"{name} measures the same as {twin}; keep one of them"
            yield Remark("note", at, text, at_key=True)
