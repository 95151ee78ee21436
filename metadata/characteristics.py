"""What the archive's checks say of one content file, as values: validity, virus, signatures, facts for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from metadata.outcomes import SignatureOutcome, Validity, Virus


@dataclass(frozen=True, slots=True)
class Facts:
    """What people want to know of a file; None or empty where it is not known or makes no sense for the format.

    ``width`` and ``height`` in pixels, of the first page or image. ``resolution`` in dots an inch, the lowest of the
    file's page images. ``duration`` in milliseconds. ``claim`` is a profile that the file claims (``PDF/A-2b``).
    ``encoding`` is that of a text file, in Python's name or ``tcvn3``, ``vni``. ``encrypted``: a password is needed to
    read it, or rights are restricted by one. ``application`` made the file, as it says itself.
    """

    pages: int | None = None
    images: int | None = None
    width: int | None = None
    height: int | None = None
    resolution: int | None = None
    colour: str = ""
    duration: int | None = None
    claim: str = ""
    encoding: str = ""
    encrypted: bool | None = None
    fonts_embedded: bool | None = None
    application: str = ""

    def fields(self) -> dict[str, Any]:
        """Only what is known, as JSON has it."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value not in (None, "")}

    @classmethod
    def of_fields(cls, known: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises TypeError for a name that is not a fact's."""
        return cls(**known)


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
