"""Writing one dossier: its SIP_hoso in a temporary folder, then the ZIP that is sent."""

from __future__ import annotations

import hashlib
import shutil
import uuid
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.guards import NameGuard
from ingest.packing.assembling import fields_of
from ingest.packing.files import key
from ingest.packing.model import Document, Dossier
from ingest.packing.result import Packed
from metadata.dates import VIETNAM
from metadata.findings import Findings
from metadata.tt05.fields import Fields
from metadata.tt05.profile import DocumentKind, Profile
from metadata.tt05.sip import Sender, SipDocument, SipDossier, write_sip_hoso

_NAMESPACE = uuid.UUID("b0d6c8a4-3d2e-5f0b-9c35-6a4f5a9e7d10")
_CHUNK = 1 << 20
_PACKED_ALREADY = frozenset({
    ".pdf", ".jpg", ".jpeg", ".png", ".gif", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".mp3", ".mp4", ".mpg",
    ".mpeg", ".avi", ".wmv", ".wma", ".mov", ".qt", ".aac", ".zip",
})  # fmt: skip
_DIGITISED = "02"
_FIRST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PackageWriter:
    """Writes packages of one submission into ``out``; ``work`` is a temporary folder on the same disk."""

    profile: Profile
    sender: Sender
    created: datetime
    work: Path
    out: Path

    def write(self, dossier: Dossier, number: int) -> Packed:
        """Write ``[STT][OBJID].zip``; the same dossier gives the same bytes. Raises OSError."""
        fields = fields_of(dossier.row, self.profile)
        documents = [
            SipDocument(
                name, fields_of(document.row, self.profile), dict(files), document.row.kind or DocumentKind.TEXT
            )
            for document, (name, files) in zip(dossier.documents, named(dossier), strict=True)
        ]
        sip = SipDossier(self._identity(fields, documents), fields, documents, self.created, self.sender)
        folder = write_sip_hoso(self.work, sip)
        target = self.out / zip_name(number, sip.objid)
        write_zip(folder, target, self.created)
        shutil.rmtree(folder)
        size = target.stat().st_size
        return Packed(target, sip.objid, dossier.code, fields.get("title"), len(documents), size)

    def _identity(self, fields: Fields, documents: list[SipDocument]) -> uuid.UUID:
        """From everything that the package says and holds: the same input is the same package, another is another."""
        digest = hashlib.sha256()

        def add(*texts: str) -> None:
            for text in texts:
                data = text.encode("utf-8", "surrogatepass")
                digest.update(len(data).to_bytes(8, "big") + data)

        sender = self.sender
        add(sender.agency, sender.fonds, sender.agreement, sender.software, sender.software_version)
        add(self.created.isoformat(), *(text for pair in fields for text in pair))
        for document in documents:
            add("", document.kind.value, document.name, *(text for pair in document.fields for text in pair))
            for name, content in document.files.items():
                add(name, _sha256(content))
        return uuid.uuid5(_NAMESPACE, digest.hexdigest())


def zip_name(number: int, objid: str) -> str:
    """``[STT gói trong lần nộp][ID gói].zip`` (TT 05 Phụ lục III); at least four digits, so that they sort."""
    return f"{number:04}{objid}.zip"


def write_zip(folder: Path, target: Path, moment: datetime) -> None:
    """Put a package's folder into a ZIP: names in UTF-8, in order, all at ``moment``; streamed, so any size will do."""
    local = moment.astimezone(VIETNAM)
    time = max(_FIRST_ZIP_TIME, (local.year, local.month, local.day, local.hour, local.minute, local.second))
    with zipfile.ZipFile(target, "x") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", time)
            stored = path.suffix.lower() in _PACKED_ALREADY
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            info.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(info, "w") as sink:
                while chunk := source.read(_CHUNK):
                    sink.write(chunk)


def named(dossier: Dossier) -> list[tuple[str, list[tuple[str, Path]]]]:
    """For each document the name of its description and its files by the names that they get in the package.

    A file keeps its name, and the description has the name of the first file (``EAD_doc_<tên tệp>.xml``), unless
    another document of the dossier has that name too, a computer could stumble over it, or the dossier is digitised
    and the name does not begin with its code: then the document's code is the name (Điều 8.1.d).
    """
    begins = f"{dossier.code}." if dossier.row.get("confidenceLevel") == _DIGITISED else ""
    counts: dict[str, int] = {}
    for document in dossier.documents:
        for stem in {key(path.stem) for path in document.files} | {key(path.name) for path in document.files}:
            counts[stem] = counts.get(stem, 0) + 1
    taken: set[str] = set()
    return [_named(document, counts, taken, begins) for document in dossier.documents]


def _named(
    document: Document, counts: dict[str, int], taken: set[str], begins: str
) -> tuple[str, list[tuple[str, Path]]]:
    own = all(
        counts[key(path.stem)] == counts[key(path.name)] == 1
        and key(path.name) not in taken
        and path.name.startswith(begins)
        and _is_plain(path.name)
        for path in document.files
    )
    distinct = len({key(path.name) for path in document.files}) == len(document.files)
    code = _safe(document.row.get("docCode"))
    names: list[tuple[str, Path]] = []
    for number, path in enumerate(document.files):
        name = path.name if own and distinct else f"{code}{f'_{number}' if number else ''}{_extension(path)}"
        names.append((_free(name, taken), path))
    stem = names[0][0].rpartition(".")[0] if "." in names[0][0] else names[0][0]
    return _free(stem, taken, "EAD "), names


def _free(name: str, taken: set[str], space: str = "") -> str:
    """The name, or the name with a number before its extension when it is taken."""
    stem, dot, extension = name.rpartition(".") if not space else (name, "", "")
    number, wanted = 1, name
    while key(space + wanted) in taken:
        number += 1
        wanted = f"{stem}_{number}{dot}{extension}" if stem else f"{name}_{number}"
    taken.add(key(space + wanted))
    return wanted


def _is_plain(name: str) -> bool:
    """Whether the check of a package has nothing to say about a name, with the room that a description's name needs."""
    findings = Findings()
    if name.lower().endswith(".fetch.txt"):  # in a SIP_hoso that is a link to another document
        return False
    return NameGuard(findings).judge(name) and not findings.counts and len(f"EAD_media_{name}.xml".encode()) <= 255


def _safe(code: str) -> str:
    """A document's code as a file name."""
    kept = "".join(c if c.isalnum() or c in "._-" else "_" for c in code)[:100].strip("._-")
    return kept if kept and _is_plain(kept) else hashlib.sha256(code.encode()).hexdigest()[:20]


def _extension(path: Path) -> str:
    extension = path.suffix.lower()
    return extension if extension.isascii() and extension[1:].isalnum() and len(extension) <= 10 else ""


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
