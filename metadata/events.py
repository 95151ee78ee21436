"""PREMIS events: what was done to an AIP, when, by what, with what outcome."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from metadata.identifiers import StoreId, VersionId

_EVENT_NAMESPACE = uuid.UUID("0d3c1a52-5a3b-5f0c-8f5e-2f6a4c1e9d77")


class EventType(StrEnum):
    """Terms of the Library of Congress vocabulary ``eventType``; TT 05 fixes INFORMATION_PACKAGE_CREATION."""

    INFORMATION_PACKAGE_CREATION = "information package creation"
    INGESTION_END = "ingestion end"
    MESSAGE_DIGEST_CALCULATION = "message digest calculation"
    VALIDATION = "validation"
    FORMAT_IDENTIFICATION = "format identification"
    REPLICATION = "replication"
    FIXITY_CHECK = "fixity check"
    RECOVERY = "recovery"
    DISSEMINATION = "dissemination"
    # Of packages that another system kept before: the taking over, and what was done there.
    INGESTION = "ingestion"
    INGESTION_START = "ingestion start"
    ACCESSION = "accession"  # with a store: a replica that came back with a store that had been retired
    DEACCESSION = "deaccession"  # of a replica: its store was retired, it counts no more
    APPRAISAL = "appraisal"
    CAPTURE = "capture"
    CREATION = "creation"
    DIGITAL_SIGNATURE_GENERATION = "digital signature generation"
    DIGITAL_SIGNATURE_VALIDATION = "digital signature validation"
    IMAGING = "imaging"
    METADATA_EXTRACTION = "metadata extraction"
    METADATA_MODIFICATION = "metadata modification"
    MIGRATION = "migration"
    MODIFICATION = "modification"
    NORMALIZATION = "normalization"
    QUARANTINE = "quarantine"
    REFRESHMENT = "refreshment"
    TRANSFER = "transfer"
    UNPACKING = "unpacking"
    VIRUS_CHECK = "virus check"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who or what did it: PREMIS agentIdentifier value and agentName."""

    identifier: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """One PREMIS event of one AIP version.

    ``at`` is aware UTC with whole microseconds. ``store`` names the replica concerned, None when it is the AIP itself.
    ``detail`` says what was done, ``note`` what was found (for a damage: the member file, expected and found digest).
    ``links`` are what else it is about, as (type, value): ``File`` with the identifier of a PREMIS object, ``member``
    with the path of a member of the AIP.
    """

    id: uuid.UUID
    version: VersionId
    type: EventType
    at: datetime
    detail: str
    outcome: str
    note: str
    agent: Agent
    store: StoreId | None = None
    links: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def derive(version: VersionId, *parts: str) -> uuid.UUID:
        """An identifier that a retry of the same act derives again, so that no event is doubled."""
        return uuid.uuid5(_EVENT_NAMESPACE, "\n".join((str(version), *parts)))


@dataclass(frozen=True, slots=True)
class LogHead:
    """The last log object of an AIP version: its number (from 1) and the SHA-256 of its bytes."""

    number: int
    digest: bytes
