"""Packages as agencies send them: TT 05 SIP_hoso (Phụ lục III) and BagIt bags, as files in memory."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from demo.documents import Letter
from metadata.bagit import BAGIT_TXT, manifest_line, write_tag_file
from metadata.mets.model import MetsAgent, MetsEntry, MetsPackage, derived_uuid
from metadata.mets.writer import CSIP_PROFILE, MetsRepresentation, write_representation_mets, write_root_mets
from metadata.tt05.profile import DocumentKind, default_profile
from metadata.tt05.records import Fields, write_simpledc

Files = Mapping[str, bytes]
"""Paths in a package and what is there."""

_MIMES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "xsd": "application/xml",
}


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of a dossier and its file."""

    letter: Letter
    extension: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier ready for transfer. ``code`` is agency, year and notation; ``made`` is when it was packed."""

    agency: str
    fonds: str
    organ: str
    code: str
    title: str
    keyword: str
    mode: str
    made: datetime
    papers: tuple[Paper, ...]

    @property
    def objid(self) -> str:
        return f"uuid-{derived_uuid(f'demo {self.code}'.encode())}"

    def file_name(self, number: int) -> str:
        """Dossier code and the document's place in it in seven digits (Điều 8.1.d)."""
        return f"{self.code}.{number:07}.{self.papers[number - 1].extension}"


def sip_hoso(dossier: Dossier) -> Files:
    """The dossier as a SIP_hoso; paths are relative to the package root."""
    inner = dict(_representation(dossier))
    root = dict(_schemas())
    root["metadata/descriptive/EAD.xml"] = _simpledc(_dossier_fields(dossier))
    package = _mets(dossier, "root", dossier.objid, "schemas", software=True)
    out = io.BytesIO()
    write_root_mets(
        out,
        package,
        descriptive=[_entry("metadata/descriptive/EAD.xml", root["metadata/descriptive/EAD.xml"])],
        schemas=[_entry(path, content) for path, content in root.items() if path.startswith("schemas/")],
        representations=[
            MetsRepresentation("rep1", _entry("representations/rep1/METS.xml", inner["METS.xml"])),
        ],
    )
    files = {"METS.xml": out.getvalue(), **root}
    return files | {f"representations/rep1/{path}": content for path, content in inner.items()}


def _representation(dossier: Dossier) -> Iterator[tuple[str, bytes]]:
    data: list[MetsEntry] = []
    described: list[MetsEntry] = []
    for number, paper in enumerate(dossier.papers, 1):
        name = dossier.file_name(number)
        kind, fields = _document_fields(dossier, number)
        record_path = f"metadata/descriptive/EAD_{kind.value}_{name.rpartition('.')[0]}.xml"
        record = _simpledc(fields)
        described.append(_entry(record_path, record))
        entry = _entry(f"data/{name}", paper.content)
        data.append(MetsEntry(entry.path, entry.size, entry.mime, entry.sha256, document=record_path))
        yield record_path, record
        yield f"data/{name}", paper.content
    package = _mets(dossier, "rep1", "rep1", "../../schemas", software=False)
    out = io.BytesIO()
    write_representation_mets(
        out, package, files=lambda: data, documents=lambda: described, representation_type="ORIGINAL"
    )
    yield "METS.xml", out.getvalue()


def _mets(dossier: Dossier, scope: str, objid: str, schemas: str, *, software: bool) -> MetsPackage:
    note = ("IDENTIFICATIONCODE", dossier.agency)
    agents = (
        (
            MetsAgent("CREATOR", "OTHER", "Tàng Thư demo", "SOFTWARE", (("SOFTWARE VERSION", "1"),)),
            MetsAgent("CREATOR", "ORGANIZATION", dossier.organ, "", (note,)),
        )
        if software
        else (MetsAgent("CREATOR", "ORGANIZATION", dossier.organ, "", (("IDENTIFICATIONCODE", dossier.fonds),)),)
    )
    return MetsPackage(
        objid=objid,
        package=dossier.objid,
        scope=scope,
        oais_type="SIP",
        profile=CSIP_PROFILE,
        label=dossier.title,
        created=dossier.made,
        agents=agents,
        schemas=schemas,
    )


def _entry(path: str, content: bytes) -> MetsEntry:
    return MetsEntry(path, len(content), _MIMES[path.rpartition(".")[2]], hashlib.sha256(content).digest())


def _dossier_fields(dossier: Dossier) -> Fields:
    days = sorted(paper.letter.issued for paper in dossier.papers)
    values = {
        "fileCode": dossier.code,
        "title": dossier.title,
        "maintenance": "01",
        "mode": dossier.mode,
        "language": "01",
        "startDate": f"{days[0]:%d/%m/%Y}",
        "endDate": f"{days[-1]:%d/%m/%Y}",
        "keyword": dossier.keyword,
        "totalDoc": str(len(dossier.papers)),
        "numberOfPaper": "0",
        "numberOfPage": str(len(dossier.papers)),
        "format": "01",
        "confidenceLevel": "01",
        "riskRecovery": "0",
    }
    return _ordered(values, None)


