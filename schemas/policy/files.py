"""What a policy file keeps in other files beside it, read into the policy itself."""

import json
from decimal import Decimal
from pathlib import Path

from schemas.policy.findings import Finding, Location, shown
from schemas.policy.source import Source


def read_trees(data: object, source: Source, folder: Path) -> set[str]:
    """Put the tree of every ``file:`` of a tree grading in its place, as ``tree:``.

    *data* is changed. What cannot be read is added to the findings of *source*.

    Returns:
        The keys of the trees that stay out because of such a finding.
    """
    gradings = data.get("gradings") if isinstance(data, dict) else None
    unread: set[str] = set()
    for name, grading in gradings.items() if isinstance(gradings, dict) else ():
        if not isinstance(grading, dict) or grading.get("type") != "tree" or "tree" in grading:
            continue
        if not isinstance(grading.get("file"), str):
            continue
        at: Location = ("gradings", name)
        file = grading.pop("file")
        try:
            grading["tree"] = json.loads((folder / file).read_bytes(), parse_float=Decimal)
        except OSError as exc:
            allowed = f"a JSON file beside the policy ({(exc.strerror or 'unreadable').lower()})"
        except (ValueError, RecursionError):
            allowed = "a file that is JSON, as `tierstream fit tree` writes it"
        else:
            # Mistakes inside the tree are shown at the line that names its file.
            source.lines[*at, "tree"] = source.lines[*at, "file"]
            continue
        line = source.line((*at, "file"))
        source.findings.append(
            Finding(source.name, line, f"gradings.{name}.file", shown(file), allowed)
        )
        unread.add(f"gradings.{name}.tree")
    return unread
