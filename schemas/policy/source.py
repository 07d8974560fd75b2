"""A YAML text as exact values, with the line of every key.

YAML 1.2 scalars only: yes, no, on and off are text, 010 and 1e3 are text, numbers with a point
are Decimals built from the text of the file, never binary floats. Dates stay text. Tags,
anchors and aliases have no meaning in a policy: an alias is a mistake, a tag is ignored.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import yaml

from schemas.policy.findings import (
    Finding,
    Location,
    PlacedRemark,
    PolicyFileError,
    Remark,
    shown,
)

_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}")
_WORDS: Final[dict[str, bool | None]] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says and where.

    Attributes:
        data: Mappings, lists, text, integers, Decimals, booleans and None.
        lines: Line, from 1, of the key and of the value at each location.
        texts: The text of each scalar as written.
        findings: Mistakes of the notation itself, such as a key that stands twice.
    """

    name: str
    lines: dict[Location, tuple[int, int]] = field(default_factory=dict)
    texts: dict[Location, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def line(self, location: Location, *, at_key: bool = False) -> int:
        """Return the line of *location*, or of the nearest thing around it that exists."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.lines:
                key_line, value_line = self.lines[location[:end]]
                return key_line if at_key or end < len(location) else value_line
        return 1

    def place(self, remark: Remark) -> PlacedRemark:
        """Return *remark* with its line in this file."""
        line = self.line(remark.location, at_key=remark.at_key)
        key = ".".join(map(str, remark.location))
        return PlacedRemark(self.name, line, key, remark.severity, remark.text)


def read_yaml(text: str, name: str) -> tuple[object, Source]:
    """Return what *text* says, and where each part of it stands.

    Raises:
        PolicyFileError: The text is not YAML at all.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = (exc.problem or exc.context or "a mistake").splitlines()[0]
        line = mark.line + 1 if mark else 1
        raise PolicyFileError([Finding(name, line, "", problem, "valid YAML")]) from exc
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        said = f"the character U+{ord(text[exc.position]):04X}"
        raise PolicyFileError([Finding(name, line, "", said, "printable text")]) from exc
    except RecursionError as exc:
        finding = Finding(name, 0, "", "nesting this deep", "a few levels")
        raise PolicyFileError([finding]) from exc
    source = Source(name)
    if root is None:
        raise PolicyFileError([Finding(name, 1, "", None, "a policy")])
    return _Reader(source).value(root, (), root.start_mark.line + 1), source


class _Reader:
    """Walks the nodes of one file once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, at: Location, key_line: int) -> object:
        line = node.start_mark.line + 1
        collection = not isinstance(node, yaml.ScalarNode)
        self._source.lines[at] = (key_line, key_line if collection else line)
        if collection or node.value:
            if id(node) in self._seen:
                self._found(key_line, at, "an alias", "the value written out")
                return None
            self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, (*at, position), item.start_mark.line + 1)
                for position, item in enumerate(node.value)
            ]
        self._source.texts[at] = node.value
        quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
        return node.value if quoted else _scalar(node.value)

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._found(line, at, "a mapping or list as a key", "text as a key")
                continue
            key = key_node.value
            if key in mapping:
                self._found(line, (*at, key), f"{shown(key)} a second time", "each key once")
                continue
            mapping[key] = self.value(value_node, (*at, key), line)
        return mapping

    def _found(self, line: int, at: Location, value: str, allowed: str) -> None:
        key = ".".join(map(str, at))
        self._source.findings.append(Finding(self._source.name, line, key, value, allowed))


def _scalar(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
