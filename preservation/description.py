"""What an AIP object says of itself, as the catalogue's rows: all of them, from the object alone, flat in memory.

A rebuild reads these; an ingest computes the same values on its way. Members are joined in member order out of the
central directory, both manifests, the PREMIS of the representation and what the checks of ingest found; documents and
their files out of EAD files and the METS of the representation. Every byte that is used has matched its digest.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from metadata.bagit import read_tag_file
from metadata.dates import RecordDate, read_utc
from metadata.errors import Unreadable
from metadata.events import Event
from metadata.examination import FILES
from metadata.holdings import AipVersion, Format, Level, Member, PackageType, Record, Role
from metadata.identifiers import AgencyCode, Algorithm, ArchiveCode, FondsCode, ObjId, RecordCode, VersionId
from metadata.premis import Category, PremisObject, iter_premis
from metadata.text import Sentence
from metadata.tt05.records import document_kind, document_record, dossier_record, read_simpledc
from preservation.examined import ExaminedMembers
from preservation.links import DocumentLinks
from storage.aip.directory import ZipEntry
from storage.aip.reader import AipReader
from storage.aip.writer import (
    BAG_INFO,
    PAYLOAD,
    TAGMANIFEST_SHA256,
    TAGMANIFEST_SHA512,
)
from storage.hashing import digest_bytes
from storage.keys import object_key, parse_object_key
from storage.port import Store

_UNDATED = RecordDate("")
_TAG_LIMIT = 1 << 20
_SUBMISSION = "submission"
_CONTENT_FOLDER = "data"
# Where both are, the first is the archive's own and the second came with an E-ARK package.
_DOSSIERS = (PackageType.EARK.dossier_file, PackageType.AIP_HOSO.dossier_file)
_SUPPORT = frozenset({"schemas", "documentation"})


def role_of(path: str) -> Role:
    """What a member is for, by its path relative to the bag root (``docs/aip-format.md`` §5)."""
    parts = path.split("/")
    if not path.startswith(PAYLOAD):
        return Role.TAG
    if len(parts) < 3:
        return Role.METADATA
    inside = parts[2:]
    if parts[1] == _SUBMISSION:
        return Role.SUBMISSION
    if inside[0] == "representations" and len(inside) > 2:
        inside = inside[2:]
        if inside[0] == _CONTENT_FOLDER and len(inside) > 1:
            return Role.CONTENT
    return Role.SUPPORT if inside[0] in _SUPPORT and len(inside) > 1 else Role.METADATA


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller knows of an object that it has just written and read back: it is not read again.

    ``members`` gives every member anew, formats included; ``tags`` are the bag's own tag files by path.
    """

    members: Callable[[], Iterator[Member]]
    tags: Mapping[str, Member]


def describe_stored(store: Store, key: str, work: Path | None = None, known: Known | None = None) -> AipDescription:
    """The description of the AIP object under ``key``. Nothing is read before it is asked for."""
    return AipDescription(AipReader(store, key), work, known)


