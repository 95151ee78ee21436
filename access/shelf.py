"""Looking things up for readers: the catalogue's rows put together as people see them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from metadata.catalogue import Catalogue, CheckCounts, Document
from metadata.dates import RecordDate
from metadata.errors import NotFound
from metadata.events import Event, EventType
from metadata.examination import evidence_path
from metadata.findings import visible
from metadata.holdings import AipVersion, Level, Member, Record, Replica
from metadata.identifiers import AipId, VersionId
from metadata.text import Sentence

_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-v([1-9][0-9]{0,5}))?", re.ASCII)
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Life:
    """When an AIP version was received and checked, where its replicas lie, when all were last read and next will be.

    ``read`` is the oldest of the replicas' last whole readings, None when one of them was never read.
    """

    received: datetime
    checked: datetime | None
    replicas: tuple[Replica, ...]
    read: datetime | None
    next: datetime | None


class Shelf:
    """Reads the catalogue. Methods raise NotFound for what is not held, and what the catalogue raises."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._holdings = catalogue.holdings
        self._events = catalogue.events

    def latest(self, aip: AipId, known: int = 0) -> AipVersion | None:
        """The latest version of an AIP, or None. ``known`` is a version number that is held, to begin from."""
        found = self._holdings.version(VersionId(aip, known)) if known else None
        while following := self._holdings.version(VersionId(aip, (found.id.number if found else 0) + 1)):
            found = following
        return found

    def held(self, name: str) -> AipVersion:
        """The version that ``name`` means: an AIP id for its latest version, or with ``-v2`` for that one."""
        if not (match := _NAME.fullmatch(name)):
            raise _no_aip(name)
        aip = AipId.parse(match[1])
        version = self._holdings.version(VersionId(aip, int(match[2]))) if match[2] else self.latest(aip)
        if version is None:
            raise _no_aip(name)
        return version

    def versions(self, limit: int, after: AipVersion | None) -> list[AipVersion]:
        """Versions held, the newest first, after the one given."""
        return self._holdings.versions(limit, after)

    def dossier(self, version: AipVersion) -> Record:
        """The record of the dossier; for a package without one, a record of what the package itself says."""
        return self._holdings.dossier(version.id) or Record(
            number=0,
            level=Level.DOSSIER,
            code=version.code.value,
            title=version.title,
            type_name="",
            notation="",
            organ="",
            language="",
            access="",
            start=RecordDate(""),
            end=RecordDate(""),
            pages=None,
            keywords="",
            fields={},
        )

    def documents(self, version: AipVersion, first: int, limit: int) -> list[Record]:
        """The documents numbered from ``first`` on."""
        return list(self._holdings.records(version.id, max(1, min(first, MAX_NUMBER)), limit))

    def document(self, version: AipVersion, number: int) -> Document:
        """One document and its files."""
        found = self._holdings.document(version.id, number) if 0 < number <= MAX_NUMBER else None
        if found is None:
            raise _nothing()
        return found

    def files(self, version: AipVersion, first: int, limit: int) -> list[Member]:
        """The member files numbered from ``first`` on."""
        numbers = range(max(1, first), min(max(1, first) + limit, MAX_NUMBER))
        found = (self._holdings.member_numbered(version.id, number) for number in numbers)
        return [member for member in takewhile(lambda member: member is not None, found) if member is not None]

    def file(self, version: AipVersion, path: str) -> Member:
        """The member at ``path``, relative to the bag root."""
        member = None if len(path) > 10_000 or _UNSTORABLE.search(path) else self._holdings.member(version.id, path)
        if member is None:
            raise _nothing()
        return member

    def numbered(self, version: AipVersion, number: int) -> Member:
        """The member file of that number."""
        member = self._holdings.member_numbered(version.id, number) if 0 < number <= MAX_NUMBER else None
        if member is None:
            raise _nothing()
        return member

    def evidence(self, version: AipVersion, number: int) -> Member:
        """The member that keeps the evidence of the signatures of member ``number``."""
        return self.file(version, evidence_path(number))

    def check_counts(self, version: AipVersion) -> CheckCounts:
        """What the checks of ingest came to in its files."""
        return self._holdings.check_counts(version.id)

    def replicas(self, version: AipVersion) -> Sequence[Replica]:
        return self._holdings.replicas(version.id)

    def events(self, version: AipVersion) -> list[Event]:
        """Its PREMIS events, oldest first."""
        return self._events.of(version.id)

    def life(self, version: AipVersion, events: Sequence[Event]) -> Life:
        """The life of a version in short; ``events`` are its own."""
        replicas = tuple(self._holdings.replicas(version.id))
        read = [replica.checked for replica in replicas if replica.checked is not None]
        return Life(
            received=version.created,
            checked=next((event.at for event in events if _is_own_check(event, version)), None),
            replicas=replicas,
            read=min(read) if read and len(read) == len(replicas) else None,
            next=min((replica.due for replica in replicas), default=None),
        )


def _is_own_check(event: Event, version: AipVersion) -> bool:
    """Whether this archive checked it: what an AIP of another system brings along is older than its keeping here."""
    return event.type is EventType.VALIDATION and event.at >= version.created


def _no_aip(name: str) -> NotFound:
    shown = visible(name, 80)
    return NotFound(
        Sentence(
            f"Kho không giữ gói AIP «{shown}»: tìm bằng «tangthu search TỪ», hoặc xem mã AIP trên biên nhận.",
            f"No AIP “{shown}” is held: find it with “tangthu search WORDS”, or look at the receipt.",
        )
    )


def _nothing() -> NotFound:
    return NotFound(
        Sentence(
            "Gói AIP không có tệp hay tài liệu này: «tangthu show AIP --files» liệt kê tất cả.",
            "The AIP has no such file or document: “tangthu show AIP --files” lists them all.",
        )
    )
