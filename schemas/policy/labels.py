"""How people call what a policy names: machine ids are English, labels are for reading."""

from typing import Literal

from pydantic import Field

from schemas.policy.part import Part

Language = Literal["en", "zh"]
_TEXT = 80


class Label(Part):
    """A name in each language; a language left out falls back to the machine id."""

    en: str | None = Field(default=None, min_length=1, max_length=_TEXT)
    zh: str | None = Field(default=None, min_length=1, max_length=_TEXT)

    def text(self, language: Language, otherwise: str) -> str:
        """Return the label in *language*, or *otherwise* where there is none."""
        return (self.zh if language == "zh" else self.en) or otherwise
