"""The evidence of a file's digital signatures, as the archive has kept it since ingest, read out of the AIP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.content import Span, verified_bytes
from access.services import AccessServices
from access.shelf import Shelf
from metadata.errors import Unreadable
from metadata.examination import report_path
from metadata.holdings import AipVersion, Member
from metadata.outcomes import SignatureOutcome
from metadata.text import Sentence

LARGEST = 64 << 20
"""Bytes of the largest evidence that is read to be shown."""


@dataclass(frozen=True, slots=True)
class KeptReason:
    """A reason as it was told: its code and its sentence."""

    code: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class KeptSignature:
    """A signature or document timestamp as it was judged; ``facts`` are those of ``docs/signatures.md``."""

    name: str
    kind: str
    outcome: SignatureOutcome
    reasons: tuple[KeptReason, ...]
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """What is shown of it: the signatures with their verdicts, reasons that concern the file as a whole, since when the
    archive can prove that it had the file (as it was written), and the members that hold it all."""

    signed: Member
    signatures: tuple[KeptSignature, ...]
    reasons: tuple[KeptReason, ...]
    proved_since: str
    trust_store: str
    document: Member
    report: Member | None


def kept_evidence(services: AccessServices, version: AipVersion, number: int) -> KeptEvidence:
    """Of the signatures of member ``number``. Raises NotFound where none is kept, Unreadable, Damaged,
    StoreUnavailable."""
    shelf = Shelf(services.catalogue)
    signed, document = shelf.numbered(version, number), shelf.evidence(version, number)
    if document.size > LARGEST:
        raise _unreadable(document)
    data = b"".join(verified_bytes(services, version, document, Span(0, document.size)))
    try:
        known: Mapping[str, Any] = json.loads(data)
        signatures, reasons = tuple(map(_signature, known["signatures"])), tuple(map(_reason, known["reasons"]))
        proved, store = str(known.get("proof_of_existence", "")), known.get("trust_store", {})
        version_of_store = str(store.get("version", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(document) from error
    report = services.catalogue.holdings.member(version.id, report_path(number))
    return KeptEvidence(signed, signatures, reasons, proved, version_of_store, document, report)


def _signature(known: Mapping[str, Any]) -> KeptSignature:
    return KeptSignature(
        str(known["name"]),
        str(known["kind"]),
        SignatureOutcome(known["outcome"]),
        tuple(map(_reason, known["reasons"])),
        {str(name): str(text) for name, text in known["facts"].items()},
    )


def _reason(known: Mapping[str, Any]) -> KeptReason:
    return KeptReason(str(known["code"]), Sentence(str(known["vi"]), str(known["en"])))


def _unreadable(member: Member) -> Unreadable:
    return Unreadable(
        Sentence(f"Không đọc được bằng chứng {member.path}.", f"The evidence {member.path} cannot be read.")
    )
