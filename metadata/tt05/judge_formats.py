"""Judging content files by TT 05: the table of formats of its annexes, and the quality of what was digitised (Điều 8).

Only what was seen in a file is judged: where a fact is not known, nothing is said. That a signature stands at the top
right of the first page, that text and picture of a page agree, and that colours are those of the original, cannot be
seen in facts and is left to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import PurePosixPath

from metadata.characteristics import Characteristics
from metadata.findings import Findings, judging
from metadata.holdings import Format
from metadata.tt05.judge_notes import Notes
from metadata.tt05.profile import Profile

Entry = tuple[str, Format, Characteristics]
"""A content file: its path in the package, what format was found, what checks say of it."""

_SEEN = frozenset({"container", "signature", "text"})
_PDF = "application/pdf"


class Origin(StrEnum):
    """How a document came to be. UNKNOWN: a PDF whose pages are pictures counts as digitised."""

    UNKNOWN = ""
    BORN_DIGITAL = "born digital"
    DIGITISED = "digitised"
    DIGITISED_DRAWING = "digitised drawing"  # a map or a technical drawing


def judge_formats(
    findings: Findings,
    profile: Profile,
    entries: Iterable[Entry],
    *,
    origin: Callable[[str], Origin] = lambda _: Origin.UNKNOWN,
    signatures_checked: bool = False,
) -> None:
    """Judge content files one by one, flat in memory; as grave as the profile says in its ``[rules]``.

    ``origin`` says of a path how its document came to be (``confidenceLevel`` 01 or 02, ``typeName`` 30 or 31 in its
    description). That a digitised document is not signed is said only when ``signatures_checked``.
    """
    notes = Notes(findings, profile)
    for path, format, known in entries:
        with judging(findings, path):
            _table(notes, path, format)
            _quality(notes, path, format, known, _origin(origin(path), format, known), signatures_checked)


def origin_of(confidence: str, type_name: str = "") -> Origin:
    """Of the fields ``confidenceLevel`` and ``typeName`` of a description; hybrid or none is UNKNOWN."""
    if confidence == "01":
        return Origin.BORN_DIGITAL
    if confidence != "02":
        return Origin.UNKNOWN
    return Origin.DIGITISED_DRAWING if type_name in ("30", "31") else Origin.DIGITISED


def _mimes(format: Format) -> list[str]:
    """PRONOM's media types of a format: several in one field, some with parameters."""
    mimes = (one.partition(";")[0].strip().lower() for one in format.mime.split(","))
    return [one for one in mimes if one not in ("", "application/octet-stream")]


def _origin(told: Origin, format: Format, known: Characteristics) -> Origin:
    scan = told is Origin.UNKNOWN and _PDF in _mimes(format) and known.facts.resolution is not None
    return Origin.DIGITISED if scan else told


def _table(notes: Notes, path: str, format: Format) -> None:
    """The table of formats, by what was seen in the file; names alone are judged with METS."""
    mimes, forms = _mimes(format), notes.profile.formats
    if format.basis not in _SEEN or not mimes:
        return
    listed = PurePosixPath(path).suffix.lower() in notes.profile.mime
    if listed and forms.accepted.isdisjoint(mimes):
        notes.add("FORMAT-CONTENT", path, format=_named(format))
    for mime in mimes:
        versions = forms.versions.get(mime)
        if versions is not None and format.puid is not None and str(format.puid) not in versions.puids:
            notes.add("FORMAT-VERSION", path, format=_named(format), wanted=versions.said)
            break


def _quality(
    notes: Notes, path: str, format: Format, known: Characteristics, origin: Origin, signatures_checked: bool
) -> None:
    mimes, facts, wanted = _mimes(format), known.facts, notes.profile.formats.digitisation
    digitised = origin in (Origin.DIGITISED, Origin.DIGITISED_DRAWING)
    if _PDF in mimes and facts.pages is not None and not facts.claim.startswith(wanted.pdf_claim):
        notes.add("FORMAT-SCAN-PDFA" if digitised else "FORMAT-PDFA", path, claim=facts.claim or format.version)
    if not digitised:
        return
    least = wanted.drawing if origin is Origin.DIGITISED_DRAWING else wanted.resolution
    if facts.resolution is not None and facts.resolution < least:
        notes.add("FORMAT-RESOLUTION", path, resolution=facts.resolution, wanted=least)
    if facts.colour.lower() in wanted.without_colour:
        notes.add("FORMAT-COLOUR", path, colour=facts.colour)
    if signatures_checked and not known.signatures:
        notes.add("FORMAT-UNSIGNED", path)
    rate = next((wanted.film if one.startswith("video/") else wanted.sound for one in mimes if _recorded(one)), None)
    if rate is not None and facts.bit_rate is not None and facts.bit_rate < rate:
        notes.add("FORMAT-BIT-RATE", path, rate=facts.bit_rate // 1000, wanted=rate // 1000)


def _recorded(mime: str) -> bool:
    return mime.startswith(("audio/", "video/"))


def _named(format: Format) -> str:
    words = " ".join(part for part in (format.name, format.version) if part)
    return words or format.mime
