"""Values to rows and back. Rows are tuples in the order of their table's columns, as the drivers take them."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Row as ResultRow

from metadata.catalogue.database import Row
from metadata.catalogue.schema import to_micros
from metadata.characteristics import Characteristics, Facts
from metadata.dates import RecordDate
from metadata.events import Agent, Event, EventType
from metadata.holdings import AipVersion, Format, Level, Member, PackageType, Record, Replica, Role
from metadata.identifiers import (
    AgencyCode,
    AipId,
    ArchiveCode,
    FondsCode,
    ObjId,
    Puid,
    RecordCode,
    StoreId,
    VersionId,
)
from metadata.outcomes import Fixity, SignatureOutcome, Validity, Virus

Found = ResultRow[*tuple[Any, ...]]


def version_row(version: AipVersion, document_count: int) -> dict[str, object]:
    """The row of ``aip_version``, by column."""
    return {
        "version": version.id.row,
        "aip": str(version.id.aip),
        "number": version.id.number,
        "key": version.key,
        "package_type": version.package_type.value,
        "archive": version.archive.value,
        "agency": version.agency.value,
        "fonds": version.fonds.value,
        "objid": version.objid.value,
        "code": version.code.value,
        "title": version.title,
        "content": version.content,
        "size": version.size,
        "file_count": version.file_count,
        "payload_bytes": version.payload_bytes,
        "document_count": document_count,
        "created": version.created,
    }


def version_id(row: Found) -> VersionId:
    """From the columns ``aip`` and ``number``."""
    return VersionId(AipId(uuid.UUID(row.aip)), row.number)


def read_version(row: Found) -> AipVersion:
    return AipVersion(
        version_id(row),
        row.key,
        PackageType(row.package_type),
        ArchiveCode(row.archive),
        AgencyCode(row.agency),
        FondsCode(row.fonds),
        ObjId(row.objid),
        RecordCode(row.code),
        row.title,
        row.content,
        row.size,
        row.file_count,
        row.payload_bytes,
        row.created,
    )


def format_key(value: Format) -> int:
    """A 63-bit key derived from the format itself: writers need not ask each other for it."""
    digest = hashlib.sha256(json.dumps(format_row(value)[1:], ensure_ascii=True).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def format_row(value: Format, key: int = 0) -> Row:
    puid = None if value.puid is None else value.puid.value
    return (key, puid, value.name, value.version, value.mime, value.basis, value.warning)


def member_row(version: int, value: Member, file_format: int | None) -> Row:
    return (
        version,
        value.number,
        value.path,
        value.role.value,
        value.offset,
        value.data,
        value.size,
        value.crc32,
        value.sha256,
        value.sha512,
        file_format,
    )


def characteristic_row(version: int, number: int, value: Characteristics) -> Row:
    return (
        version,
        number,
        value.validity.value,
        value.virus.value,
        value.virus_name,
        None if value.signature is None else value.signature.value,
        value.signatures,
        value.facts.pages,
        _pack_facts(value.facts),
    )


@lru_cache(maxsize=4096)
def _pack_facts(facts: Facts) -> str:
    known = facts.fields()
    return json.dumps(known, separators=(",", ":")) if known else ""


@lru_cache(maxsize=4096)
def _read_facts(packed: str) -> Facts:
    return Facts.of_fields(json.loads(packed)) if packed else Facts()


def read_member(row: Found, formats: dict[int, Format]) -> Member:
    """From the columns of ``member``, then those of ``file_format`` and of ``characteristic``, each without its key;
    ``formats`` keeps those already made, by key."""
    _, number, path, role, header_at, data_at, size, crc32, sha256, sha512, key, puid, *rest = row
    file_format = None
    if key is not None and (file_format := formats.get(key)) is None:
        file_format = formats[key] = Format(None if puid is None else Puid(puid), *rest[:5])
    found = _read_characteristics(*rest[5:])
    return Member(number, path, Role(role), header_at, data_at, size, crc32, sha256, sha512, file_format, found)


def _read_characteristics(
    validity: str | None, virus: str, virus_name: str, signature: str | None, signatures: int, facts: str
) -> Characteristics | None:
    if validity is None:
        return None
    return Characteristics(
        Validity(validity),
        Virus(virus),
        virus_name,
        None if signature is None else SignatureOutcome(signature),
        signatures,
        _read_facts(facts),
    )


def record_row(version: int, value: Record) -> Row:
    return (
        version,
        value.number,
        value.level.value,
        value.code,
        value.title,
        value.type_name,
        value.notation,
        value.organ,
        value.language,
        value.access,
        value.start.text,
        value.start.iso,
        value.end.text,
        value.end.iso,
        value.pages,
        value.keywords,
        json.dumps(dict(value.fields), ensure_ascii=False, separators=(",", ":")),
    )


def read_record(row: Found, members: tuple[int, ...]) -> Record:
    fields: Mapping[str, str] = json.loads(row.fields)
    return Record(
        row.number,
        Level(row.level),
        row.code,
        row.title,
        row.type_name,
        row.notation,
        row.organ,
        row.language,
        row.access,
        _read_date(row.start_text, row.start_iso),
        _read_date(row.end_text, row.end_iso),
        row.pages,
        row.keywords,
        fields,
        members,
    )


def _read_date(text: str, iso: str | None) -> RecordDate:
    return RecordDate(text, *(int(part) for part in iso.split("-"))) if iso else RecordDate(text)


def replica_row(value: Replica) -> Row:
    checked = None if value.checked is None else to_micros(value.checked)
    return (value.version.row, value.store.value, value.outcome.value, checked, to_micros(value.due))


def read_replica(version: VersionId, row: Found) -> Replica:
    return Replica(version, StoreId(row.store), Fixity(row.outcome), row.checked, row.due)


def event_row(ordinal: int, value: Event) -> Row:
    return (
        value.version.row,
        ordinal,
        str(value.id),
        value.type.value,
        to_micros(value.at),
        value.detail,
        value.outcome,
        value.note,
        value.agent.identifier,
        value.agent.name,
        None if value.store is None else value.store.value,
        json.dumps(value.links, ensure_ascii=True, separators=(",", ":")) if value.links else "",
    )


def read_event(version: VersionId, row: Found) -> Event:
    return Event(
        uuid.UUID(row.id),
        version,
        EventType(row.type),
        row.at,
        row.detail,
        row.outcome,
        row.note,
        Agent(row.agent_id, row.agent_name),
        None if row.store is None else StoreId(row.store),
        tuple((kind, value) for kind, value in json.loads(row.links)) if row.links else (),
    )
