"""Whether files are what is said of them: the MIME type that the package declares, else the one of the extension."""

from __future__ import annotations

import mimetypes
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

from ingest.ledger import Ledger
from metadata.findings import Findings
from metadata.holdings import Format

_LOOKED_INSIDE = ("signature", "container")


def judge_formats(ledger: Ledger, findings: Findings) -> None:
    """Note every content file whose contents are of another kind than is said; only what contents show counts."""
    types = mimetypes.MimeTypes(filenames=())  # its own table: the same on every machine
    for one in ledger.content():
        if one.format is None or one.format.puid is None or one.format.basis not in _LOOKED_INSIDE:
            continue
        if one.declared_mime:
            said, where = one.declared_mime, "METS"
        else:
            where = PurePosixPath(one.path).suffix
            said = types.guess_type(f"x{where}")[0] or ""
        if not agree(said, one.format.mime):
            findings.add("CHECK-FORMAT", one.path, said=said, where=where, found=_name(one.format))


def agree(said: str, found: str) -> bool:
    """Whether two MIME types may mean one file."""
    one, other = _plain(said), _plain(found)
    if one == other or one in _aliases().vague or other in _aliases().vague:
        return True
    if one.startswith("text/") and other.startswith("text/"):
        return True
    return _aliases().group.get(one, one) == _aliases().group.get(other, other)


def _plain(mime: str) -> str:
    kind, slash, subtype = mime.partition(";")[0].strip().lower().partition("/")
    return f"{kind}{slash}{subtype.removeprefix('x-')}"


def _name(format: Format) -> str:
    return f"{format.name} {format.version}".strip() + f" ({format.mime}, {format.puid})"


@dataclass(frozen=True, slots=True)
class _Aliases:
    group: Mapping[str, str]
    vague: frozenset[str]


@cache
def _aliases() -> _Aliases:
    data = tomllib.loads((resources.files("ingest") / "mime_aliases.toml").read_text(encoding="utf-8"))
    return _Aliases({mime: group[0] for group in data["same"] for mime in group}, frozenset(data["vague"]))
