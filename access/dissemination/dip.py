"""From a held AIP and a reader's request to a DIP (TT 05 Điều 42, Phụ lục V).

Every byte of the archive's goes out verified, from whatever replica proves right. The package appears whole or not at
all, and only after the giving out was written down.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from access.content import Span, replicas_of, verified_bytes
from access.dissemination.linked import LINK, GivenFile, content_path, files_of
from access.dissemination.package_file import PackageOut, new_package
from access.dissemination.recording import dissemination, record
from access.dissemination.scratch import Scratch
from access.services import AccessServices
from access.shelf import Shelf
from metadata.catalogue import Document
from metadata.errors import NotFound, Unreadable
from metadata.events import Agent, Event
from metadata.holdings import AipVersion, Member, Record, Role
from metadata.identifiers import VersionId
from metadata.mets import (
    MetsAgent,
    MetsEntry,
    MetsPackage,
    MetsRepresentation,
    write_representation_mets,
    write_root_mets,
)
from metadata.package_kinds import PackageKind
from metadata.premis import Category, PremisObject, write_premis
from metadata.refusal import DocumentRefused
from metadata.text import Sentence
from metadata.tt05.dip import AccessRequest, dip_document, dip_schemas
from metadata.tt05.packages import MetsRules
from metadata.tt05.profile import DocumentKind, default_profile
from metadata.tt05.records import Fields, document_kind, read_simpledc, write_simpledc
from metadata.tt05.writing import representation_identity
from preservation.description import ChunkStream, is_document
from storage.hashing import MemberDigests, digest_bytes

_UNKNOWN = "application/octet-stream"
_REPRESENTATION = "representations/rep1/"
_DESCRIPTIVE = "metadata/descriptive/"
_RECEIVED = f"data/submission/{_REPRESENTATION}{_DESCRIPTIVE}"
_FILES, _DOCUMENTS = "files", "documents"
_NAMED = 20
_RESTRICTED = ("02", "03")

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Dip:
    """A DIP that was made. ``bytes`` counts the content files, ``event`` is what was written down of it.

    ``restricted`` counts documents that are not public (mode 02, conditional use, or 03, secret).
    """

    objid: str
    path: Path
    documents: int
    files: int
    bytes: int
    restricted: int
    event: Event


def make_dip(
    services: AccessServices,
    agent: Agent,
    work: Path,
    version: AipVersion,
    request: AccessRequest,
    target: Path,
    chosen: Sequence[int] = (),
    on_progress: Progress = lambda _: None,
) -> Dip:
    """Write the DIP of the ``chosen`` documents of an AIP (none: of all of it) to ``target``: ``….zip``, or a folder.

    ``work`` is for temporary files; ``on_progress`` is told bytes as they are written. Raises NotFound for a document
    that is not there, Damaged when no replica proves right, StoreUnavailable, AlreadyExists, NoSpace, UsageError.
    """
    with new_package(target) as out, Scratch(work) as scratch:
        maker = _Maker(services, agent, work, version, request, out, scratch, on_progress)
        event = maker.write(tuple(dict.fromkeys(chosen)))
        record(services, version, event)
        for other in maker.others.values():
            record(services, other, dissemination(other, services, agent, event.detail, f"linked from {version.id}"))
    return Dip(maker.objid, target, maker.documents, maker.files, maker.bytes, maker.restricted, event)


@dataclass(frozen=True, slots=True)
class _Described:
    """A document to be given out: how it is described in the DIP, and its files."""

    name: str
    fields: Fields
    files: tuple[GivenFile, ...]


class _Maker:
    def __init__(
        self,
        services: AccessServices,
        agent: Agent,
        work: Path,
        version: AipVersion,
        request: AccessRequest,
        out: PackageOut,
        scratch: Scratch,
        on_progress: Progress,
    ) -> None:
        self._services = services
        self._holdings = services.catalogue.holdings
        self._agent = agent
        self._work = work
        self._version = version
        self._request = request
        self._out = out
        self._scratch = scratch
        self._on_progress = on_progress
        self._created = services.clock()
        self._rules = default_profile().packages[PackageKind.DIP]
        self.objid = f"uuid-{str(uuid.uuid4()).upper()}"
        self._dossier = Shelf(services.catalogue).dossier(version)
        self.documents = self.files = self.bytes = self.restricted = 0
        self._replicas = version.id, replicas_of(services, version)
        self.others: dict[VersionId, AipVersion] = {}

    def write(self, chosen: tuple[int, ...]) -> Event:
        """Everything of the package; the event that tells of it, not yet written down."""
        described = self._version.package_type.describes_documents
        for one in self._described(chosen) if described else self._plain(chosen):
            self._put_document(one)
        if not chosen:
            self._put_undescribed()
        if not self.files:
            raise NotFound(Sentence("Không có tài liệu nào để cung cấp.", "There is no document to give out."))
        event = dissemination(
            self._version, self._services, self._agent, f"AIP to DIP {self.objid}", self._note(chosen)
        )
        self._put_descriptions_of_package(event)
        return event

    def _note(self, chosen: tuple[int, ...]) -> str:
        numbers = ", ".join(map(str, chosen[:_NAMED])) + (", …" if len(chosen) > _NAMED else "")
        what = f"documents: {numbers if chosen else 'all'}"
        asked = f"request {self._request.request_id}, purpose {self._request.purpose}"
        return f"{asked}; {what}; {self.files} files, {self.bytes} bytes"

    def _described(self, chosen: tuple[int, ...]) -> Iterator[_Described]:
        """The documents of a dossier in their order. The agency's own descriptions lie before the archive's."""
        wanted, number = set(chosen), 0
        for member in self._holdings.members(self._version.id):
            if member.role is Role.SUBMISSION and member.path.startswith(_RECEIVED):
                self._scratch.note_received(member.path.removeprefix(_RECEIVED), member.number)
            elif is_document(member):
                number += 1
                if not wanted or number in wanted:
                    yield self._document(number, member)
        self._all_there(wanted, number)

    def _document(self, number: int, member: Member) -> _Described:
        found = self._holdings.document(self._version.id, number)
        named = document_kind(member.path.rpartition("/")[2])
        if found is None or named is None:
            raise _no_document(number)
        kind, name = named
        received = self._scratch.received(member.path.rpartition("/")[2])
        sent = self._holdings.member_numbered(self._version.id, received) if received else None
        fields = dip_document(
            self._read(member),
            _named(self._read(sent) if sent else Fields(()), found.record),
            Fields.of(self._dossier.fields),
            self._version.archive,
            kind,
        )
        return _Described(f"EAD_{kind}_{name}.xml", fields, self._files_of(found))

    def _plain(self, chosen: tuple[int, ...]) -> Iterator[_Described]:
        """The files of a package that describes no documents: each is one, described by what the catalogue says."""
        wanted, last = set(chosen), 0
        for one in self._holdings.records(self._version.id, first=1):
            last = one.number
            if not wanted or last in wanted:
                yield self._plain_document(one)
        self._all_there(wanted, last)

    def _plain_document(self, one: Record) -> _Described:
        members = (self._holdings.member_numbered(self._version.id, number) for number in one.members)
        found = Document(one, tuple(member for member in members if member))
        own, dossier = Fields.of(one.fields), Fields.of(self._dossier.fields)
        fields = dip_document(own, Fields(()), dossier, self._version.archive, DocumentKind.TEXT)
        return _Described(f"EAD_doc_{one.number:07d}.xml", fields, self._files_of(found))

    def _files_of(self, document: Document) -> tuple[GivenFile, ...]:
        return tuple(files_of(self._services.catalogue, self._version, document))

    def _all_there(self, wanted: set[int], last: int) -> None:
        for number in sorted(wanted):
            if not 0 < number <= last:
                raise _no_document(number)

    def _put_document(self, one: _Described) -> None:
        self.documents += 1
        self.restricted += one.fields.get("mode").zfill(2) in _RESTRICTED
        path = f"{_DESCRIPTIVE}{one.name}"
        out = io.BytesIO()
        write_simpledc(out, one.fields)
        self._scratch.add_entry(_DOCUMENTS, self._put(path, out.getvalue(), _REPRESENTATION))
        for file in one.files:
            self._put_file(file, path)

    def _put_undescribed(self) -> None:
        """Files that no description names are given out with the whole."""
        for member in self._holdings.members(self._version.id):
            if member.role is Role.CONTENT and not member.path.endswith(LINK):
                self._put_file(GivenFile(self._version, member, content_path(member.path)), "")

    def _put_file(self, file: GivenFile, document: str) -> None:
        member, path = file.member, file.path
        if not self._scratch.give(f"{file.version.id}/{member.number}"):
            return
        if not self._scratch.give(path):
            path = f"data/{file.version.id}/{path.removeprefix('data/')}"  # two documents link to files of one name
        if file.version.id != self._version.id:
            self.others[file.version.id] = file.version
        chunks = self._bytes(file.version, member)
        self._out.add(f"{self.objid}/{_REPRESENTATION}{path}", member.size, member.crc32, self._watched(chunks))
        identified = member.format.mime if member.format else _UNKNOWN
        entry = MetsEntry(path, member.size, _media_type(path, identified), member.sha256, document=document)
        self._scratch.add_entry(_FILES, entry)
        self.files += 1
        self.bytes += member.size

    def _watched(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._on_progress(len(chunk))
            yield chunk

    def _read(self, member: Member) -> Fields:
        """The fields of a description that the archive holds."""
        try:
            return read_simpledc(ChunkStream(self._bytes(self._version, member)), member.path)
        except DocumentRefused as refused:
            raise Unreadable(
                Sentence(f"Không đọc được {member.path} của gói.", f"{member.path} of the AIP cannot be read.")
            ) from refused

    def _bytes(self, version: AipVersion, member: Member) -> Iterator[bytes]:
        if self._replicas[0] != version.id:
            self._replicas = version.id, replicas_of(self._services, version)
        return verified_bytes(self._services, version, member, Span(0, member.size), self._replicas[1])

    # The package's own metadata

    def _put(self, path: str, data: bytes, folder: str = "") -> MetsEntry:
        digests = digest_bytes(data)
        self._out.add(f"{self.objid}/{folder}{path}", digests.size, digests.crc32, (data,))
        return MetsEntry(path, digests.size, _media_type(path), digests.sha256)

    def _put_written(self, path: str, write: Callable[[BinaryIO], None]) -> MetsEntry:
        """A document that may be large: written to the work folder first, because its size comes before its bytes."""
        with tempfile.TemporaryFile(dir=self._work) as spool:
            write(cast(BinaryIO, spool))
            digests = _digests(spool)
            self._out.add(f"{self.objid}/{path}", digests.size, digests.crc32, _chunks(spool))
        return MetsEntry(path, digests.size, _media_type(path), digests.sha256)

    def _put_descriptions_of_package(self, event: Event) -> None:
        inside = self._put_written(f"{_REPRESENTATION}METS.xml", self._write_representation)
        ead = io.BytesIO()
        write_simpledc(ead, self._request.fields())
        descriptive = self._put(f"{_DESCRIPTIVE}EAD.xml", ead.getvalue())
        premis = io.BytesIO()
        package = PremisObject("DIP", self.objid, Category.INTELLECTUAL_ENTITY, self._version.objid.value)
        write_premis(premis, [package], [event])
        preservation = self._put("metadata/preservation/PREMIS.xml", premis.getvalue())
        schemas = [self._put(f"schemas/{name}", data) for name, data in dip_schemas().items()]

        def write(out: BinaryIO) -> None:
            write_root_mets(
                out,
                self._package("root", self._rules.root_mets, "schemas"),
                descriptive=[descriptive],
                preservation=[preservation],
                schemas=schemas,
                representations=[MetsRepresentation("rep1", inside)],
            )

        self._put_written("METS.xml", write)

    def _write_representation(self, out: BinaryIO) -> None:
        rules = self._rules.representation_mets
        write_representation_mets(
            out,
            representation_identity(self._package("rep1", rules, "../../schemas")),
            representation_type=rules.division_type,
            files=lambda: self._scratch.entries(_FILES),
            documents=lambda: self._scratch.entries(_DOCUMENTS),
        )

    def _package(self, scope: str, rules: MetsRules, schemas: str) -> MetsPackage:
        software, _, number = self._agent.name.rpartition(" ")
        root = scope == "root"
        name, note = (software, number) if root else (self._services.archive_name, self._version.fonds.value)
        agent = rules.agent
        return MetsPackage(
            objid=self.objid,
            package=self.objid,
            scope=scope,
            oais_type=self._rules.oais_type,
            profile=rules.profile,
            label=self._version.title,
            created=self._created,
            agents=(MetsAgent(agent.role, agent.type, name, agent.other_type, ((agent.note, note),)),),
            type=rules.types[0],
            schemas=schemas,
        )


def _named(received: Fields, shown: Record) -> Fields:
    """An AIP of another system came without the agency's descriptions; its METS told the identifiers of documents."""
    identifier = shown.fields.get("docId", "")
    return received if received.get("docId") or not identifier else Fields((*received, ("docId", identifier)))


def _media_type(path: str, otherwise: str = _UNKNOWN) -> str:
    """What the circular's table says of the name; ``otherwise`` for a name that it does not have."""
    told = default_profile().media_type(path)
    return otherwise if told == _UNKNOWN else told


def _digests(spool: IO[bytes]) -> MemberDigests:
    sha256, crc32, size = hashlib.sha256(), 0, 0
    for chunk in _chunks(spool):
        sha256.update(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        size += len(chunk)
    return MemberDigests(size, sha256.digest(), b"", crc32)


def _chunks(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while chunk := spool.read(1 << 20):
        yield chunk


def _no_document(number: int) -> NotFound:
    return NotFound(Sentence(f"Gói không có tài liệu số {number}.", f"The AIP has no document number {number}."))
