"""Reading one METS document of an E-ARK package and giving each part to its judge."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.eark.document import Document
from metadata.eark.files import FileJudge
from metadata.eark.header import judge_header, judge_root
from metadata.eark.names import element_name
from metadata.eark.sections import SectionJudge
from metadata.eark.sip import judge_sip_header, judge_sip_root
from metadata.eark.structure import StructureJudge
from metadata.eark.vocabularies import profile_urls
from metadata.findings import Findings
from metadata.refusal import DocumentRefused
from metadata.xml import Closed, Element, Opened, iter_elements

_WHOLE = tuple(element_name(name) for name in ("metsHdr", "mdRef", "file", "fptr", "mptr"))
_SECTIONS = ("dmdSec", "techMD", "rightsMD", "sourceMD", "digiprovMD")
_OPENED = tuple(
    element_name(name) for name in (*_SECTIONS, "amdSec", "mdWrap", "fileSec", "fileGrp", "structMap", "div")
)
_METS = element_name("mets")
_TYPES = (("SIP4", "SIP"), ("DIP3", "DIP"), ("AIPM3", "AIP"))
_PROFILES = ("SIP2", "DIP2", "AIPM2")


class DocumentReader:
    """One pass over a METS document."""

    def __init__(self, document: Document, version: str, name: str) -> None:
        self._document = document
        self._version = version
        self._name = name
        self._sections = SectionJudge(document)
        self._files = FileJudge(document)
        self._structure = StructureJudge(document)
        self._header: Element | None = None
        self._wraps = 0

    def read(self, findings: Findings) -> bool:
        """Judge the document at the report's place. False when it could not be read to its end: then that is noted."""
        report, begun = self._document.report, False
        try:
            with self._document.tree.open(report.place) as stream:
                for event in iter_elements(stream, _WHOLE, _OPENED, place=report.place):
                    if not begun:
                        name = event.attributes if isinstance(event, Opened) and event.name == _METS else None
                        if name is None:
                            root = event.name
                            findings.add("METS-ROOT", report.place, root=root)
                            return False
                        begun = True
                        self._root(name)
                    elif isinstance(event, Element):
                        self._element(event)
                    elif isinstance(event, Opened):
                        self._open(event.name.rpartition("}")[2], event.attributes)
                    else:
                        self._close(event)
        except DocumentRefused as refused:
            refused.note(findings)
            return False
        except OSError as error:
            report.unreadable(error)
            return False
        self._end()
        return True

    def _root(self, attributes: Mapping[str, str]) -> None:
        report = self._document.report
        judge_root(attributes, self._document, self._name)
        if self._document.is_root:
            judge_sip_root(attributes, report)
            for requirement in ("DIP1", "AIPM1"):
                if not self._document.objid.strip():
                    report.add(requirement)
        for requirement in _PROFILES:
            urls = profile_urls(requirement, self._version)
            if self._document.is_root and self._document.profile not in urls:
                report.add(requirement, urls[0] if urls else "", self._document.profile)

    def _element(self, element: Element) -> None:
        if self._wraps:
            return
        name = element.name.rpartition("}")[2]
        if name == "file":
            self._files.file(element)
        elif name == "mdRef":
            self._sections.reference(element.attributes)
        elif name == "fptr":
            self._structure.file_pointer(element.attributes)
        elif name == "mptr":
            self._structure.document_pointer(element.attributes)
        else:
            self._header = element
            judge_header(element, self._document)
            if self._document.is_root:
                judge_sip_header(element, self._document.report)

    def _open(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._wraps or name == "mdWrap":
            self._wraps += name == "mdWrap"
            if name == "mdWrap":
                self._sections.wrapped()
        elif name in _SECTIONS:
            self._sections.open(name, attributes)
        elif name == "amdSec":
            self._sections.open_container(attributes)
        elif name == "fileSec":
            self._files.open_section(attributes)
        elif name == "fileGrp":
            self._files.open_group(attributes)
        elif name == "structMap":
            self._structure.open_map(attributes)
        else:
            self._structure.open_division(attributes)

    def _close(self, event: Closed) -> None:
        name = event.name.rpartition("}")[2]
        if self._wraps:
            self._wraps -= name == "mdWrap"
        elif name in _SECTIONS:
            self._sections.close(name)
        elif name == "fileGrp":
            self._files.close_group()
        elif name == "structMap":
            self._structure.close_map()
        elif name == "div":
            self._structure.close_division()

    def _end(self) -> None:
        report = self._document.report
        if self._header is None:
            judge_header(None, self._document)
        if self._document.is_root and self._header is not None:
            for requirement, kind in _TYPES:
                if self._document.package_type != kind:
                    report.add(requirement, "", self._document.package_type or "")
        self._sections.end()
        self._files.end()
        self._structure.end()
