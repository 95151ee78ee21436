"""Packages as agencies send them: TT 05 SIP_hoso (Phụ lục III) and BagIt bags, as files in memory."""

from __future__ import annotations

import hashlib
import io
import tarfile
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from demo.documents import Letter
from metadata.bagit import BAGIT_TXT, manifest_line, write_tag_file
from metadata.mets.model import derived_uuid
from metadata.tt05.profile import DocumentKind, default_profile
from metadata.tt05.records import Fields
from metadata.tt05.sip import Sender, SipDocument, SipDossier, write_sip_hoso

Files = Mapping[str, bytes]
"""Paths in a package and what is there."""


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
    def id(self) -> uuid.UUID:
        return uuid.UUID(derived_uuid(f"demo {self.code}".encode()))

    @property
    def objid(self) -> str:
        return f"uuid-{str(self.id).upper()}"

    def file_name(self, number: int) -> str:
        """Dossier code and the document's place in it in seven digits (Điều 8.1.d)."""
        return f"{self.code}.{number:07}.{self.papers[number - 1].extension}"


def sip_hoso(dossier: Dossier) -> Files:
    """The dossier as a SIP_hoso; paths are relative to the package root."""
    documents = []
    for number, paper in enumerate(dossier.papers, 1):
        name = dossier.file_name(number)
        kind, fields = _document_fields(dossier, number)
        documents.append(SipDocument(name.rpartition(".")[0], fields, {name: paper.content}, kind))
    sender = Sender(dossier.organ, dossier.fonds, f"{dossier.agency}.2025.01", "Tàng Thư demo", "1")
    package = SipDossier(dossier.id, _dossier_fields(dossier), documents, dossier.made, sender)
    with TemporaryDirectory() as parent:
        folder = write_sip_hoso(Path(parent), package)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


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
