"""Writing METS in TT 05's form A. Templates with escaped values, written as they come: flat at any number of files.

Everything that is in the document is given or derived, so the same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from metadata.dates import vietnam_time
from metadata.mets.model import CSIP, NAMESPACE, SIP, XLINK, MetsAgent, MetsEntry, MetsPackage, path_href
from metadata.xml import escape_attribute, escape_text

AIP_PROFILE = "http://www.ra.ee/METS/v01/IP.xml"
CSIP_PROFILE = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"
EARK_AIP_PROFILE = "https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml"
"""As the profile itself spells its address: the host is that of the DIP."""

_BATCH = 1000
_PREMIS = ' MDTYPE="PREMIS" MDTYPEVERSION="3.0"'
_MD_TYPES = frozenset(
    ("MARC", "MODS", "EAD", "DC", "NISOIMG", "LC-AV", "VRA", "TEIHDR", "DDI", "FGDC", "LOM", "PREMIS")
)
"""Words of METS for MDTYPE; any other standard is OTHER."""

Entries = Callable[[], Iterable[MetsEntry]]


@dataclass(frozen=True, slots=True)
class MetsRepresentation:
    """A representation for the root METS: its name (``rep1``) and its METS file's entry."""

    name: str
    mets: MetsEntry


def write_root_mets(
    out: BinaryIO,
    package: MetsPackage,
    *,
    descriptive: Sequence[MetsEntry] = (),
    preservation: Sequence[MetsEntry] = (),
    schemas: Sequence[MetsEntry] = (),
    documentation: Sequence[MetsEntry] = (),
    other: Sequence[tuple[str, Sequence[MetsEntry]]] = (),
    representations: Sequence[MetsRepresentation] = (),
) -> None:
    """Write the METS.xml of a package's root (tt05 §2.4). ``other`` are further file groups by their USE.

    The group of a representation holds its METS file. Paths are relative to the package root.
    """
    writer = _Writer(out, package)
    groups = [("Schemas", schemas), ("Documentation", documentation), *other]
    writer.begin()
    writer.descriptive(descriptive)
    writer.preservation(preservation)
    writer.begin_files()
    for use, entries in groups:
        if entries:
            writer.group(use, entries)
    for representation in representations:
        writer.group(f"Representations/{representation.name}", [representation.mets])
    writer.put("</fileSec>\n")
    writer.begin_structure(package.objid if package.csip else package.package)
    writer.metadata_division(descriptive, preservation)
    for use, entries in groups:
        if entries:
            writer.division(use, entries)
    for representation in representations:
        writer.pointer(f"Representations/{representation.name}", representation)
    writer.end_structure()


def write_representation_mets(
    out: BinaryIO,
    package: MetsPackage,
    *,
    files: Entries,
    documents: Entries = tuple,
    preservation: Sequence[MetsEntry] = (),
    schemas: Sequence[MetsEntry] = (),
    documentation: Sequence[MetsEntry] = (),
    linked: Sequence[MetsEntry] = (),
    representation_type: str = "NORMALIZED",
) -> None:
    """Write the METS.xml of a representation (tt05 §2.4). Paths are relative to the representation's folder.

    ``files`` gives a fresh iterator of the content files each time it is called (twice; once more when one of them has
    a ``document``), ``documents`` of the metadata files that describe documents (twice); nothing of them is kept. A
    file whose ``document`` is set is
    linked to that metadata file. ``linked`` are files that only name a document held already (TT 05: Holeyfile).
    ``representation_type`` is ORIGINAL in a SIP, NORMALIZED in an AIP, "" when not said.
    """
    writer = _Writer(out, package)
    groups = [(use, entries) for use, entries in (("Schemas", schemas), ("Documentation", documentation)) if entries]
    described = False

    def noted() -> Iterator[MetsEntry]:
        nonlocal described
        for entry in files():
            described = described or bool(entry.document)
            yield entry

    writer.begin()
    writer.descriptive(documents())
    writer.preservation(preservation)
    writer.begin_files()
    writer.group("Data", noted())
    for use, entries in groups:
        writer.group(use, entries)
    if linked:
        writer.group("Holeyfile", linked)
    writer.put("</fileSec>\n")
    writer.begin_structure(package.scope, representation_type)
    if package.csip:
        writer.metadata_division(documents(), preservation)
    writer.division("Data", files())
    for use, entries in groups:
        writer.division(use, entries)
    if not package.csip:
        writer.links((entry for entry in files() if entry.document) if described else (), preservation)
    if linked:
        writer.links((entry for entry in linked if entry.document), preservation, "MetadataLink/Holey")
    writer.end_structure()


