"""Good packages of the kinds that are not a SIP_hoso, made of the builders for those that are."""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from metadata.tt05.records import Fields, write_simpledc
from metadata.tt05.sip import SipDocument
from tests.builders.tt05 import document_fields, edit, reseal, sip_hoso

EAD = "metadata/descriptive/EAD.xml"
REP = "representations/rep1/"


def record(path: Path, fields: Fields) -> None:
    """Write a ``<simpledc>`` document in the place of another."""
    with path.open("wb") as out:
        write_simpledc(out, fields)


def batch_fields(code: str = "H20.05.2024.01.0000001", **changes: str | None) -> Fields:
    """The five fields of a good batch of loose documents."""
    fields: dict[str, str | None] = {
        "fileCode": code,
        "title": "Văn bản đi tháng 3 năm 2024",
        "source": "0",
        "totalDoc": "2",
        "description": "Không lập hồ sơ",
    } | changes
    return Fields.of({name: text for name, text in fields.items() if text is not None})


def sip_tailieu(
    parent: Path,
    *,
    batch: Fields | None = None,
    identity: uuid.UUID | str = "0f203b84-6641-4cda-9f52-daae55fef6b1",
    mutate: Callable[[Path], object] | None = None,
) -> Path:
    """A good SIP_tailieu: documents of no dossier."""
    folder = sip_hoso(parent, identity=identity)
    record(folder / EAD, batch or batch_fields())
    edit(folder, "METS.xml", 'TYPE="Mixed"', 'TYPE="Collection"')
    if mutate is not None:
        mutate(folder)
    reseal(folder)
    return folder


def linked_document(
    number: int, text: bytes, name: str = "", code: str = "H20.05.2024.01.TCCB"
) -> SipDocument:  # fmt: skip
    """A document of which the package has only a link with ``text`` in it."""
    name = name or f"File{number}"
    return SipDocument(name, document_fields(number, code), {f"{name}.pdf.fetch.txt": text})


def package_of(aip: bytes, parent: Path, name: str | None = None) -> Path:
    """The information package in an AIP object, as its own folder under ``parent``: what another system would send.

    ``name`` renames the folder.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(aip)) as archive:
        folder = next(
            one.split("/")[2] for one in archive.namelist() if one.split("/")[1:2] == ["data"] and "urn" in one
        )
        for one in archive.namelist():
            parts = one.split("/", 3)
            if len(parts) == 4 and parts[1] == "data" and parts[2] == folder:
                target = parent / (name or folder) / parts[3]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(one))
    return parent / (name or folder)