def _document_fields(dossier: Dossier, number: int) -> tuple[DocumentKind, Fields]:
    paper = dossier.papers[number - 1]
    letter = paper.letter
    common = {
        "docCode": f"{dossier.code}.{number:07}",
        "maintenance": "01",
        "mode": dossier.mode,
        "format": "01",
        "riskRecovery": "0",
    }
    if paper.extension == "jpg":
        picture = common | {
            "typePic": "02",
            "archivesNumber": f"{number:03}",
            "eventName": dossier.title,
            "imageTitle": letter.subject,
            "photographer": letter.organ.name,
            "photoPlace": letter.organ.place,
            "photoTime": f"{letter.issued:%d/%m/%Y}",
            "colour": "01",
            "docAttached": "0",
        }
        return DocumentKind.PICTURE, _ordered(picture, DocumentKind.PICTURE)
    text = common | {
        "docId": hashlib.sha256(f"{dossier.code} {number}".encode()).hexdigest()[:20].upper(),
        "typeName": _type_code(letter.kind),
        "codeNumber": str(letter.number) if letter.number else "",
        "codeNotation": letter.sign if letter.number else "",
        "issuedDate": f"{letter.issued:%d/%m/%Y}",
        "organName": letter.organ.name,
        "subject": letter.subject[0].upper() + letter.subject[1:],
        "language": "01",
        "numberOfPage": "1",
        "keyword": dossier.keyword,
        "confidenceLevel": "01",
        "process": "0",
    }
    return DocumentKind.TEXT, _ordered(text, DocumentKind.TEXT)


def _type_code(kind: str) -> str:
    return next(code for code, label in default_profile().lists["typeName"].items() if label.vi == kind)


def _ordered(values: Mapping[str, str], kind: DocumentKind | None) -> Fields:
    """In the order of the form; what is empty is left out. Raises KeyError for a field that the form does not have."""
    form = default_profile().form(kind, "sip")
    if unknown := set(values) - set(form.fields):
        raise KeyError(f"not in {form.name}: {sorted(unknown)}")
    return Fields(tuple((name, values[name]) for name in form.fields if values.get(name)))


def _simpledc(fields: Fields) -> bytes:
    out = io.BytesIO()
    write_simpledc(out, fields)
    return out.getvalue()


def _schemas() -> Iterator[tuple[str, bytes]]:
    """Small schemas of the record files, made from the profile; and one that points to the METS schema's home."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">\n'
    home = "http://www.loc.gov/standards/mets/mets.xsd"
    yield (
        "schemas/METS.xsd",
        f'{head}<xs:import namespace="http://www.loc.gov/METS/" schemaLocation="{home}"/>\n</xs:schema>\n'.encode(),
    )
    kinds = {"EAD": None, "EAD_doc": DocumentKind.TEXT, "EAD_pic": DocumentKind.PICTURE}
    for name, kind in kinds.items():
        fields = "".join(
            f'<xs:element name="{field}" type="xs:string" minOccurs="0"/>\n'
            for field in default_profile().form(kind, "sip").fields
        )
        body = (
            f'<xs:element name="simpledc"><xs:complexType><xs:all>\n{fields}</xs:all></xs:complexType></xs:element>\n'
        )
        yield f"schemas/{name}.xsd", f"{head}{body}</xs:schema>\n".encode()


def bag(dossier: Dossier) -> Files:
    """The dossier as a BagIt 1.0 bag with SHA-256 manifests; paths are relative to the bag's root."""
    payload = {
        f"data/{number:02} {_spoken_name(paper)}": paper.content for number, paper in enumerate(dossier.papers, 1)
    }
    days = [paper.letter.issued for paper in dossier.papers]
    size = sum(map(len, payload.values()))
    info = write_tag_file(
        [
            ("Source-Organization", dossier.organ),
            ("Agency-Code", dossier.agency),
            ("Fonds-Code", dossier.fonds),
            ("External-Identifier", dossier.objid),
            ("Internal-Sender-Identifier", dossier.code),
            ("External-Description", dossier.title),
            ("Start-Date", f"{min(days):%d/%m/%Y}"),
            ("End-Date", f"{max(days):%d/%m/%Y}"),
            ("Mode", dossier.mode),
            ("Bagging-Date", f"{dossier.made:%Y-%m-%d}"),
            ("Payload-Oxum", f"{size}.{len(payload)}"),
        ]
    )
    tags = {"bagit.txt": BAGIT_TXT, "bag-info.txt": info, "manifest-sha256.txt": _manifest(payload)}
    return payload | tags | {"tagmanifest-sha256.txt": _manifest(tags)}


def _spoken_name(paper: Paper) -> str:
    """A file name as people give them: the kind, what it is about, diacritics and all."""
    kind = f"{paper.letter.kind} " if paper.letter.number else ""
    return f"{kind}{paper.letter.subject}"[:90].strip().replace("/", "-") + f".{paper.extension}"


def _manifest(files: Files) -> bytes:
    return b"".join(manifest_line(hashlib.sha256(content).digest(), path) for path, content in files.items())


def write_folder(files: Files, folder: Path) -> Path:
    """Write the files under ``folder``, which is made."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def write_zip(files: Files, root: str, target: Path) -> Path:
    """Write the files under a top folder ``root`` into a ZIP."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(f"{root}/{path}", (2025, 7, 1, 8, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return target


def write_tar(files: Files, root: str, target: Path) -> Path:
    """Write the files under a top folder ``root`` into a compressed tar."""
    with tarfile.open(target, "w:gz") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(f"{root}/{path}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target


def flipped(files: Files, path: str) -> Files:
    """The same files, one bit in the middle of ``path`` turned: what a bad cable does."""
    content = bytearray(files[path])
    content[len(content) // 2] ^= 0x01
    return {**files, path: bytes(content)}
