"""May a published JSON Schema be replaced by another without breaking anyone?

Of a topic that others write, everything the old schema allowed must still be allowed. Of a topic
that others read, everything the new schema allows must have been allowed, and nothing they read
may go away. Adding an optional field is fine both ways: readers ignore what they do not know.

Covers the vocabulary that our schemas use. A keyword that is compared neither by meaning nor by
equality (title, description, default, ...) says nothing about which records are valid.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

Schema = Mapping[str, Any]

_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAME = ("pattern", "format", "multipleOf", "propertyNames")


def incompatible_changes(old: Schema, new: Schema, direction: Literal["in", "out"]) -> list[str]:
    """Return what would break, one line each; empty when *new* may replace *old*.

    Args:
        old: The schema as released.
        new: The schema that is to replace it.
        direction: ``in`` when others write the records, ``out`` when others read them.

    >>> incompatible_changes({"type": "integer", "maximum": 9}, {"type": "integer"}, "out")
    ['record: maximum was 9, is now unlimited']
    """
    walk = _Comparison(old, new, direction)
    return list(dict.fromkeys(walk.compare("record", old, new)))


class _Comparison:
    """Walks two schemas side by side."""

    def __init__(self, old: Schema, new: Schema, direction: Literal["in", "out"]) -> None:
        self._roots = (old, new)
        self._in = direction == "in"
        self._open: set[tuple[int, int]] = set()

    def compare(self, path: str, old: Schema, new: Schema) -> list[str]:
        old, new = _resolve(old, self._roots[0]), _resolve(new, self._roots[1])
        pair = (id(old), id(new))
        if pair in self._open:  # a schema inside itself: judged where it began
            return []
        self._open.add(pair)
        try:
            olds, news = self._branches(old, 0), self._branches(new, 1)
            if len(olds) > 1 or len(news) > 1:
                return self._union(path, olds, news)
            return self._single(path, olds[0], news[0])
        finally:
            self._open.discard(pair)

    def _branches(self, schema: Schema, side: int) -> list[Schema]:
        for word in ("anyOf", "oneOf"):
            if word in schema:
                inner = (_resolve(part, self._roots[side]) for part in schema[word])
                return [leaf for part in inner for leaf in self._branches(part, side)]
        types = schema.get("type")
        if isinstance(types, list):
            return [{**schema, "type": one} for one in types]
        return [schema]

    def _union(self, path: str, olds: list[Schema], news: list[Schema]) -> list[str]:
        given, accepting = (olds, news) if self._in else (news, olds)
        found: list[str] = []
        for branch in given:
            tries = [
                self.compare(path, *((branch, other) if self._in else (other, branch)))
                for other in accepting
                if _label(other) == _label(branch)
            ]
            if not tries:
                tries = [[self._gone(path, _label(branch))]]
                tries += [
                    self.compare(path, *((branch, other) if self._in else (other, branch)))
                    for other in accepting
                ]
                tries = [[]] if [] in tries else tries[:1]
            closest: list[str] = min(tries, key=len)
            found += closest
        if not self._in:
            labels = {_label(branch) for branch in news}
            kinds = (_label(branch) for branch in olds if _kind(branch))
            found += [f"{path}: {kind} was removed" for kind in kinds if kind not in labels]
        return found

    def _gone(self, path: str, label: str) -> str:
        return f"{path}: {label} {'is no longer allowed' if self._in else 'was added'}"

    def _single(self, path: str, old: Schema, new: Schema) -> list[str]:
        found = self._types(path, old, new) + self._values(path, old, new)
        found += self._bounds(path, old, new)
        for word in _SAME:
            given, accepting = (old, new) if self._in else (new, old)
            if word in accepting and accepting[word] != given.get(word):
                found.append(f"{path}: {word} was {_said(old, word)}, is now {_said(new, word)}")
        found += self._properties(path, old, new)
        found += self._inner(path, old, new)
        return found

    def _types(self, path: str, old: Schema, new: Schema) -> list[str]:
        given, accepting = (old, new) if self._in else (new, old)
        wanted, offered = _type(accepting), _type(given)
        fits = wanted in {None, offered} or (wanted == "number" and offered == "integer")
        if fits:
            return []
        return [f"{path}: type was {_said(old, 'type')}, is now {_said(new, 'type')}"]

    def _values(self, path: str, old: Schema, new: Schema) -> list[str]:
        before, after = _words(old), _words(new)
        given, accepting = (before, after) if self._in else (after, before)
        if accepting is None:
            return []
        if given is None:
            return [f"{path}: the list of values was {'added' if self._in else 'dropped'}"]
        done = "is no longer allowed" if self._in else "was added"
        return [f"{path}: the value {word} {done}" for word in sorted(given - accepting)]

    def _bounds(self, path: str, old: Schema, new: Schema) -> list[str]:
        found: list[str] = []
        given, accepting = (old, new) if self._in else (new, old)
        for words, sign in ((_LEAST, 1), (_MOST, -1)):
            for word in words:
                limit, was = accepting.get(word), given.get(word)
                if limit is not None and (was is None or was * sign < limit * sign):
                    change = f"was {_said(old, word)}, is now {_said(new, word)}"
                    found.append(f"{path}: {word} {change}")
        return found

    def _properties(self, path: str, old: Schema, new: Schema) -> list[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        found = [f"{path}.{name}: was removed" for name in before if name not in after]
        for name in before:
            if name in after:
                found += self.compare(f"{path}.{name}", before[name], after[name])
        were, are = set(old.get("required", ())), set(new.get("required", ()))
        if self._in:
            found += [f"{path}.{name}: is now required" for name in sorted(are - were)]
        else:
            lost = sorted(name for name in were - are if name in after)
            found += [f"{path}.{name}: is no longer required" for name in lost]
        return found

    def _inner(self, path: str, old: Schema, new: Schema) -> list[str]:
        """Compare what lists and open mappings hold; ``false`` forbids unknown fields."""
        found = self._named_by_pattern(path, old, new)
        for word, mark in (("items", "[]"), ("additionalProperties", ".*")):
            before, after = old.get(word, True), new.get(word, True)
            given, accepting = (before, after) if self._in else (after, before)
            if accepting is True or accepting == {} or given is False:
                continue
            if accepting is False:
                found.append(
                    f"{path}: unknown fields are {'no longer' if self._in else 'now'} allowed"
                )
            else:
                found += self.compare(
                    path + mark,
                    before if isinstance(before, Mapping) else {},
                    after if isinstance(after, Mapping) else {},
                )
        return found

    def _named_by_pattern(self, path: str, old: Schema, new: Schema) -> list[str]:
        before, after = old.get("patternProperties", {}), new.get("patternProperties", {})
        if set(before) != set(after):
            return [f"{path}.*: the pattern of names was changed"]
        return [
            line
            for pattern in before
            for line in self.compare(f"{path}.*", before[pattern], after[pattern])
        ]


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        schema = target
    return schema


def _kind(schema: Schema) -> str | None:
    """Return the fixed value or values that tell this branch of a union from the others."""
    for name in ("kind", "type"):
        words = _words(schema.get("properties", {}).get(name, {}))
        if words:
            return f"{name} {min(words)}"
    return None


def _label(schema: Schema) -> str:
    named = _kind(schema) or schema.get("title") if schema.get("properties") else None
    return named or f"the type {schema.get('type', 'any')}"


def _type(schema: Schema) -> str | None:
    words = [schema["const"]] if "const" in schema else schema.get("enum", [None])
    texts = all(isinstance(word, str) for word in words)
    named: str | None = schema.get("type", "string" if texts else None)
    return named


def _words(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {json.dumps(schema["const"])}
    return {json.dumps(word) for word in schema["enum"]} if "enum" in schema else None


def _said(schema: Schema, word: str) -> str:
    default = "any" if word == "type" or word in _SAME else "unlimited"
    return str(schema.get(word, default))
