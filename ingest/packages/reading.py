"""Reading a package's own metadata files: what cannot be read is a finding, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TypeVar

from ingest.packages.examined import Subject
from ingest.sources.port import BrokenEntryError
from metadata.identifiers import AgencyCode, FondsCode, ObjId, RecordCode
from metadata.refusal import DocumentRefused

T = TypeVar("T")


def reading(subject: Subject, path: str, read: Callable[[BinaryIO], T]) -> T | None:
    """What ``read`` makes of the file at ``path``; None when it, or the source, refuses it: a finding says why."""
    try:
        with subject.source.open(path) as stream:
            return read(stream)
    except (DocumentRefused, BrokenEntryError) as refused:
        refused.note(subject.findings)
    except OSError as error:
        subject.findings.add("SOURCE-UNREADABLE", path, reason=error.strerror or type(error).__name__)
    return None


def agency_code(text: str) -> AgencyCode | None:
    """The code, or None when ``text`` cannot be one."""
    try:
        return AgencyCode(text.strip())
    except ValueError:
        return None


def fonds_code(text: str) -> FondsCode | None:
    """The code, or None when ``text`` cannot be one."""
    try:
        return FondsCode(text.strip())
    except ValueError:
        return None


def record_code(text: str) -> RecordCode | None:
    """The code, or None when ``text`` cannot be one."""
    try:
        return RecordCode(text.strip())
    except ValueError:
        return None


def object_id(text: str) -> ObjId | None:
    """The OBJID, exactly as written, or None when ``text`` cannot be one."""
    try:
        return ObjId(text)
    except ValueError:
        return None
