"""What the docstrings of the models say: of the model, and of each of its fields.

They are written once, beside the fields; the documents made from the models take them from here.
"""

import re
from inspect import cleandoc

from pydantic import BaseModel

_ATTRIBUTES = "Attributes:"
_FIELD = re.compile(r"^    (\w+): ")


def split_doc(doc: str) -> tuple[str, dict[str, str]]:
    """Return what *doc* says as a whole, lines joined, and what it says of each attribute.

    >>> split_doc('''One order.
    ...
    ... Attributes:
    ...     amount: What was
    ...         paid.
    ... ''')
    ('One order.', {'amount': 'What was paid.'})
    """
    whole, _, rest = cleandoc(doc).replace("``", "`").partition(_ATTRIBUTES)
    found: dict[str, str] = {}
    name = ""
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            break
        if start := _FIELD.match(line):
            name = start[1].removesuffix("_")
            found[name] = line[start.end() :]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".rstrip()
    paragraphs = (" ".join(part.split()) for part in whole.strip().split("\n\n"))
    return "\n\n".join(paragraphs), found


def said_of_fields(model: type[BaseModel]) -> dict[str, str]:
    """Return what *model* and those it comes from say of their fields, the nearest first.

    >>> from schemas.orders import OrderPaid
    >>> said_of_fields(OrderPaid)["occurred_at"]
    'Event time.'
    """
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= split_doc(base.__dict__.get("__doc__") or "")[1]
    return found
