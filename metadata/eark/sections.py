"""Descriptive and administrative metadata sections: CSIP17 to CSIP57, DIP4, AIPM4 to AIPM7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metadata.eark.attributes import check_attributes
from metadata.eark.document import Document, label
from metadata.eark.names import HREF
from metadata.eark.references import ReferenceRules
from metadata.eark.vocabularies import is_placeholder


@dataclass(frozen=True, slots=True)
class _Kind:
    """The requirements of one kind of section."""

    id: str
    reference: str
    rules: ReferenceRules


_KINDS = {
    "dmdSec": _Kind("CSIP18", "CSIP21", ReferenceRules("CSIP24", "CSIP27", "CSIP29")),
    "digiprovMD": _Kind("CSIP33", "CSIP35", ReferenceRules("CSIP38", "CSIP41", "CSIP43")),
    "rightsMD": _Kind("CSIP46", "CSIP48", ReferenceRules("CSIP51", "CSIP54", "CSIP56")),
}
DESCRIPTIVE, PRESERVATION = "metadata/descriptive/", "metadata/preservation/"


class SectionJudge:
    """Takes dmdSec, amdSec and what is in them, in document order."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._report = document.report
        self._name = ""
        self._attributes: Mapping[str, str] = {}
        self._filled = False
        self._amd = 0
        self._amd_filled = False
        self._digiprov = 0
        self._digiprov_refs = 0
        self._premis = 0
        self._dmd = 0
        self._dmd_current = 0

    def open_container(self, attributes: Mapping[str, str]) -> None:
        """``amdSec`` begins."""
        self._amd += 1
        self._document.note_id(attributes)
        if attributes.get("ID"):
            self._document.administrative.containers.add(attributes["ID"])

    def open(self, name: str, attributes: Mapping[str, str]) -> None:
        """A section begins."""
        self._name, self._attributes, self._filled = name, attributes, False
        if name != "dmdSec":
            self._amd_filled = True
        kind, at, status = _KINDS.get(name), label(name, attributes), attributes.get("STATUS", "")
        sections = self._document.descriptive if name == "dmdSec" else self._document.administrative
        if kind is None:  # techMD, sourceMD: nothing is required of them
            self._document.note_id(attributes)
            sections.ids.add(attributes.get("ID", ""))
            return
        id_ = self._document.identify(kind.id, attributes, at)
        if id_:
            sections.add(id_, status)
        check_attributes(name, attributes, self._report, at)
        if name == "dmdSec":
            self._dmd += 1
            self._dmd_current += status == "CURRENT"
            if status != "CURRENT":
                self._report.add("DIP4", at, status)
        self._digiprov += name == "digiprovMD"

    def wrapped(self) -> None:
        """The section holds its metadata itself."""
        self._amd_filled |= self._name != "dmdSec"
        self._document.has_structured_metadata = True

    def reference(self, attributes: Mapping[str, str]) -> None:
        """``mdRef``, in a section."""
        kind = _KINDS.get(self._name)
        self._document.note_id(attributes)
        if kind is None:
            self._document.references.exists(attributes.get(HREF, ""))
            return
        self._filled = True
        at = attributes.get(HREF) or label(self._name, self._attributes)
        check_attributes(f"{self._name}/mdRef", attributes, self._report, at)
        self._document.references.judge(kind.rules, attributes, attributes, self._report, at)
        self._folder(attributes)
        if attributes.get("MIMETYPE", "").endswith("xml"):
            self._document.has_structured_metadata = True
        if self._name == "digiprovMD":
            self._digiprov_refs += 1
            self._provenance(attributes, at)

    def _folder(self, attributes: Mapping[str, str]) -> None:
        path = self._document.references.locate(attributes.get(HREF, ""))
        if path is None:
            return
        if self._name == "dmdSec" and DESCRIPTIVE not in path:
            self._report.add("CSIPSTR7", path)
        elif self._name == "digiprovMD" and attributes.get("MDTYPE", "")[:6] == "PREMIS" and PRESERVATION not in path:
            self._report.add("CSIPSTR6", path)

    def _provenance(self, attributes: Mapping[str, str], at: str) -> None:
        if attributes.get("MDTYPE", "")[:6] == "PREMIS":
            self._premis += 1
            if not attributes.get("MDTYPEVERSION", "").startswith("3"):
                self._report.add("AIPM7", at, attributes.get("MDTYPEVERSION", ""))

    def close(self, name: str) -> None:
        """A section ends."""
        kind, at = _KINDS.get(name), label(name, self._attributes)
        if kind is not None and not self._filled and (name != "dmdSec" or self._has_files(DESCRIPTIVE)):
            self._report.add(kind.reference, at)
        self._name = ""

    def _has_files(self, folder: str) -> bool:
        return any(not is_placeholder(path) for path in self._document.tree.paths(self._document.folder + folder))

    def end(self) -> None:
        """The document ends: what should have been in it."""
        needed = self._document.is_root or self._has_files(PRESERVATION)
        if self._amd > 1 or (needed and not self._amd_filled):
            self._report.add("CSIP31", "", f" ({self._amd})" if self._amd > 1 else "")
        elif self._amd and not self._digiprov:
            self._report.add("CSIP32", PRESERVATION)
        if not self._document.is_root:
            return
        if self._dmd and not self._dmd_current:
            self._report.add("AIPM4")
        if not self._digiprov_refs:
            self._report.add("AIPM5")
        elif not self._premis:
            self._report.add("AIPM6")
