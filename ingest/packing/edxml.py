"""edXML messages (QCVN 102:2016/BTTTT): each is a document of a dossier that a sheet or the caller describes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.guards import GuardLimits, NameGuard
from ingest.packing.faults import Faults
from ingest.packing.mapping import SourceMapping
from ingest.packing.model import FILE_CODE, Row, XmlOrigin
from ingest.packing.unpacking import NotUnpackedError, unpack
from ingest.packing.values import Values
from ingest.packing.xml_export import root_name, value_of
from metadata.dates import RecordDate
from metadata.findings import Findings
from metadata.refusal import DocumentRefused
from metadata.tt05.profile import Profile
from metadata.xml import Element, XmlLimits, iter_elements

NAMESPACES = ("http://www.mic.gov.vn/TBT/QCVN_102_2016", "http://www.e-doc.vn/Schema/")
_ATTACHMENT = 96 << 20
_LIMITS = XmlLimits(text=_ATTACHMENT, total=512 << 20)
_ZIP_LIMITS = GuardLimits(files=100, bytes=512 << 20)
_PARTS = ("MessageHeader", "TraceHeaderList", "Reference", "Attachment")
_NAMES_SHOWN = 40
_WHITE = re.compile(r"\s+")
_OFFICE = ("[Content_Types].xml", "mimetype")


@dataclass(frozen=True, slots=True)
class GivenOrigin:
    """A dossier that the caller described."""

    @property
    def name(self) -> str:
        return "--dossier"

    def place(self, line: int, field: str = "") -> str:
        return f"--dossier {field}" if field else "--dossier"

    def has(self, field: str) -> bool:
        return True


def given_dossier(values: Mapping[str, str], mapping: SourceMapping, profile: Profile) -> Row:
    """A dossier from what the caller says of it. Raises KeyError for a field that the form does not have."""
    return Row(None, GivenOrigin(), 1, Values(mapping, profile).of(None, values))


def read_messages(
    paths: Iterable[Path], base: Path, mapping: SourceMapping, profile: Profile, faults: Faults, work: Path
) -> list[Row]:
    """The messages as rows, in the order of their dates; files that came with them are unpacked under ``work``.

    A message in a folder belongs to the dossier of that folder's name, if there is one.
    """
    reader = _Reader(base, mapping, profile, faults, work)
    rows = []
    for number, path in enumerate(paths, 1):
        name = path.relative_to(base).as_posix()
        try:
            rows.append(reader.message(path, name, number))
        except DocumentRefused as refused:
            faults.add("PACK-UNREADABLE", name, reason=f"{refused.code}, {refused.finding.message.vi}")
    if reader.left:
        faults.add("PACK-NOT-CARRIED", base.name, names=", ".join(sorted(reader.left)))
    return sorted(rows, key=lambda row: RecordDate.read(row.get("issuedDate")).iso or "9999")


class _Reader:
    def __init__(self, base: Path, mapping: SourceMapping, profile: Profile, faults: Faults, work: Path) -> None:
        self._base = base
        self._mapping = mapping
        self._faults = faults
        self._work = work
        self._values = Values(mapping, profile)
        self.left: set[str] = set()

    def message(self, path: Path, name: str, number: int) -> Row:
        table = self._mapping.tables[1]
        header = Element("edXMLHeader", {})
        children: list[Element] = []
        references: dict[str, str] = {}
        files: list[Path] = []
        paths = {field: parts[0].paths[0] for field, parts in table.fields.items()}
        row = Row(table.kind, XmlOrigin(name, "edXML", paths), 1, {})
        namespace, _ = root_name(path)
        whole = {part for local in _PARTS for part in (local, f"{namespace}}}{local}")}
        with path.open("rb") as stream:
            for event in iter_elements(stream, whole, place=name, limits=_LIMITS):
                if not isinstance(event, Element):
                    continue
                if event.local == "Reference":
                    references[_inside(event, "ContentId")] = _inside(event, "AttachmentName")
                elif event.local == "Attachment":
                    identity = _inside(event, "ContentId")
                    label = _inside(event, "AttachmentName") or references.get(identity, "")
                    references.pop(identity, None)
                    files += self._attachment(row, event, label, self._work / f"m{number}" / f"a{len(files)}")
                else:
                    children.append(event)
        header.children = children
        self._header(row, header, path)
        for label in references.values():
            self._faults.add_of(row, "PACK-ATTACHMENT", name=label, reason="không có / not there")
        row.attached = tuple(files)
        return row

    def _header(self, row: Row, header: Element, path: Path) -> None:
        table = self._mapping.tables[1]
        found = {}
        for field, parts in table.fields.items():
            found[field] = next((text for part in parts if (text := value_of(header, part))), "")
        row.values = {**table.fixed, **self._values.of(table.kind, found)}
        read = {path for parts in table.fields.values() for part in parts for path in part.paths}
        for element in (inner for child in header.children for inner in child.children):
            own = f"MessageHeader/{element.local}"
            if len(self.left) < _NAMES_SHOWN and not any(one == own or one.startswith(f"{own}/") for one in read):
                self.left.add(element.local)
        if path.parent != self._base and FILE_CODE not in row.values:
            row.values[FILE_CODE] = path.parent.name

    def _attachment(self, row: Row, element: Element, label: str, target: Path) -> list[Path]:
        """Decode one attachment and take its file out of the ZIP that it is in."""
        encoded = _inside(element, "ContentTransferEncoded") or _inside(element, "Content")
        try:
            return _files(base64.b64decode(_WHITE.sub("", encoded), validate=True), label, target)
        except binascii.Error:
            reason = "base64"
        except NotUnpackedError as error:
            reason = str(error)
        self._faults.add_of(row, "PACK-ATTACHMENT", name=label, reason=reason)
        return []


def _files(data: bytes, label: str, target: Path) -> list[Path]:
    if not data:
        raise NotUnpackedError("rỗng / empty")
    target.mkdir(parents=True)
    packed = target / "packed"
    packed.write_bytes(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")) and not _is_office(packed):
        files = unpack(packed, target / "files", target / "quarantine", _ZIP_LIMITS)
        packed.unlink()
        if not files:
            raise NotUnpackedError("ZIP rỗng / empty ZIP")
        return files
    findings = Findings()
    good = label and "/" not in label and NameGuard(findings).judge(label) and not findings.counts
    plain = target / "files" / (label if good else "attachment")
    plain.parent.mkdir()
    packed.rename(plain)
    return [plain]


def _is_office(path: Path) -> bool:
    """Whether the ZIP is itself a document: Office and OpenDocument files are ZIPs too."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return any(name in archive.NameToInfo for name in _OFFICE)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _inside(element: Element, name: str) -> str:
    return next((child.text.strip() for child in element.children if child.local == name), "")


def is_edxml(namespace: str, local: str) -> bool:
    """Whether an XML document with that root is an edXML message."""
    return namespace in NAMESPACES or local.lower() == "edxml"
