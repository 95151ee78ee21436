"""E-ARK packages that keep every rule, and ways to break them; written as text, nothing shared with the judge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

WHEN = "2025-01-31T08:30:00+07:00"
NAME = "goi-tin-1"
PROFILES = {
    "csip": "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-2-0.xml",
    "sip": "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml",
    "sip of old": "https://earksip.dilcis.eu/profile/E-ARK-SIP.xml",
    "dip": "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml",
    "aip": "https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml",
}
_NAMESPACES = (
    'xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS" xmlns:sip="https://DILCIS.eu/XML/METS/SIPExtensionMETS"'
)
_CONTENT = 'csip:CONTENTINFORMATIONTYPE="MIXED"'
_SOFTWARE = (
    '<agent ROLE="CREATOR" TYPE="OTHER" OTHERTYPE="SOFTWARE"><name>Phần mềm</name>'
    '<note csip:NOTETYPE="SOFTWARE VERSION">1.0</note></agent>'
)
_AGENTS = """<agent ROLE="ARCHIVIST" TYPE="ORGANIZATION"><name>Sở Nội vụ</name>\
<note csip:NOTETYPE="IDENTIFICATIONCODE">A-01</note></agent>
<agent ROLE="CREATOR" TYPE="ORGANIZATION"><name>UBND xã</name>\
<note csip:NOTETYPE="IDENTIFICATIONCODE">A-02</note></agent>
<agent ROLE="CREATOR" TYPE="INDIVIDUAL"><name>Nguyễn Văn An</name><note>an@example.vn</note></agent>
<agent ROLE="PRESERVATION" TYPE="ORGANIZATION"><name>Lưu trữ lịch sử</name>\
<note csip:NOTETYPE="IDENTIFICATIONCODE">A-03</note></agent>
<altRecordID TYPE="SUBMISSIONAGREEMENT">TT-1</altRecordID>
<altRecordID TYPE="PREVIOUSSUBMISSIONAGREEMENT">TT-0</altRecordID>
<altRecordID TYPE="REFERENCECODE">P1</altRecordID>
<altRecordID TYPE="PREVIOUSREFERENCECODE">P0</altRecordID>
"""
_ROOT_FILES = {
    "metadata/descriptive/ead.xml": "<ead/>\n",
    "metadata/preservation/premis.xml": "<premis/>\n",
    "metadata/other/rights.xml": "<rights/>\n",
    "documentation/manual.txt": "manual\n",
    "schemas/ead.xsd": "<schema/>\n",
}
_PART_FILES = {
    "metadata/descriptive/dc.xml": "<dc/>\n",
    "metadata/preservation/premis.xml": "<premis/>\n",
    "data/a.txt": "a\n",
    "data/b/b.txt": "bb\n",
}


def build_eark(folder: Path, kind: str = "csip", version: str = "2.2.0", *, described: bool = True) -> Path:
    """A package of two representations under ``folder``; ``described``: each has a METS of its own."""
    root = folder / NAME
    for path, text in _ROOT_FILES.items():
        _write(root / path, text)
    for part in ("rep1", "rep2"):
        for path, text in _PART_FILES.items():
            _write(root / "representations" / part / path, text)
        if described:
            _write(
                root / "representations" / part / "METS.xml", _part_mets(root / "representations" / part, part, kind)
            )
    _write(root / "METS.xml", _root_mets(root, kind, version, described))
    return root


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def _facts(path: Path, mime: str) -> str:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return f'MIMETYPE="{mime}" SIZE="{len(content)}" CREATED="{WHEN}" CHECKSUM="{digest}" CHECKSUMTYPE="SHA-256"'


def _reference(root: Path, path: str, kind: str, version: str) -> str:
    return (
        f'<mdRef LOCTYPE="URL" xlink:type="simple" xlink:href="{path}" MDTYPE="{kind}" MDTYPEVERSION="{version}"'
        f" {_facts(root / path, 'application/xml')}/>"
    )


def _file(root: Path, id_: str, path: str, mime: str, more: str = "") -> str:
    return (
        f'<file ID="{id_}" {_facts(root / path, mime)}{more}>'
        f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{path}"/></file>'
    )


def _group(id_: str, use: str, files: Iterable[str], more: str = "") -> str:
    return "\n".join([f'<fileGrp ID="{id_}" USE="{use}"{more}>', *files, "</fileGrp>"])


def _mets(objid: str, profile: str, type_: str, more: str, body: Iterable[str]) -> str:
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<mets {_NAMESPACES} OBJID="{objid}" TYPE="Mixed" LABEL="Hồ sơ 2025" {_CONTENT} PROFILE="{profile}">',
            f'<metsHdr CREATEDATE="{WHEN}" LASTMODDATE="{WHEN}" RECORDSTATUS="NEW" csip:OAISPACKAGETYPE="{type_}">',
            _SOFTWARE,
            more + "</metsHdr>",
            *body,
            "</mets>\n",
        ]
    )


def _root_mets(root: Path, kind: str, version: str, described: bool) -> str:
    body = [
        f'<dmdSec ID="dmd1" CREATED="{WHEN}" STATUS="CURRENT">',
        _reference(root, "metadata/descriptive/ead.xml", "EAD", "2002") + "</dmdSec>",
        '<amdSec ID="amd1">',
        '<rightsMD ID="rights1" STATUS="CURRENT">',
        _reference(root, "metadata/other/rights.xml", "METSRIGHTS", "1.0") + "</rightsMD>",
        '<digiprovMD ID="digiprov1" STATUS="CURRENT">',
        _reference(root, "metadata/preservation/premis.xml", "PREMIS", "3.0") + "</digiprovMD>",
        "</amdSec>",
        '<fileSec ID="files">',
        _group("grp-doc", "Documentation", [_file(root, "doc1", "documentation/manual.txt", "text/plain", _OWNED)]),
        _group("grp-sch", "Schemas", [_file(root, "sch1", "schemas/ead.xsd", "application/xml")]),
        *(_group_of_part(root, part, described) for part in ("rep1", "rep2")),
        "</fileSec>",
        '<structMap ID="map" TYPE="PHYSICAL" LABEL="CSIP">',
        f'<div ID="div-main" LABEL="{NAME}">',
        '<div ID="div-md" LABEL="Metadata" ADMID="rights1 digiprov1" DMDID="dmd1"/>',
        '<div ID="div-doc" LABEL="Documentation"><fptr FILEID="grp-doc"/></div>',
        '<div ID="div-sch" LABEL="Schemas"><fptr FILEID="grp-sch"/></div>',
        *(_described_parts() if described else [_plain_parts()]),
        "</div>",
        "</structMap>",
    ]
    profile = PROFILES["sip of old" if kind == "sip" and version != "2.2.0" else kind]
    more = _AGENTS if kind == "sip" else ""
    return _mets(NAME, profile, "SIP" if kind == "csip" else kind.upper(), more, body)


_OWNED = ' OWNERID="m1" ADMID="rights1" DMDID="dmd1"'
_FORMAT = (
    ' sip:FILEFORMATNAME="Plain" sip:FILEFORMATVERSION="1"'
    ' sip:FILEFORMATREGISTRY="PRONOM" sip:FILEFORMATKEY="x-fmt/111"'
)


def _group_of_part(root: Path, part: str, described: bool) -> str:
    folder = f"representations/{part}"
    files = (
        [_file(root, f"{part}-mets", f"{folder}/METS.xml", "application/xml", _FORMAT)]
        if described
        else [
            _file(root, f"{part}-a", f"{folder}/data/a.txt", "text/plain", _FORMAT),
            _file(root, f"{part}-b", f"{folder}/data/b/b.txt", "text/plain"),
        ]
    )
    more = ' ADMID="digiprov1" csip:CONTENTINFORMATIONTYPE="MIXED"'
    return _group(f"grp-{part}", f"Representations/{part}", files, more)


def _described_parts() -> list[str]:
    return [
        f'<div ID="div-{part}" LABEL="Representations/{part}"><mptr LOCTYPE="URL" xlink:type="simple"'
        f' xlink:href="representations/{part}/METS.xml" xlink:title="grp-{part}"/></div>'
        for part in ("rep1", "rep2")
    ]


def _plain_parts() -> str:
    return '<div ID="div-rep" LABEL="Representations"><fptr FILEID="grp-rep1"/><fptr FILEID="grp-rep2"/></div>'


def _part_mets(root: Path, part: str, kind: str) -> str:
    files = [_file(root, "a", "data/a.txt", "text/plain"), _file(root, "b", "data/b/b.txt", "text/plain")]
    body = [
        f'<dmdSec ID="dmd1" CREATED="{WHEN}" STATUS="CURRENT">',
        _reference(root, "metadata/descriptive/dc.xml", "DC", "1.1") + "</dmdSec>",
        "<amdSec>",
        '<digiprovMD ID="digiprov1" STATUS="CURRENT">',
        _reference(root, "metadata/preservation/premis.xml", "PREMIS", "3.0") + "</digiprovMD>",
        "</amdSec>",
        '<fileSec ID="files">',
        _group("grp", f"Representations/{part}/data", files, ' csip:CONTENTINFORMATIONTYPE="MIXED"'),
        "</fileSec>",
        '<structMap ID="map" TYPE="PHYSICAL" LABEL="CSIP">',
        f'<div ID="div-main" LABEL="{part}">',
        '<div ID="div-md" LABEL="Metadata" ADMID="digiprov1" DMDID="dmd1"/>',
        '<div ID="div-rep" LABEL="Representations"><fptr FILEID="grp"/></div>',
        "</div>",
        "</structMap>",
    ]
    return _mets(part, PROFILES["csip"], "SIP" if kind == "csip" else kind.upper(), "", body)


Change = Callable[[Path], object]
"""Breaks a package that is there."""


def swap(old: str, new: str, path: str = "METS.xml", times: int = 1) -> Change:
    """Replace text in a METS; fails when it is not there ``times`` times (0: any number but none)."""

    def change(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        found = text.count(old)
        assert found == times or (times == 0 and found), f"{old!r} is {found} times in {path}"
        _write(root / path, text.replace(old, new))

    return change


def within(begin: str, old: str, new: str, path: str = "METS.xml") -> Change:
    """Replace the first ``old`` after ``begin``, which is there once."""

    def change(root: Path) -> None:
        before, mark, after = (root / path).read_text(encoding="utf-8").partition(begin)
        assert mark and begin not in after, f"{begin!r} must be in {path} once"
        head, found, tail = after.partition(old)
        assert found, f"{old!r} does not follow {begin!r}"
        _write(root / path, before + mark + head + new + tail)

    return change


def cut(begin: str, end: str, path: str = "METS.xml", *, after: str = "", new: str = "") -> Change:
    """Put ``new`` for everything from the first ``begin`` (behind ``after``) to the next ``end``, both included."""

    def change(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        at = text.index(begin, text.index(after) + len(after))
        stop = text.index(end, at + len(begin)) + len(end)
        _write(root / path, text[:at] + new + text[stop:])

    return change


def move(old: str, new: str) -> Change:
    """Rename a file or folder of the package."""

    def change(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)

    return change


def write(path: str, text: str = "x\n") -> Change:
    """Add a file, or put another in its place."""
    return lambda root: _write(root / path, text)


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(root: Path) -> None:
        for one in changes:
            one(root)

    return change
