"""What is asked about signatures and what is answered: plain values that cross the border of the child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol, Self

from metadata.outcomes import SignatureOutcome
from metadata.text import Sentence
from preservation.signatures.outcomes import Reason, gravest, outcome_of

SIGNATURE, DOCUMENT_TIMESTAMP = "signature", "document-timestamp"

LARGEST_REPORT = 1 << 20

Evidence = Mapping[str, Any]
"""What a verdict rested on, as a JSON document; ``docs/signatures.md`` tells its parts."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which signatures, and when.

    ``file`` is a PDF, a CMS file (``.p7s``, ``.p7m``) or XML, open for reading and seekable; ``content`` is what a
    detached signature signs, likewise. Whoever asks opens and closes them. ``name`` is the file's, whose ending may
    promise a signature. ``at`` is the moment for which validity is asked. ``seen`` is the moment at which these bytes
    are known to be in the archive's hands (the time of ingest): the proof of existence that the evidence states; the
    caller vouches for it. ``evidence`` is evidence kept from an earlier answer about the same bytes, for whose
    authenticity the caller vouches as well. All times have a time zone.
    """

    file: BinaryIO
    at: datetime
    seen: datetime
    content: BinaryIO | None = None
    evidence: Evidence | None = None
    name: str = ""

    def arguments(self) -> dict[str, Any]:
        """All but the files, as JSON has it."""
        return {
            "at": self.at.isoformat(),
            "seen": self.seen.isoformat(),
            "evidence": None if self.evidence is None else dict(self.evidence),
            "name": self.name,
        }

    @classmethod
    def of_arguments(cls, arguments: Mapping[str, Any], files: Sequence[BinaryIO]) -> Self:
        """Inverse of :meth:`arguments`; ``files``: the file, and the content when there is one."""
        return cls(
            files[0],
            datetime.fromisoformat(arguments["at"]),
            datetime.fromisoformat(arguments["seen"]),
            files[1] if len(files) > 1 else None,
            arguments["evidence"],
            str(arguments["name"]),
        )

    @property
    def files(self) -> tuple[BinaryIO, ...]:
        """As :meth:`of_arguments` takes them."""
        return (self.file,) if self.content is None else (self.file, self.content)


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """One signature or document timestamp. ``facts`` are words about it, for PREMIS and for people."""

    name: str
    kind: str
    reasons: tuple[Reason, ...]
    facts: Mapping[str, str]

    @property
    def outcome(self) -> SignatureOutcome:
        return outcome_of(self.reasons)

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "outcome": self.outcome.value,
            "reasons": [one.fields() for one in self.reasons],
            "facts": dict(self.facts),
        }

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, TypeError."""
        return cls(
            str(fields["name"]),
            str(fields["kind"]),
            tuple(_reason(one) for one in fields["reasons"]),
            {str(key): str(value) for key, value in fields["facts"].items()},
        )


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """All signatures of a file. ``reasons`` concern the file as a whole; ``evidence`` is what to keep, and ``report``
    the same verdicts as the validation report of ETSI TS 119 102-2 (XML, at most ``LARGEST_REPORT`` bytes)."""

    verdicts: tuple[SignatureVerdict, ...] = ()
    reasons: tuple[Reason, ...] = ()
    evidence: Evidence = field(default_factory=dict)
    report: bytes = b""

    @property
    def signed(self) -> bool:
        return bool(self.verdicts)

    @property
    def outcome(self) -> SignatureOutcome | None:
        """The gravest of all; None when the file was read and has no signature.

        A document timestamp that only cannot be judged weighs nothing beside signatures: where they rest on it, their
        own verdicts say so.
        """
        if not self.verdicts and not self.reasons:
            return None
        weighed = [one for one in self.verdicts if one.kind == SIGNATURE or one.outcome is SignatureOutcome.INVALID]
        return gravest([outcome_of(self.reasons), *(one.outcome for one in weighed or self.verdicts)])

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "outcome": self.outcome and self.outcome.value,
            "signatures": [one.fields() for one in self.verdicts],
            "reasons": [one.fields() for one in self.reasons],
            "evidence": dict(self.evidence),
            "report": self.report.decode(),
        }

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, TypeError; ValueError for a report that is too large."""
        report = str(fields["report"]).encode()
        if len(report) > LARGEST_REPORT:
            raise ValueError("a report that is too large")
        return cls(
            tuple(SignatureVerdict.of_fields(one) for one in fields["signatures"]),
            tuple(_reason(one) for one in fields["reasons"]),
            dict(fields["evidence"]),
            report,
        )


class SignatureChecker(Protocol):
    """Judges the signatures of files; never raises over what a file holds."""

    def check(self, question: Question) -> SignatureReport: ...

    def close(self) -> None: ...


def _reason(fields: Mapping[str, Any]) -> Reason:
    found = Reason(str(fields["code"]), Sentence(str(fields["vi"]), str(fields["en"])))
    _ = found.outcome  # an unknown code is a KeyError here, not later
    return found
