"""What goes into a ledger and comes out of it, as values."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from metadata.characteristics import Characteristics
from metadata.dates import RecordDate
from metadata.holdings import Format, Level, Record, Role
from metadata.identifiers import Digest
from metadata.outcomes import SignatureOutcome, Validity, Virus
from metadata.tt05.records import Fields
from preservation.signatures.port import SignatureReport


class Placement(Protocol):
    """Where a member lies in the AIP object: its number, where its local header and where its bytes begin."""

    @property
    def number(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def data(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Totals:
    """A count of files and the sum of their bytes."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Declared:
    """A digest that the package declares of a file, and the document of the package that says so."""

    digest: Digest
    source: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something declared that does not agree: the path, the document(s) that declare it, and what they declare."""

    path: str
    source: str
    value: str


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to read: ``path`` as received (relative to the package), ``target`` in the AIP (relative to the bag root).

    ``mime`` is what the package's METS says, empty when it says nothing.
    """

    seq: int
    path: str
    size: int
    target: str
    role: Role
    mime: str
    declared: tuple[Declared, ...]


class PlacedContent(NamedTuple):
    """A content file in the AIP: ``path`` as received, ``target`` where it lies, the EAD file's name ("" when none).

    ``characteristics`` is what checks say of it; None when nobody looked.
    """

    path: str
    target: str
    size: int
    sha256: bytes
    sha512: bytes
    declared_mime: str
    format: Format | None
    ead_name: str
    characteristics: Characteristics | None = None

    @property
    def mime(self) -> str:
        """What the format has been identified as, else what the package's METS says."""
        if self.format is not None and self.format.puid is not None:
            return self.format.mime
        return self.declared_mime or "application/octet-stream"


class PlacedText(NamedTuple):
    """The words of a content file: its member number, its path as received, where it lies in the AIP."""

    number: int
    path: str
    target: str
    text: str


class PlacedReport(NamedTuple):
    """What was found of a content file's signatures: its member number, path as received, where it lies in the AIP."""

    number: int
    path: str
    target: str
    report: SignatureReport


class CountedPages(NamedTuple):
    """A document's number, the path of its description (else of its first file), the pages it says it has, and those
    of its files together."""

    number: int
    place: str
    said: int
    counted: int


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """How many files came to which outcome: of all files the scanner's, of content files those looked into."""

    virus: Mapping[Virus, int]
    validity: Mapping[Validity, int]
    signature: Mapping[SignatureOutcome, int]


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """A document: its record, its fields in AIP form, the name of its EAD file in the AIP, the files that carry it.

    ``origin`` is the path of the description in the package, empty when it had none. ``identifier`` is its docId,
    ``held`` where the document is held that a linked one names; empty when there is none.
    """

    record: Record
    form: Fields
    ead_name: str
    origin: str
    paths: tuple[str, ...]
    identifier: str = ""
    held: str = ""


def fold_name(path: str) -> str | None:
    """``path`` after NFC and case folding; None when that changes nothing (so that it costs nothing to keep)."""
    folded = path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
    return None if folded == path else folded


def same_nfc(one: str, other: str) -> bool:
    """Whether two names are one after NFC."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def pack_record(record: Record) -> str:
    """The record as JSON, without its number and members."""
    r = record
    dates = r.start.text, r.end.text
    texts = r.code, r.title, r.type_name, r.notation, r.organ, r.language, r.access, r.keywords
    return json.dumps([r.level.value, *texts, *dates, r.pages, list(r.fields.items())])


def unpack_record(number: int, packed: str, members: tuple[int, ...]) -> Record:
    """Inverse of :func:`pack_record`."""
    level, code, title, kind, notation, organ, language, access, keywords, start, end, pages, fields = json.loads(
        packed
    )
    begin, until = _read_date(start), _read_date(end)
    texts = code, title, kind, notation, organ, language, access
    return Record(number, Level(level), *texts, begin, until, pages, keywords, dict(fields), members)


def packed_pages(packed: str) -> int | None:
    """How many pages a packed record says that it has."""
    pages: int | None = json.loads(packed)[-2]
    return pages


@lru_cache(maxsize=256)
def _read_date(text: str) -> RecordDate:
    return RecordDate.read(text)
