"""Quarantine: a package in which a virus was found, or a file that could not be scanned, kept as it was sent.

Bytes first, record last: the copy is written beside its place, brought to disk, read back, renamed, and only then noted
in the catalogue. Removing: the decision first, bytes last; the record stays. Every step may be repeated after a crash.

    <folder>/<id>/submission/<name as sent>     the bytes; gone when it is over
    <folder>/<id>/record.json                   what was found, when, by which scanner, whose package it is
    <folder>/.new-<id>-…                        being copied
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ingest.place import Submission
from ingest.receipt import Receipt
from metadata.canonical import canonical
from metadata.catalogue import Catalogue
from metadata.catalogue.quarantine import QuarantinedPackage, QuarantineState
from metadata.dates import read_utc, utc_text
from metadata.errors import Damaged, TemporaryError
from metadata.findings import LIMIT_PER_CODE, Findings, Severity
from metadata.identifiers import AgencyCode, FondsCode, ObjId
from metadata.text import Sentence

QUARANTINE_CODES = frozenset({"VIRUS-FOUND", "VIRUS-NOT-SCANNED"})
"""Findings for which a package is kept in quarantine, when it is good otherwise."""
_FORMAT = "tangthu-quarantine/1"
_SUBMISSION, _RECORD, _NEW = "submission", "record.json", ".new-"
_CHUNK = 1 << 20
_TOLD = 20
"""Findings that an event tells; the receipt has all."""


@dataclass(frozen=True, slots=True)
class Release:
    """A package that two people let out of quarantine: its files are taken in although the scanner objects to them.

    ``known`` are the findings they knew, as (code, place); of the codes in ``counted`` they knew the number only.
    """

    package: QuarantinedPackage
    known: frozenset[tuple[str, str]]
    counted: frozenset[str]

    @classmethod
    def of(cls, package: QuarantinedPackage) -> Self:
        """As decided by the votes of ``package``."""
        receipt = Receipt.from_json(package.receipt)
        known = frozenset((one.code, one.place) for one in receipt.findings)
        return cls(package, known, frozenset(code for code, count in receipt.counts if count > LIMIT_PER_CODE))

    def accepts(self, code: str, place: str) -> bool:
        """Whether they knew of this finding, ``place`` as received."""
        written = place.encode("utf-8", "backslashreplace").decode()
        return code in QUARANTINE_CODES and (code in self.counted or (code, written) in self.known)

    def told(self) -> str:
        """For the PREMIS event: scanner, what was found, who let it out and why."""
        package = self.package
        found = [one for one in Receipt.from_json(package.receipt).findings if one.code in QUARANTINE_CODES]
        lines = [f"Quarantine {package.id} since {utc_text(package.since)}, {package.scanner}"]
        lines += [one.message.en for one in found[:_TOLD]]
        lines += [f"{vote.person}, {utc_text(vote.at)}: {vote.reason}" for vote in package.votes]
        return "\n".join(lines)


def name_kept(path: Path) -> str:
    """The name under which a submission is kept: its own, if that is text."""
    name = path.resolve().name
    return name if name and name.isprintable() else "package"


def quarantine_id(agency: AgencyCode, objid: ObjId, content: bytes) -> str:
    """The same package sent again has the same id."""
    said = hashlib.sha256(b"\n".join((agency.value.encode(), objid.value.encode(), content))).hexdigest()
    return f"q-{said[:20]}"


def only_viruses(findings: Findings) -> bool:
    """Whether a package would be taken in if it were not for what the scanner says."""
    errors = {one.code for one in findings.kept() if one.severity is Severity.ERROR}
    return bool(errors) and errors <= QUARANTINE_CODES


def receipt_of(package: QuarantinedPackage) -> Receipt:
    """What the sender of a package gets that was quarantined, now or when it was sent before."""
    receipt = Receipt.from_json(package.receipt)
    if package.state not in (QuarantineState.DISCARDING, QuarantineState.DISCARDED):
        return receipt
    findings = Findings()
    for one in receipt.findings:
        findings.take(one)
    findings.add("VIRUS-DISCARDED", package.name, id=package.id)
    return Receipt.refused(findings, receipt.agency, receipt.objid, receipt.title)


class QuarantineRoom:
    """The folder and the records. Threads may share it; each package is handled under its claim, one at a time."""

    def __init__(self, folder: Path, catalogue: Catalogue, at: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._at = at

    def hold(
        self, path: Path, package: QuarantinedPackage, content_of: Callable[[Path], bytes], keep: Callable[[], None]
    ) -> QuarantinedPackage:
        """Copy what lies at ``path`` and note it; gives what stands in the records, which may be from an earlier time.

        ``content_of`` reads a package and gives the SHA-256 of what is in it; ``keep`` is called now and then.
        Raises TemporaryError when the package changes while it is copied.
        """
        noted = self._catalogue.quarantine.find(package.id)
        if noted is not None:
            return noted
        place = self._folder / package.id
        if place.exists():  # a worker died between the copy and the record
            if content_of(self.copy_of(package)) == package.content:
                return self._note(_package_of(json.loads((place / _RECORD).read_bytes())))
            shutil.rmtree(place)
        new = self._folder / f"{_NEW}{package.id}-{secrets.token_hex(4)}"
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, new, ignore_errors=True)
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (new / _SUBMISSION).mkdir(mode=0o700, parents=True)
            new.chmod(0o700)
            _copy(path, new / _SUBMISSION / package.name, keep)
            self._at("quarantine copied")
            if content_of(new / _SUBMISSION / package.name) != package.content:
                raise _changed()
            _write(new / _RECORD, _record_of(package))
            _to_disk(new / _SUBMISSION)
            _to_disk(new)
            new.rename(place)
            _to_disk(self._folder)
        self._at("quarantine renamed")
        return self._note(package)

    def copy_of(self, package: QuarantinedPackage) -> Path:
        """Where the package lies, as it was sent."""
        return self._folder / package.id / _SUBMISSION / package.name

    def submission_of(self, package: QuarantinedPackage) -> Submission:
        """To take it in. Raises Damaged when its bytes are not there."""
        path = self.copy_of(package)
        if not path.exists():
            raise damaged_copy(package)
        return Submission(path, package.said_agency, package.said_fonds, Release.of(package))

    def remove(self, package: QuarantinedPackage) -> None:
        """The bytes go, the record stays. No error when they are gone."""
        bytes_of = self._folder / package.id / _SUBMISSION
        self._at("quarantine removing")
        if bytes_of.exists():
            shutil.rmtree(bytes_of)
            _to_disk(bytes_of.parent)

    def restore(self) -> int:
        """Note again what lies here and the catalogue has lost; how many. Who decided what is lost with it."""
        count = 0
        for record in sorted(self._folder.glob(f"q-*/{_RECORD}")):
            package = _package_of(json.loads(record.read_bytes()))
            if self._catalogue.quarantine.find(package.id) is None and self.copy_of(package).exists():
                self._note(package)
                count += 1
        return count

    def sweep(self, before: float) -> int:
        """Remove copies that nobody finished, begun before that moment (seconds since 1970); how many."""
        count = 0
        for entry in self._folder.glob(f"{_NEW}*"):
            if entry.stat().st_mtime < before:
                shutil.rmtree(entry, ignore_errors=True)
                count += 1
        return count

    def _note(self, package: QuarantinedPackage) -> QuarantinedPackage:
        noted = self._catalogue.quarantine.hold(package)
        self._at("quarantined")
        return noted


def _copy(source: Path, target: Path, keep: Callable[[], None]) -> None:
    """A file or a whole folder, brought to disk; what is neither is left out (the guards refuse it before)."""
    if not source.is_dir():
        _copy_file(source, target, keep)
        return
    target.mkdir(mode=0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _copy(Path(entry.path), target / entry.name, keep)
            elif entry.is_file(follow_symlinks=False):
                _copy_file(Path(entry.path), target / entry.name, keep)
    _to_disk(target)


def _copy_file(source: Path, target: Path, keep: Callable[[], None]) -> None:
    with source.open("rb") as read, _created(target) as descriptor:
        while chunk := read.read(_CHUNK):
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
            keep()
        os.fsync(descriptor)


@contextlib.contextmanager
def _created(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    with _created(path) as descriptor:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _record_of(package: QuarantinedPackage) -> str:
    return canonical(
        {
            "format": _FORMAT,
            "id": package.id,
            "agency": package.agency.value,
            "objid": package.objid.value,
            "title": package.title,
            "content": package.content.hex(),
            "name": package.name,
            "said_agency": package.said_agency and package.said_agency.value,
            "said_fonds": package.said_fonds and package.said_fonds.value,
            "since": utc_text(package.since),
            "scanner": package.scanner,
            "receipt": package.receipt,
        }
    )


def _package_of(record: dict[str, str]) -> QuarantinedPackage:
    said_agency, said_fonds = record["said_agency"], record["said_fonds"]
    return QuarantinedPackage(
        record["id"],
        AgencyCode(record["agency"]),
        ObjId(record["objid"]),
        record["title"],
        bytes.fromhex(record["content"]),
        record["name"],
        AgencyCode(said_agency) if said_agency else None,
        FondsCode(said_fonds) if said_fonds else None,
        read_utc(record["since"]),
        record["scanner"],
        record["receipt"],
    )


def damaged_copy(package: QuarantinedPackage) -> Damaged:
    """What lies in quarantine is not what was sent."""
    return Damaged(
        Sentence(
            f"Bản cách ly {package.id} không còn đúng như khi được gửi: không thể tiếp nhận. Hãy quyết định hủy và yêu "
            "cầu gửi lại.",
            f"The copy of {package.id} in quarantine is no longer what was sent and cannot be taken in. Decide to "
            "discard it and ask for it again.",
        )
    )


def _changed() -> TemporaryError:
    return TemporaryError(
        Sentence(
            "Gói tin thay đổi trong khi được chuyển vào khu cách ly. Hãy chờ sao chép xong rồi gửi lại.",
            "The package changed while it was copied into quarantine. Wait until it is complete and send it again.",
        )
    )