class ChunkStream:
    """Verified chunks as a binary stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none only at the end."""
        while not self._rest and (chunk := next(self._chunks, None)) is not None:
            self._rest = memoryview(chunk)
        data, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return data


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the metadata lie. ``premis`` and ``mets`` are by representation folder; ``examined`` is what the checks of
    ingest found of each file, None in an AIP that is older than they."""

    ead: Member | None
    premis: Member | None
    representation_premis: dict[str, Member]
    representation_mets: dict[str, Member]
    examined: Member | None


class AipDescription:
    """One AIP object, described. Methods raise NotFound, Unreadable, Damaged and StoreUnavailable as its reader does.

    ``work`` is a folder for a temporary file while :meth:`records` is read, the system's when None.
    """

    def __init__(self, reader: AipReader, work: Path | None = None, known: Known | None = None) -> None:
        self._reader = reader
        self._work = work
        self._known = known

    @cached_property
    def id(self) -> VersionId:
        """Which version this is, by its key; the reader holds the object's top folder against it."""
        version = parse_object_key(self._reader.key)
        if version is None:
            self._refuse("khóa không phải của một gói AIP", "the key is not one of an AIP")
        return version

    @cached_property
    def version(self) -> AipVersion:
        """The row of the version, from bag-info.txt."""
        info = dict(read_tag_file(io.BytesIO(self._bag_info()), "UTF-8"))
        try:
            payload_bytes, files = info["Payload-Oxum"].split(".")
            version = AipVersion(
                id=self.id,
                key=self._reader.key,
                package_type=PackageType(info["Tangthu-Package-Type"]),
                archive=ArchiveCode(info["Tangthu-Archive"]),
                agency=AgencyCode(info["Source-Organization"]),
                fonds=FondsCode(info["Bag-Group-Identifier"]),
                objid=ObjId(info["External-Identifier"]),
                code=RecordCode(info["Internal-Sender-Identifier"]),
                title=info["External-Description"],
                content=bytes.fromhex(info["Tangthu-Content"]),
                size=self._reader.size,
                file_count=int(files),
                payload_bytes=int(payload_bytes),
                created=read_utc(info["Tangthu-Created"]),
            )
        except (KeyError, ValueError) as error:
            self._refuse(f"bag-info.txt không đúng ({error})", f"bag-info.txt is not as it should be ({error})")
        if object_key(version.archive, version.fonds, version.code, version.id) != version.key:
            self._refuse("bag-info.txt không khớp với khóa", "bag-info.txt does not agree with the key")
        return version

    def members(self) -> Iterator[Member]:
        """Every member in its order: formats of content files from the PREMIS of their representation, characteristics
        from what the checks of ingest found."""
        if self._known is not None:
            yield from self._known.members()
            return
        formats = _Formats(self, self._places.representation_premis)
        examined = self._places.examined
        found = ExaminedMembers(self.open(examined) if examined else (), self.refuse_examined)
        for member in self._bare_members():
            identified = formats.of(member) if member.role is Role.CONTENT else None
            characteristics = found.of(member)
            known = identified is not None or characteristics is not None
            yield replace(member, format=identified, characteristics=characteristics) if known else member
        formats.end()
        found.end()

    def records(self) -> Iterator[Record]:
        """The dossier (number 0), then its documents in the order of their EAD files, each with its files.

        A package that describes no documents (plain, E-ARK) has one in each of its content files.
        """
        places = self._places
        if places.ead is None:
            return
        dossier = dossier_record(read_simpledc(self.stream(places.ead), places.ead.path))
        yield dossier
        if not self.version.package_type.describes_documents:
            yield from self._content_documents(dossier)
            return
        with DocumentLinks(self._work) as links:
            for folder, mets in places.representation_mets.items():
                links.read(lambda mets=mets: self.stream(mets), folder, self._content_numbers, mets.path)  # type: ignore[misc]
            number = 0
            for member in self._bare_members():
                if is_document(member):
                    number += 1
                    fields = read_simpledc(self.stream(member), member.path)
                    named = named_document(document_record(fields, number), *links.names_of(member.path))
                    yield replace(named, members=links.of(member.path))

    def _content_numbers(self) -> Iterator[tuple[str, int]]:
        return ((member.path, member.number) for member in self._bare_members() if member.role is Role.CONTENT)

    def _content_documents(self, dossier: Record) -> Iterator[Record]:
        prefix = f"{self.version.code}."
        content = (member for member in self._bare_members() if member.role is Role.CONTENT)
        for number, member in enumerate(content, 1):
            folder, _, inside = _representation(member.path)
            code, title = f"{prefix}{number:07d}", inside.removeprefix(f"{_CONTENT_FOLDER}/")
            if self.version.package_type is PackageType.EARK:
                title = f"{folder.split('/')[-2]}/{title}"
            fields = {"docCode": code, "docOrdinal": str(number), "subject": title, "mode": dossier.access}
            yield Record(
                number, Level.DOCUMENT, code, title, "", "", "", "", dossier.access,
                _UNDATED, _UNDATED, None, "", fields, (member.number,),
            )  # fmt: skip

    def _bag_info(self) -> bytes:
        known = self._known.tags.get(BAG_INFO) if self._known else None
        if known is None or known.size > _TAG_LIMIT:
            return self._reader.read(BAG_INFO, _TAG_LIMIT)
        return b"".join(self._reader.open(known))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What was done to the package until it was sealed, from PREMIS.xml."""
        if self._places.premis is None:
            return ()
        premis = self._places.premis
        items = iter_premis(self.stream(premis), premis.path)
        return tuple(item for item in items if isinstance(item, Event))

    def stream(self, member: Member) -> ChunkStream:
        """The verified bytes of a member."""
        return ChunkStream(self.open(member))

    def open(self, member: Member) -> Iterator[bytes]:
        """The verified bytes of a member in chunks."""
        return self._reader.open(member)

    @cached_property
    def _places(self) -> _Places:
        ead = premis = examined = None
        by_premis: dict[str, Member] = {}
        by_mets: dict[str, Member] = {}
        for member in self._bare_members():
            if member.role is not Role.METADATA:
                continue
            if member.path == FILES:
                examined = member
                continue
            folder, _, inside = _representation(member.path)
            if folder and inside == f"metadata/preservation/PREMIS_{folder.split('/')[-2]}.xml":
                by_premis[folder] = member
            elif folder and inside == "METS.xml":
                by_mets[folder] = member
            elif not folder and inside in _DOSSIERS:
                ead = member if ead is None or inside == PackageType.EARK.dossier_file else ead
            elif not folder and inside == "metadata/preservation/PREMIS.xml":
                premis = member
        return _Places(ead, premis, by_premis, by_mets, examined)

    def _bare_members(self) -> Iterator[Member]:
        """The merge of the central directory with both manifests, without formats."""
        if self._known is not None:
            yield from self._known.members()
            return
        tags = self._tag_digests
        wide, short = self._reader.manifest(Algorithm.SHA512), self._reader.manifest(Algorithm.SHA256)
        for number, entry in enumerate(self._reader.entries(), 1):
            if entry.path.startswith(PAYLOAD):
                sha256, sha512 = self._listed(entry, next(short, None)), self._listed(entry, next(wide, None))
            elif entry.path in tags:
                sha256, sha512 = tags[entry.path]
            else:
                self._refuse(f"không có mã băm của {entry.path}", f"there is no digest of {entry.path}")
            role = role_of(entry.path)
            yield Member(number, entry.path, role, entry.offset, entry.data, entry.size, entry.crc32, sha256, sha512)
        if next(short, None) or next(wide, None):
            self._refuse("bản kê có tệp mà gói không có", "a manifest lists a file that is not there")

    def _listed(self, entry: ZipEntry, line: tuple[str, bytes] | None) -> bytes:
        if line is None or line[0] != entry.path:
            self._refuse(
                f"bản kê không theo thứ tự của gói ở {entry.path}", f"a manifest is not in member order at {entry.path}"
            )
        return line[1]

    @cached_property
    def _tag_digests(self) -> dict[str, tuple[bytes, bytes]]:
        """The digests of the bag's own tag files: those the tag manifests list, and those of the tag manifests."""
        texts = {path: self._reader.read(path, _TAG_LIMIT) for path in (TAGMANIFEST_SHA256, TAGMANIFEST_SHA512)}
        short, wide = (_tag_lines(texts[path]) for path in (TAGMANIFEST_SHA256, TAGMANIFEST_SHA512))
        digests = {path: (short[path], wide[path]) for path in short if path in wide}
        for path, text in texts.items():
            own = digest_bytes(text)
            digests[path] = (own.sha256, own.sha512)
        return digests

    def _refuse(self, vi: str, en: str) -> NoReturn:
        key = self._reader.key
        raise Unreadable(Sentence(f"Không đọc được gói AIP {key}: {vi}.", f"AIP {key} cannot be read: {en}."))

    def refuse_premis(self, path: str) -> NoReturn:
        """Raise Unreadable: PREMIS does not tell of this member what the manifests tell."""
        self._refuse(f"PREMIS không khớp với bản kê ở {path}", f"PREMIS does not agree with the manifests at {path}")

    def refuse_examined(self, path: str) -> NoReturn:
        """Raise Unreadable: what the checks of ingest found is told of other files than there are."""
        self._refuse(f"{FILES} không khớp với gói ở {path}", f"{FILES} does not agree with the AIP at {path}")


