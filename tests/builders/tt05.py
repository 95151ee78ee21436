"""Good packages of TT 05, of each kind, with switches that break exactly one thing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from metadata.events import Agent, Event, EventType
from metadata.identifiers import AipId, ArchiveCode, VersionId
from metadata.package_kinds import PackageKind
from metadata.tt05.aip import AipPackage, write_aip_hoso, write_aip_tailieu
from metadata.tt05.dip import AccessRequest, DipPackage, dip_document, write_dip
from metadata.tt05.profile import DocumentKind
from metadata.tt05.records import (
    Fields,
    sip_to_aip_batch,
    sip_to_aip_document,
    sip_to_aip_dossier,
    sip_to_aip_loose_document,
)
from metadata.tt05.sip import Sender, SipDocument, SipDossier, write_sip_hoso, write_sip_tailieu

CREATED = datetime(2026, 7, 1, 2, 3, 4, 500000, tzinfo=UTC)
SENDER = Sender("Sở Nội vụ tỉnh Đồng Tháp", "P_SNV", "01.SNV.2026.01", "VietNam Fonds Archival System", "1.0")
ARCHIVE = ArchiveCode("H20")
IDENTITY = "7d0d1987-0f1c-47a7-8fd6-cc5c7de4064f"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_METS = "{http://www.loc.gov/METS/}"
_CSIP = "{https://DILCIS.eu/XML/METS/CSIPExtensionMETS}"
_EAD = "metadata/descriptive/EAD.xml"
_HREF = "{http://www.w3.org/1999/xlink}href"


def dossier_fields(code: str = "H20.05.2024.01.TCCB", **changes: str | None) -> Fields:
    """All 18 fields of a good dossier; a change to None takes a field out."""
    fields: dict[str, str | None] = {
        "fileCode": code,
        "title": "Hồ sơ tuyển dụng công chức năm 2024",
        "maintenance": "01",
        "mode": "01",
        "language": "01",
        "startDate": "02/01/2024",
        "endDate": "30/12/2024",
        "keyword": "tuyển dụng",
        "totalDoc": "2",
        "numberOfPaper": "3",
        "numberOfPage": "5",
        "format": "01",
        "inforSign": "TCCB",
        "confidenceLevel": "01",
        "riskRecovery": "0",
        "description": "Người lập: Nguyễn Văn Ấn",
    } | changes
    return Fields.of({name: text for name, text in fields.items() if text is not None})


def document_fields(number: int = 1, code: str = "H20.05.2024.01.TCCB", **changes: str | None) -> Fields:
    """A good text document; a change to None takes a field out."""
    fields: dict[str, str | None] = {
        "docId": f"D{number:07d}",
        "docCode": f"{code}.{number:07d}",
        "maintenance": "01",
        "typeName": "22" if number % 2 else "02",
        "codeNumber": str(100 + number),
        "codeNotation": "SNV-TCCB",
        "issuedDate": f"{1 + number % 28:02d}/03/2024",
        "organName": "Sở Nội vụ",
        "subject": f"Về việc tuyển dụng công chức đợt {number}",
        "language": "01",
        "numberOfPage": "2",
        "mode": "01",
        "confidenceLevel": "01",
        "process": "0",
        "riskRecovery": "0",
    } | changes
    return Fields.of({name: text for name, text in fields.items() if text is not None})


def picture_fields(number: int = 1, code: str = "H20.05.2024.01.TCCB", **changes: str | None) -> Fields:
    """A good photograph; a change to None takes a field out."""
    fields: dict[str, str | None] = {
        "docCode": f"{code}.{number:07d}",
        "maintenance": "01",
        "typePic": "02",
        "archivesNumber": "A-01",
        "inforSign": "TCCB",
        "eventName": "Lễ tuyên thệ công chức",
        "imageTitle": "Toàn cảnh buổi lễ",
        "photographer": "Trần Thị Bích",
        "photoPlace": "Cao Lãnh",
        "photoTime": "05/2024",
        "colour": "01",
        "filmSize": "10x15",
        "docAttached": "0",
        "mode": "01",
        "format": "01",
        "riskRecovery": "1",
        "riskRecoveryStatus": "02",
        "description": "Ảnh chụp từ khán đài",
    } | changes
    return Fields.of({name: text for name, text in fields.items() if text is not None})


def media_fields(number: int = 1, code: str = "H20.05.2024.01.TCCB", **changes: str | None) -> Fields:
    """A good sound recording; a change to None takes a field out."""
    fields: dict[str, str | None] = {
        "docCode": f"{code}.{number:07d}",
        "maintenance": "01",
        "typeMedia": "01",
        "archivesNumber": "GA-01",
        "inforSign": "TCCB",
        "eventName": "Lễ tuyên thệ công chức",
        "movieTitle": "Lời tuyên thệ",
        "recorder": "Đài phát thanh tỉnh",
        "recordPlace": "Cao Lãnh",
        "recordDate": "02/05/2024",
        "language": "01",
        "playTime": "00:12:30",
        "docAttached": "0",
        "mode": "01",
        "quality": "128 kbps",
        "format": "01",
        "riskRecovery": "0",
        "description": "Ghi tại hội trường",
    } | changes
    return Fields.of({name: text for name, text in fields.items() if text is not None})


def batch_fields(code: str = "H20.05.2024.01.0000001", **changes: str | None) -> Fields:
    """All five fields of a good batch of loose documents; a change to None takes a field out."""
    fields: dict[str, str | None] = {
        "fileCode": code,
        "title": "Văn bản đi quý I năm 2024",
        "source": "0",
        "totalDoc": "4",
        "description": "Cơ quan chưa lập hồ sơ",
    } | changes
    return Fields.of({name: text for name, text in fields.items() if text is not None})


def all_kinds(code: str = "H20.05.2024.01.TCCB") -> list[SipDocument]:
    """Two texts, a photograph and a recording, each with its file."""
    return [
        *documents(2),
        SipDocument(
            "Anh1", picture_fields(3, code), {"Anh1.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"}, DocumentKind.PICTURE
        ),
        SipDocument("Am1", media_fields(4, code), {"Am1.mp3": b"ID3 mp3"}, DocumentKind.MEDIA),
    ]


def documents(count: int = 2, files: Mapping[str, bytes] | None = None) -> list[SipDocument]:
    """``count`` documents, each with one small PDF of its own; ``files`` are further files of the first."""
    made = [
        SipDocument(f"File{n}", document_fields(n), {f"File{n}.pdf": PDF + b"%%%d\n" % n}) for n in range(1, count + 1)
    ]
    if files:
        first = made[0]
        made[0] = SipDocument(first.name, first.fields, {**first.files, **files})
    return made


def sip_hoso(
    parent: Path,
    *,
    identity: uuid.UUID | str = IDENTITY,
    dossier: Fields | None = None,
    contents: Sequence[SipDocument] | None = None,
    documentation: Mapping[str, bytes] | None = None,
    schemas: Mapping[str, bytes] | None = None,
    sender: Sender = SENDER,
    created: datetime = CREATED,
    status: str = "NEW",
    sample: bool = False,
    mutate: Callable[[Path], object] | None = None,
    then_reseal: bool = False,
) -> Path:
    """Write a good package under ``parent`` and return its folder.

    ``sample`` gives it the deviations of the real sample (tt05 §2.5). ``mutate`` gets the folder at the end, to
    break one thing; with ``then_reseal`` the METS files are made to agree with what it did to file contents.
    """
    held = documents() if contents is None else contents
    package = SipDossier(
        uuid.UUID(str(identity)),
        dossier or dossier_fields(totalDoc=str(len(held))),
        held,
        created,
        sender,
        status,
        schemas,
        documentation or {},
    )
    folder = write_sip_hoso(parent, package)
    if sample:
        as_sample(folder)
    return _finished(folder, mutate, then_reseal)


def sip_tailieu(
    parent: Path,
    *,
    batch: Fields | None = None,
    contents: Sequence[SipDocument] | None = None,
    identity: uuid.UUID | str = IDENTITY,
    mutate: Callable[[Path], object] | None = None,
    then_reseal: bool = False,
) -> Path:
    """A good SIP_tailieu."""
    held = all_kinds() if contents is None else contents
    fields = batch or batch_fields(totalDoc=str(len(held)))
    folder = write_sip_tailieu(parent, SipDossier(uuid.UUID(str(identity)), fields, held, CREATED, SENDER))
    return _finished(folder, mutate, then_reseal)


def aip_hoso(
    parent: Path,
    *,
    dossier: Fields | None = None,
    contents: Sequence[SipDocument] | None = None,
    identity: uuid.UUID | str = IDENTITY,
    mutate: Callable[[Path], object] | None = None,
    then_reseal: bool = False,
) -> Path:
    """A good AIP_hoso, as another archive gives it; ``dossier`` and ``contents`` are in SIP form."""
    held = all_kinds() if contents is None else contents
    fields = sip_to_aip_dossier(dossier or dossier_fields(totalDoc=str(len(held))), ARCHIVE)
    code = fields.get("arcFileCode")
    turned = [
        SipDocument(one.name, sip_to_aip_document(one.fields, code, number, one.kind), one.files, one.kind)
        for number, one in enumerate(held, 1)
    ]
    return _finished(write_aip_hoso(parent, _aip(fields, turned, identity)), mutate, then_reseal)


def aip_tailieu(
    parent: Path,
    *,
    batch: Fields | None = None,
    contents: Sequence[SipDocument] | None = None,
    identity: uuid.UUID | str = IDENTITY,
    mutate: Callable[[Path], object] | None = None,
    then_reseal: bool = False,
) -> Path:
    """A good AIP_tailieu; ``batch`` and ``contents`` are in SIP form."""
    held = all_kinds() if contents is None else contents
    fields = sip_to_aip_batch(batch or batch_fields(totalDoc=str(len(held))), ARCHIVE)
    turned = [
        SipDocument(one.name, sip_to_aip_loose_document(one.fields, ARCHIVE, one.kind), one.files, one.kind)
        for one in held
    ]
    return _finished(write_aip_tailieu(parent, _aip(fields, turned, identity)), mutate, then_reseal)


def _aip(fields: Fields, held: Sequence[SipDocument], identity: uuid.UUID | str) -> AipPackage:
    version = VersionId(AipId(uuid.UUID(str(identity))), 1)
    kind = EventType.INFORMATION_PACKAGE_CREATION
    agent = Agent("vnfas", "VietNam Fonds Archival System 1.0")
    made = Event(Event.derive(version, kind), version, kind, CREATED, "SIP to AIP", "success", "", agent)
    return AipPackage(
        uuid.UUID(str(identity)),
        fields,
        held,
        CREATED,
        SENDER.agency,
        SENDER.fonds,
        (SENDER.software, SENDER.software_version),
        [made],
    )


REQUEST = AccessRequest(
    "YC.2026.0001", "02/07/2026", "02", "Giải quyết chế độ", "07", "Chính sách người có công", "Gấp"
)


def dip(
    parent: Path,
    *,
    request: AccessRequest = REQUEST,
    contents: Sequence[SipDocument] | None = None,
    events: bool = False,
    mutate: Callable[[Path], object] | None = None,
    then_reseal: bool = False,
) -> Path:
    """A good DIP; ``contents`` are in SIP form. With ``events`` it has a PREMIS.xml."""
    dossier = dossier_fields()
    turned = []
    for number, one in enumerate(all_kinds() if contents is None else contents, 1):
        kept = sip_to_aip_document(one.fields, f"{ARCHIVE}.{dossier.get('fileCode')}", number, one.kind)
        fields = dip_document(kept, one.fields, dossier, ARCHIVE, one.kind)
        turned.append(SipDocument(one.name, fields, one.files, one.kind))
    package = DipPackage(
        uuid.UUID(IDENTITY),
        request,
        dossier.get("title"),
        turned,
        CREATED,
        "Trung tâm Lưu trữ lịch sử",
        SENDER.fonds,
        (SENDER.software, SENDER.software_version),
        _aip(Fields(()), (), IDENTITY).events if events else (),
    )
    return _finished(write_dip(parent, package), mutate, then_reseal)


BUILDERS: Mapping[PackageKind, Callable[..., Path]] = {
    PackageKind.SIP_HOSO: sip_hoso,
    PackageKind.SIP_TAILIEU: sip_tailieu,
    PackageKind.AIP_HOSO: aip_hoso,
    PackageKind.AIP_TAILIEU: aip_tailieu,
    PackageKind.DIP: dip,
}


def _finished(folder: Path, mutate: Callable[[Path], object] | None, then_reseal: bool) -> Path:
    if mutate is not None:
        mutate(folder)
    if then_reseal:
        reseal(folder)
    return folder


def edit(folder: Path, name: str, old: str, new: str, count: int = 1) -> None:
    """Replace text in a file of the package; fails when it is not there."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {name}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def reseal(folder: Path) -> None:
    """Make the METS files say again what the files are: sizes and SHA-256 (rep1 first, then the root)."""
    for mets in (folder / "representations" / "rep1" / "METS.xml", folder / "METS.xml"):
        tree = etree.parse(str(mets))
        for element in tree.iter(f"{_METS}file", f"{_METS}mdRef"):
            located = element.find(f"{_METS}FLocat") if element.tag == f"{_METS}file" else element
            path = mets.parent / unquote(located.get(_HREF))
            if path.is_file():
                upper = element.get("CHECKSUM", "").isupper()
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                element.set("CHECKSUM", digest.upper() if upper else digest)
                element.set("SIZE", str(path.stat().st_size))
        tree.write(str(mets), encoding="UTF-8", xml_declaration=True)


