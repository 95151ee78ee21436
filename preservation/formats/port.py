"""What is asked of a file's format, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, Self

from metadata.characteristics import Facts
from metadata.holdings import Format
from metadata.outcomes import Validity

TEXT_LIMIT = 1 << 20
"""Characters of text that are kept of one file; the rest is not searched."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of a file: a code of ``metadata/finding_codes/format.toml``, and what fills its sentences."""

    code: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look into a file found. ``text`` is its words, at most ``TEXT_LIMIT`` characters."""

    validity: Validity = Validity.NOT_CHECKED
    remarks: tuple[Remark, ...] = ()
    facts: Facts = field(default_factory=Facts)
    text: str = ""

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "validity": self.validity.value,
            "remarks": [[one.code, dict(one.details)] for one in self.remarks],
            "facts": self.facts.fields(),
            "text": self.text,
        }

    @classmethod
    def of_fields(cls, known: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, TypeError, ValueError."""
        remarks = tuple(
            Remark(str(code), {key: str(text) for key, text in of.items()}) for code, of in known["remarks"]
        )
        return cls(Validity(known["validity"]), remarks, Facts.of_fields(known["facts"]), str(known["text"]))


@dataclass(frozen=True, slots=True)
class Specimen:
    """A file to look into, as the one pass has it: its name in the package, its size, its identified format, its first
    and last 128 KiB."""

    name: str
    size: int
    format: Format
    head: bytes
    tail: bytes


class Inspector(Protocol):
    """Looks into files. Never raises over what a file holds."""

    @property
    def name(self) -> str:
        """Names and versions of what looks, for the PREMIS agent."""
        ...

    def inspect(self, specimen: Specimen, file: BinaryIO | None) -> Inspection:
        """``file`` is the whole of it, open for reading; None when it was too large to be kept on our disk."""
        ...