class _Formats:
    """The formats of content files, out of the PREMIS of their representation, in step with the members."""

    def __init__(self, description: AipDescription, premis: dict[str, Member]) -> None:
        self._description = description
        self._premis = premis
        self._folder = ""
        self._objects: Iterator[PremisObject] = iter(())

    def of(self, member: Member) -> Format | None:
        folder = _representation(member.path)[0]
        if folder != self._folder:
            self.end()
            self._folder = folder
            if folder in self._premis:
                self._objects = self._files(self._premis[folder])
        found = next(self._objects, None)
        if found is None or found.sha256 != member.sha256 or found.size != member.size:
            self._description.refuse_premis(member.path)
        return found.format

    def end(self) -> None:
        """Read what is left, so that its digest is proved."""
        if (left := next(self._objects, None)) is not None:
            self._description.refuse_premis(left.original_name)

    def _files(self, premis: Member) -> Iterator[PremisObject]:
        for item in iter_premis(self._description.stream(premis), premis.path):
            if isinstance(item, PremisObject) and item.category is Category.FILE:
                yield item


def _representation(path: str) -> tuple[str, str, str]:
    """A payload path as (folder of its representation or "", folder of its package, path inside)."""
    if path.count("/") < 2:
        return "", "", path
    data, objid, inside = path.split("/", 2)
    package = f"{data}/{objid}/"
    parts = inside.split("/", 2)
    if parts[0] == "representations" and len(parts) == 3:
        return f"{package}representations/{parts[1]}/", package, parts[2]
    return "", package, inside


def named_document(record: Record, identifier: str, held: str) -> Record:
    """The record with what its description in an AIP leaves out: docId, and of a linked document where it is held."""
    more = {"docId": identifier, "linkedDocument": held}
    added = {name: text for name, text in more.items() if text and name not in record.fields}
    return replace(record, fields={**record.fields, **added}) if added else record


def is_document(member: Member) -> bool:
    """Whether a member describes a document: an EAD_doc, EAD_pic or EAD_media file of a representation."""
    if member.role is not Role.METADATA:
        return False
    folder, _, inside = _representation(member.path)
    head, _, name = inside.rpartition("/")
    return bool(folder) and head == "metadata/descriptive" and document_kind(name) is not None


def _tag_lines(text: bytes) -> dict[str, bytes]:
    lines = (line.partition("  ") for line in text.decode(errors="replace").splitlines())
    return {path: bytes.fromhex(digest) for digest, _, path in lines}