class _Writer:
    def __init__(self, out: BinaryIO, package: MetsPackage) -> None:
        self._out = out
        self._package = package
        self._created = vietnam_time(package.created)

    def put(self, text: str) -> None:
        self._out.write(text.encode("utf-8"))

    def put_all(self, texts: Iterable[str]) -> None:
        """Write in batches: one call of ``write`` for each file would cost more than making its text."""
        batch: list[str] = []
        for text in texts:
            batch.append(text)
            if len(batch) >= _BATCH:
                self.put("".join(batch))
                batch.clear()
        self.put("".join(batch))

    def begin(self) -> None:
        package, schemas = self._package, path_href(self._package.schemas)
        schema_files = [
            (NAMESPACE, "mets1_12.xsd"),
            (XLINK, "xlink.xsd"),
            (CSIP, "DILCISExtensionMETS.xsd"),
            *([(SIP, "DILCISExtensionSIPMETS.xsd")] if package.oais_type == "SIP" else []),
        ]
        locations = " ".join(f"{namespace} {schemas}/{name}" for namespace, name in schema_files)
        self.put(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<mets xmlns="{NAMESPACE}" xmlns:xlink="{XLINK}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            f' xmlns:csip="{CSIP}" xmlns:sip="{SIP}" OBJID="{escape_attribute(package.objid)}"'
            f' TYPE="{escape_attribute(package.type)}" LABEL="{escape_attribute(package.label)}"'
            f' PROFILE="{escape_attribute(package.profile)}"'
            f' csip:CONTENTINFORMATIONTYPE="{escape_attribute(package.content_information_type)}"'
            f' xsi:schemaLocation="{escape_attribute(locations)}">\n'
            f'<metsHdr CREATEDATE="{self._created}" LASTMODDATE="{self._created}"'
            f' RECORDSTATUS="{escape_attribute(package.status)}"'
            f' csip:OAISPACKAGETYPE="{escape_attribute(package.oais_type)}">\n'
        )
        self.put_all(_agent(agent) for agent in package.agents)
        self.put_all(
            f'<altRecordID TYPE="{escape_attribute(record.type)}">{escape_text(record.value)}</altRecordID>\n'
            for record in package.alt_records
        )
        self.put("</metsHdr>\n")

    def descriptive(self, entries: Iterable[MetsEntry]) -> None:
        self.put_all(
            f'<dmdSec ID="{self._package.id("dmdSec", entry.path)}" CREATED="{self._when(entry)}" STATUS="CURRENT">'
            f"{self._description(entry)}</dmdSec>\n"
            for entry in entries
        )

    def preservation(self, entries: Sequence[MetsEntry]) -> None:
        if not entries:
            return
        self.put(f'<amdSec ID="{self._package.id("amdSec")}">\n')
        self.put_all(
            f'<digiprovMD ID="{self._package.id("digiprovMD", entry.path)}" CREATED="{self._when(entry)}"'
            f' STATUS="CURRENT">{self._reference(entry, _PREMIS)}</digiprovMD>\n'
            for entry in entries
        )
        self.put("</amdSec>\n")

    def begin_files(self) -> None:
        self.put(f'<fileSec ID="{self._package.id("fileSec")}">\n')

    def group(self, use: str, entries: Iterable[MetsEntry]) -> None:
        content = f' csip:CONTENTINFORMATIONTYPE="{escape_attribute(self._package.content_information_type)}"'
        self.put(
            f'<fileGrp ID="{self._package.id("fileGrp", use)}" USE="{escape_attribute(use)}"'
            f"{content if use.startswith('Representations/') else ''}>\n"
        )
        self.put_all(self._files(entries))
        self.put("</fileGrp>\n")

    def _files(self, entries: Iterable[MetsEntry]) -> Iterator[str]:
        for entry in entries:
            yield (
                f'<file ID="{self._package.file_id(entry.path)}" {self._facts(entry)}>'
                f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="{_href(entry)}"/></file>\n'
            )

    def begin_structure(self, label: str, kind: str = "") -> None:
        kind = f' TYPE="{escape_attribute(kind)}"' if kind else ""
        self.put(
            f'<structMap ID="{self._package.id("structMap")}" TYPE="PHYSICAL" LABEL="CSIP">\n'
            f'<div ID="{self._package.id("div")}" LABEL="{escape_attribute(label)}"{kind}>\n'
        )

    def end_structure(self) -> None:
        self.put("</div>\n</structMap>\n</mets>\n")

    def metadata_division(self, descriptive: Iterable[MetsEntry], preservation: Sequence[MetsEntry]) -> None:
        described = " ".join(self._package.id("dmdSec", entry.path) for entry in descriptive)
        dmd = f' DMDID="{described}"' if described else ""
        self.put(f'<div ID="{self._package.id("div", "Metadata")}" LABEL="Metadata"{dmd}{self._adm(preservation)}/>\n')

    def division(self, label: str, entries: Iterable[MetsEntry]) -> None:
        self.put(f'<div ID="{self._package.id("div", label)}" LABEL="{escape_attribute(label)}">\n')
        if self._package.csip:
            self.put(f'<fptr FILEID="{self._package.id("fileGrp", label)}"/>\n')
        else:
            self.put_all(f'<fptr FILEID="{self._package.file_id(entry.path)}"/>\n' for entry in entries)
        self.put("</div>\n")

    def links(
        self, entries: Iterable[MetsEntry], preservation: Sequence[MetsEntry], label: str = "MetadataLink"
    ) -> None:
        """TT 05's MetadataLink: one MetadataLink/File for each file that a document's metadata describes."""
        adm = self._adm(preservation)
        self.put(f'<div ID="{self._package.id("div", label)}" LABEL="{label}">\n')
        self.put_all(
            f'<div ID="{self._package.id("link", entry.path)}" LABEL="MetadataLink/File"'
            f' DMDID="{self._package.id("dmdSec", entry.document)}"{adm}>'
            f'<fptr FILEID="{self._package.file_id(entry.path)}"/></div>\n'
            for entry in entries
        )
        self.put("</div>\n")

    def pointer(self, label: str, representation: MetsRepresentation) -> None:
        self.put(
            f'<div ID="{self._package.id("div", label)}" LABEL="{escape_attribute(label)}">'
            f'<mptr LOCTYPE="URL" xlink:type="simple" xlink:href="{_href(representation.mets)}"'
            f' xlink:title="{self._package.id("fileGrp", label)}"/></div>\n'
        )

    def _adm(self, preservation: Sequence[MetsEntry]) -> str:
        if not preservation:
            return ""
        return f' ADMID="{" ".join(self._package.id("digiprovMD", entry.path) for entry in preservation)}"'

    def _description(self, entry: MetsEntry) -> str:
        if not entry.md_type:
            return self._reference(entry, ' MDTYPE="EAD" MDTYPEVERSION="2002"')
        kind = entry.md_type if entry.md_type in _MD_TYPES else "OTHER"
        other = "" if kind == entry.md_type else f' OTHERMDTYPE="{escape_attribute(entry.md_type)}"'
        version = f' MDTYPEVERSION="{escape_attribute(entry.md_version)}"' if entry.md_version else ""
        return self._reference(entry, f' MDTYPE="{kind}"{other}{version}')

    def _reference(self, entry: MetsEntry, kind: str) -> str:
        label = f' LABEL="{escape_attribute(entry.label)}"' if entry.label else ""
        title = f' xlink:title="{escape_attribute(entry.title)}"' if entry.title else ""
        return (
            f'<mdRef ID="{self._package.id("mdRef", entry.path)}" LOCTYPE="URL" xlink:type="simple"'
            f' xlink:href="{_href(entry)}"{title}{kind}{label} {self._facts(entry)}/>'
        )

    def _facts(self, entry: MetsEntry) -> str:
        mime = entry.mime.partition(";")[0]  # METS names the type; parameters are in PREMIS
        return (
            f'MIMETYPE="{escape_attribute(mime)}" SIZE="{entry.size}" CREATED="{self._when(entry)}"'
            f' CHECKSUM="{entry.sha256.hex()}" CHECKSUMTYPE="SHA-256"'
        )

    def _when(self, entry: MetsEntry) -> str:
        return self._created if entry.created is None else vietnam_time(entry.created)


def _href(entry: MetsEntry) -> str:
    return path_href(entry.path).replace("&", "&amp;")


def _agent(agent: MetsAgent) -> str:
    other = f' OTHERTYPE="{escape_attribute(agent.other_type)}"' if agent.other_type else ""
    notes = "".join(
        f'<note csip:NOTETYPE="{escape_attribute(kind)}">{escape_text(text)}</note>'
        if kind
        else f"<note>{escape_text(text)}</note>"
        for kind, text in agent.notes
    )
    return (
        f'<agent ROLE="{escape_attribute(agent.role)}" TYPE="{escape_attribute(agent.type)}"{other}>'
        f"<name>{escape_text(agent.name)}</name>{notes}</agent>\n"
    )
