"""What the archive's checks say of one content file, as values: validity, virus, signatures, facts for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from metadata.outcomes import SignatureOutcome, Validity, Virus

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Facts:
    """What people want to know of a file; None or empty where it is not known or makes no sense for the format.

    ``width`` and ``height`` in pixels, of the first page or image. ``images``: frames of an image file; in a PDF the
    pages that are one picture, as scans are. ``resolution`` in dots an inch, the lowest of the file's page images.
    ``colour``: bilevel, grey, palette, RGB, CMYK, Lab or spot, the poorest of them. ``duration`` in milliseconds,
    ``bit_rate`` in bits a second on the whole, ``codecs`` as the container names them. ``pages`` are counted;
    ``pages_said`` are what a text file (docx, odt, doc) says of itself. ``claim`` is a
    profile that the file claims (``PDF/A-2b``), or the root of XML. ``encoding`` is that of a text file, in Python's
    name or ``tcvn3``, ``vni``, ``viscii``, ``unknown-8bit``. ``encrypted``: a password is needed to read it, or rights
    are restricted by one. ``application`` made the file, as it says itself.
    """

    pages: int | None = None
    pages_said: int | None = None
    images: int | None = None
    width: int | None = None
    height: int | None = None
    resolution: int | None = None
    colour: str = ""
    duration: int | None = None
    bit_rate: int | None = None
    codecs: str = ""
    claim: str = ""
    encoding: str = ""
    encrypted: bool | None = None
    fonts_embedded: bool | None = None
    application: str = ""

    def fields(self) -> dict[str, Any]:
        """Only what is known, as JSON has it."""
        found = {name: getattr(self, name) for name in _KINDS}
        return {name: value for name, value in found.items() if value is not None and value != ""}

    @classmethod
    def of_fields(cls, known: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises TypeError for a name that is not a fact's."""
        return cls(**known)

    def texts(self) -> dict[str, str]:
        """Only what is known, as XML has it: numbers in decimal, ``true`` and ``false``."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in self.fields().items()
        }

    @classmethod
    def of_texts(cls, known: Mapping[str, str]) -> Self:
        """Inverse of :meth:`texts`. Raises ValueError for what is not a fact, or not a value that it can have."""
        if unknown := sorted(set(known) - set(_KINDS)):
            raise ValueError(f"no such fact: {unknown[0]!r}")
        values: dict[str, Any] = {name: _read(name, _KINDS[name], text) for name, text in known.items()}
        return cls(**values)


_KINDS = {one.name: str(one.type) for one in fields(Facts)}


def _read(name: str, kind: str, text: str) -> str | int | bool:
    if kind.startswith("bool") and text in ("true", "false"):
        return text == "true"
    if kind.startswith("int") and _NUMBER.fullmatch(text):
        return int(text)
    if kind == "str" and text:
        return text
    raise ValueError(f"{name} cannot be {text[:100]!r}")


@dataclass(frozen=True, slots=True)
class Characteristics:
    """All of it for one file. ``virus_name`` is what the scanner calls an infection, or why it was not scanned.

    ``signature`` is None when the file was looked at and has none, or when nobody looked (``signatures`` 0 in both).
    ``facts`` of a file that nobody opened are empty.
    """

    validity: Validity = Validity.NOT_CHECKED
    virus: Virus = Virus.NOT_SCANNED
    virus_name: str = ""
    signature: SignatureOutcome | None = None
    signatures: int = 0
    facts: Facts = field(default_factory=Facts)

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "validity": self.validity.value,
            "virus": self.virus.value,
            "virus_name": self.virus_name,
            "signature": self.signature and self.signature.value,
            "signatures": self.signatures,
            "facts": self.facts.fields(),
        }

    @classmethod
    def of_fields(cls, known: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, TypeError, ValueError."""
        signature = known["signature"]
        return cls(
            Validity(known["validity"]),
            Virus(known["virus"]),
            str(known["virus_name"]),
            None if signature is None else SignatureOutcome(signature),
            int(known["signatures"]),
            Facts.of_fields(known["facts"]),
        )