def as_sample(folder: Path) -> None:
    """Turn a good package into one that deviates from the circular as the real sample of tt05 §2.5 does."""
    rep = folder / "representations" / "rep1"
    fonds = ""
    for path in sorted((rep / "metadata" / "descriptive").iterdir()):
        path.rename(path.with_name(path.name.replace("EAD_doc_", "EAD_DOC_")))
    for path in sorted((folder / "schemas").iterdir()):
        path.rename(path.with_name(path.name.lower()))
    for mets, where in ((rep / "METS.xml", "rep1"), (folder / "METS.xml", "root")):
        tree = etree.parse(str(mets))
        root = tree.getroot()
        file_section = root.find(f"{_METS}fileSec")
        root.insert(root.index(file_section), etree.Element(f"{_METS}amdSec", ID=f"uuid-amd-{where}"))
        for element in tree.iter(f"{_METS}file", f"{_METS}mdRef"):
            located = element.find(f"{_METS}FLocat") if element.tag == f"{_METS}file" else element
            href = located.get(_HREF).replace("EAD_doc_", "EAD_DOC_")
            located.set(_HREF, href.lower() if href.startswith("schemas/") else href)
            element.set("CHECKSUM", element.get("CHECKSUM").upper())
            if element.get("MDTYPE"):
                element.set("MDTYPE", "DC")
                element.set("MDTYPEVERSION", "1.0.0")
            if href.endswith(".xml"):
                element.set("MIMETYPE", "application/xml")
            elif href.startswith("schemas/"):
                element.set("MIMETYPE", "application/octet-stream")
        header = root.find(f"{_METS}metsHdr")
        agent = header.find(f"{_METS}agent")
        note = agent.find(f"{_METS}note")
        if where == "rep1":
            root.set("OBJID", "rep1")
            fonds = note.text
            agent.remove(note)
            agent.set("TYPE", "INDIVIDUAL")
            agent.find(f"{_METS}name").text = "nguyenvanan"
        else:
            note.set(f"{_CSIP}NOTETYPE", "IDENTIFICATIONCODE")
            note.text = fonds
            header.find(f"{_METS}altRecordID").text = etree.parse(str(folder / _EAD)).findtext("fileCode")
        tree.write(str(mets), encoding="UTF-8", xml_declaration=True)
    reseal(folder)
