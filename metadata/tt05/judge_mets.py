"""Judging a METS file of a TT 05 package in one pass: what its header, references, files and structure say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote

from metadata.tt05.judge_notes import KEPT, Notes
from metadata.tt05.judge_structure import StructureJudge
from metadata.tt05.packages import MetsRules, PackageRules
from metadata.xml import Closed, Element, Opened, iter_elements

_M = "http://www.loc.gov/METS/}"
_CSIP = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS}"
_XLINK = "http://www.w3.org/1999/xlink}"
_SECTIONS = ("dmdSec", "digiprovMD", "techMD", "rightsMD", "sourceMD")
_WHOLE = frozenset(_M + name for name in ("metsHdr", "file", "mdRef", "mptr", "fptr"))
_OPENED = frozenset(_M + name for name in (*_SECTIONS, "amdSec", "fileSec", "fileGrp", "structMap", "div"))
_COLON = re.compile(r"urn:[^:]+:uuid:[0-9A-Fa-f-]{36}")
_FACTS = ("ID", "MIMETYPE", "SIZE", "CREATED")


class MetsJudge:
    """One METS file: the package's own, or that of ``rep1`` when ``inner``.

    ``title`` and ``code`` are the dossier's as EAD.xml has them, "" when it does not say.
    """

    def __init__(self, path: str, package: PackageRules, notes: Notes, title: str, code: str, *, inner: bool) -> None:
        self.objid = ""
        self._path = path
        self._package = package
        self._rules: MetsRules = package.representation_mets if inner else package.root_mets
        self._notes = notes
        self._forms = notes.profile.mets
        self._title = title
        self._code = code
        self._inner = inner
        self._seen: set[str] = set()
        self._sections: list[str] = []
        self._groups: list[str] = []
        self._uses: dict[str, None] = {}
        self._ids: set[int] = set()
        self._files: set[int] = set()
        self._in_amd = 0
        self._premis = 0
        self._structure = StructureJudge(path, self._rules, notes)

    def read(self, stream: BinaryIO) -> None:
        """Judge the whole file. Raises XmlRefused."""
        begun = False
        for event in iter_elements(stream, _WHOLE, _OPENED, place=self._path):
            if not begun:
                if not isinstance(event, Opened) or event.name != f"{_M}mets":
                    self._notes.wrong_root("METS-ROOT", self._path, event.name)
                    return
                begun = True
                self._root(event.attributes)
            elif isinstance(event, Element):
                self._element(event)
            elif isinstance(event, Opened):
                self._open(event.name.rpartition("}")[2], event.attributes)
            else:
                self._close(event)
        self._end()

    # The root and its header

    def _root(self, found: Mapping[str, str]) -> None:
        rules, add, place = self._rules, self._notes.add, self._path
        self.objid = found.get("OBJID", "")
        self._judge_objid()
        if found.get("PROFILE") != rules.profile:
            add("METS-PROFILE", place, value=found.get("PROFILE", ""), wanted=rules.profile)
        kind = found.get("TYPE", "")
        if kind.lower() not in [one.lower() for one in rules.types]:
            add("METS-TYPE", place, value=kind, wanted=", ".join(rules.types))
        label = " ".join(found.get("LABEL", "").split())
        if rules.label and (not label or (self._title and label != " ".join(self._title.split()))):
            add("METS-LABEL", place, wanted=self._title)
        content = found.get(f"{_CSIP}CONTENTINFORMATIONTYPE", "")
        if rules.content_type and content.upper() != rules.content_type:
            add("METS-CONTENT-TYPE", place, value=content, wanted=rules.content_type)

    def _judge_objid(self) -> None:
        """Those of SIP and AIP as a whole are judged where packages are recognised; here what that leaves open."""
        add, objid = self._notes.add, self.objid
        if self._inner and objid == "rep1":
            add("REP-OBJID", self._path, value=objid)
        elif _COLON.fullmatch(objid) and self._package.oais_type == "AIP" and not self._inner:
            add("OBJID-COLON", self._path, value=objid)
        elif (self._inner or self._package.oais_type == "DIP") and not self._rules.objid.fullmatch(objid):
            add("OBJID", self._path, value=objid)

    def _header(self, header: Element) -> None:
        found, add, place = header.attributes, self._notes.add, self._path
        self._seen.add("metsHdr")
        self._lacks("metsHdr", found, "CREATEDATE")
        for name in ("CREATEDATE", "LASTMODDATE"):
            self._time(found.get(name, ""))
        status = found.get("RECORDSTATUS", "NEW")
        if status not in self._notes.profile.lists["RECORDSTATUS"]:
            add("METS-STATUS", place, value=status)
        self._oais_type(found.get(f"{_CSIP}OAISPACKAGETYPE", ""))
        self._agents([child for child in header.children if child.name == f"{_M}agent"])
        if self._rules.agreement:
            self._agreement(header)

    def _oais_type(self, kind: str) -> None:
        wanted = self._package.oais_type
        if kind == wanted:
            return
        if wanted == "DIP" and kind == "SIP":
            self._notes.add("DIP-SAYS-SIP", self._path)
        elif self._inner or wanted == "DIP" or not kind:  # of a whole SIP or AIP it decides how it is judged
            self._notes.add("METS-OAIS-TYPE", self._path, value=kind, wanted=wanted)

    def _agents(self, agents: list[Element]) -> None:
        rule, add = self._rules.agent, self._notes.add
        wanted = (rule.type, rule.other_type)
        by_type = [one for one in agents if (one.attributes.get("TYPE"), one.attributes.get("OTHERTYPE", "")) == wanted]
        makers = [one for one in by_type if one.attributes.get("ROLE") == rule.role]
        archivists = [one for one in by_type if one.attributes.get("ROLE") == "ARCHIVIST"]
        persons = [one for one in agents if one.attributes.get("TYPE") == "INDIVIDUAL"]
        if makers or archivists:
            if not makers:
                add("AGENT-ARCHIVIST", self._path)
            self._note(makers or archivists)
        elif self._inner and persons:
            add("AGENT-INDIVIDUAL", self._path, value=persons[0].find_text(f"{_M}name"))
        else:
            parts = (rule.role, rule.type, rule.other_type)
            add("METS-AGENT", self._path, wanted=" ".join(part for part in parts if part))

    def _note(self, agents: list[Element]) -> None:
        kinds = {
            child.attributes.get(f"{_CSIP}NOTETYPE", "")
            for agent in agents
            for child in agent.children
            if child.name == f"{_M}note" and child.text.strip()
        }
        wanted = self._rules.agent.note
        if wanted and wanted not in kinds:
            if "IDENTIFICATIONCODE" in kinds:
                self._notes.add("ROOT-CODE", self._path)
            else:
                self._notes.add("METS-NOTE", self._path, wanted=wanted)

    def _agreement(self, header: Element) -> None:
        records = [one for one in header.children if one.name == f"{_M}altRecordID"]
        said = [one.text.strip() for one in records if one.attributes.get("TYPE") == self._rules.agreement]
        if not any(said):
            self._notes.add("METS-AGREEMENT", self._path)
        elif self._code and self._code in said:
            self._notes.add("AGREEMENT-CODE", self._path, value=self._code)

    # References and files

    def _open(self, name: str, found: Mapping[str, str]) -> None:
        self._seen.add(name)
        self._identifier(found.get("ID", ""))
        if name in _SECTIONS:
            self._sections.append(name)
            self._in_amd += name != "dmdSec"
            self._lacks(name, found, "ID", "CREATED", "STATUS")
            self._time(found.get("CREATED", ""))
        elif name == "amdSec":
            self._in_amd = 0
        elif name == "fileGrp":
            self._group(found)
        elif name in ("structMap", "div"):
            self._structure.open(name, found)

    def _group(self, found: Mapping[str, str]) -> None:
        use = found.get("USE", "")
        self._groups.append(use)
        self._files.add(hash(found.get("ID", "")))  # CSIP lets a fptr point to a whole group
        if use in self._uses or len(self._uses) >= 1000:
            return
        self._uses[use] = None
        if use not in self._rules.groups and use not in self._rules.also_groups:
            self._notes.add("METS-GROUP-OTHER", self._path, value=use)

    def _close(self, event: Closed) -> None:
        name = event.name.rpartition("}")[2]
        if name in _SECTIONS:
            self._sections.pop()
        elif name == "fileGrp":
            self._groups.pop()
        elif name == "amdSec" and not self._in_amd:
            self._notes.add("AMDSEC-EMPTY", self._path)
        elif name in ("structMap", "div"):
            self._structure.close(name)

    def _element(self, element: Element) -> None:
        name, found = element.name.rpartition("}")[2], element.attributes
        if name == "file":
            self._file(element)
        elif name == "fptr":
            if "fileSec" in self._seen and len(self._files) < KEPT and hash(found.get("FILEID", "")) not in self._files:
                self._notes.add("METS-FILEID", self._path, value=found.get("FILEID", ""))
        elif name == "mdRef":
            self._reference(found)
        elif name == "mptr":
            self._located("mptr", found)
            self._lacks("mptr", found, f"{_XLINK}title")
        else:
            self._header(element)

    def _reference(self, found: Mapping[str, str]) -> None:
        section = self._sections[-1] if self._sections else ""
        kind = found.get("MDTYPE", "")
        self._identifier(found.get("ID", ""))
        self._lacks("mdRef", found, "MDTYPE", "MDTYPEVERSION", "MIMETYPE", "SIZE", "CREATED")
        self._facts(found, found.get(f"{_XLINK}href", ""))
        self._located("mdRef", found)
        if section != "dmdSec":
            self._premis += kind.startswith("PREMIS")
        elif kind and kind not in self._rules.md_types:
            if kind == "DC":
                self._notes.tally("MDTYPE-DC", self._path)
            else:
                self._notes.tally("METS-MDTYPE", self._path, kind, wanted=", ".join(self._rules.md_types))

    def _file(self, element: Element) -> None:
        found = element.attributes
        identifier = found.get("ID", "")
        self._identifier(identifier, self._forms.file_id)
        if len(self._files) < KEPT:
            self._files.add(hash(identifier))
        self._lacks("file", found, *_FACTS)
        href = ""
        for child in element.children:
            if child.name == f"{_M}FLocat":
                href = child.attributes.get(f"{_XLINK}href", "")
                self._located("FLocat", child.attributes)
        self._facts(found, href)

    def _facts(self, found: Mapping[str, str], href: str) -> None:
        """Media type, digest and time of a file or of a metadata file."""
        self._time(found.get("CREATED", ""))
        kind, checksum = found.get("CHECKSUMTYPE", ""), found.get("CHECKSUM", "")
        if kind and kind not in self._forms.checksums:
            self._notes.tally("CHECKSUM-TYPE", self._path, kind)
        if checksum != checksum.lower():
            self._notes.tally("CHECKSUM-CASE", self._path)
        if mime := found.get("MIMETYPE", ""):
            self._mime(mime.lower(), unquote(href))

    def _mime(self, mime: str, name: str) -> None:
        extension = PurePosixPath(name).suffix.lower()
        known = self._notes.profile.mime.get(extension)
        tally, place = self._notes.tally, self._path
        if known is None:
            if self._groups and self._groups[-1] == "Data":
                tally("FORMAT", place, name.rpartition("/")[2])
        elif mime in known:
            return
        elif extension in (".xml", ".xsd") and mime == "application/xml":
            tally("XML-MIME", place)
        elif extension == ".xsd" and mime == "application/octet-stream":
            tally("XSD-MIME", place)
        else:
            tally("METS-MIME", place, f"{name.rpartition('/')[2]}: {mime}")

    # Small things

    def _identifier(self, value: str, form: re.Pattern[str] | None = None) -> None:
        if not value:
            return
        if not (form or self._forms.id).fullmatch(value):
            self._notes.tally("METS-ID", self._path, value)
        if hash(value) in self._ids:
            self._notes.add("METS-ID-TWICE", self._path, value=value)
        elif len(self._ids) < KEPT:
            self._ids.add(hash(value))

    def _lacks(self, element: str, found: Mapping[str, str], *names: str) -> None:
        for name in names:
            if not found.get(name):
                self._notes.tally(
                    "METS-ATTRIBUTE", self._path, element=element, attribute=name.replace(_XLINK, "xlink:")
                )

    def _located(self, element: str, found: Mapping[str, str]) -> None:
        self._lacks(element, found, f"{_XLINK}href")
        if found.get("LOCTYPE") != self._forms.loctype:
            self._notes.tally("METS-LOCTYPE", self._path)

    def _time(self, text: str) -> None:
        if text and not self._forms.time.fullmatch(text):
            self._notes.tally("METS-TIME", self._path, text)

    def _end(self) -> None:
        add, place = self._notes.add, self._path
        for element in ("metsHdr", "dmdSec", "fileSec"):
            if element not in self._seen:
                add("METS-LACKS", place, element=element)
        for use in self._rules.groups:
            if use not in self._uses and "fileSec" in self._seen:
                add("METS-GROUP", place, wanted=use)
        if self._package.premis == "required" and not self._premis:
            add("METS-PREMIS", place)
        self._structure.end()
