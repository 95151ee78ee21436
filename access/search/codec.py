"""Search entries as JSON, as they are kept inside the index so that a hit can be shown without asking the catalogue."""

from __future__ import annotations

import json

from access.search.port import SearchEntry
from metadata.dates import RecordDate
from metadata.holdings import Level
from metadata.identifiers import AipId, VersionId


def pack(entry: SearchEntry) -> bytes:
    """The entry as compact JSON in UTF-8."""
    content = {
        "aip": str(entry.version.aip),
        "version": entry.version.number,
        "number": entry.number,
        "level": entry.level.value,
        "title": entry.title,
        "notation": entry.notation,
        "code": entry.code,
        "organ": entry.organ,
        "type": entry.type_name,
        "access": entry.access,
        "agency": entry.agency,
        "fonds": entry.fonds,
        "dossier": [entry.dossier_title, entry.dossier_code],
        "dates": [entry.start.text, entry.end.text],
        "formats": entry.formats,
        "texts": entry.texts,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(data: bytes) -> SearchEntry:
    """Inverse of :func:`pack`."""
    content = json.loads(data)
    return SearchEntry(
        version=VersionId(AipId.parse(content["aip"]), content["version"]),
        number=content["number"],
        level=Level(content["level"]),
        title=content["title"],
        notation=content["notation"],
        code=content["code"],
        organ=content["organ"],
        type_name=content["type"],
        access=content["access"],
        agency=content["agency"],
        fonds=content["fonds"],
        dossier_title=content["dossier"][0],
        dossier_code=content["dossier"][1],
        start=RecordDate.read(content["dates"][0]),
        end=RecordDate.read(content["dates"][1]),
        formats=tuple(content["formats"]),
        texts=tuple((name, text) for name, text in content["texts"]),
    )
