"""The file section: CSIP58 to CSIP79, CSIP113, CSIP114, SIP32 to SIP35."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.eark.attributes import check_attributes
from metadata.eark.document import MOST_GROUPS, Document, Sections, label, use_of
from metadata.eark.header import judge_other
from metadata.eark.names import CONTENT_TYPE, HREF, OTHER_CONTENT_TYPE, attribute_name, element_name
from metadata.eark.references import ReferenceRules
from metadata.eark.vocabularies import in_vocabulary
from metadata.xml import Element

_FLOCAT = element_name("FLocat")
_RULES = ReferenceRules("CSIP79", "CSIP69", "CSIP71")
_REQUIRED_GROUPS = (
    ("CSIP60", "CSIP60-NONE", "Documentation"),
    ("CSIP113", "CSIP113-NONE", "Schemas"),
    ("CSIP114", "CSIP114-NONE", "Representations"),
)
_FORMAT = tuple(
    (requirement, attribute_name(f"sip:{name}"))
    for requirement, name in (
        ("SIP32", "FILEFORMATNAME"),
        ("SIP33", "FILEFORMATVERSION"),
        ("SIP34", "FILEFORMATREGISTRY"),
        ("SIP35", "FILEFORMATKEY"),
    )
)


class FileJudge:
    """Takes fileSec, fileGrp and file, in document order."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._report = document.report
        self._groups: list[tuple[str, int]] = []  # label and number of files, of those that are open
        self._sections = 0
        self._files = 0
        self._formats: set[str] = set()

    def open_section(self, attributes: Mapping[str, str]) -> None:
        """``fileSec`` begins."""
        self._sections += 1
        self._document.identify("CSIP59", attributes, label("fileSec", attributes))

    def open_group(self, attributes: Mapping[str, str]) -> None:
        """``fileGrp`` begins."""
        use, at = attributes.get("USE", ""), label("fileGrp", attributes)
        id_ = self._document.identify("CSIP65", attributes, at)
        if not self._groups and not self._is_known(use):
            self._report.add("CSIP64", at, use)
        if id_ and len(self._document.groups) < MOST_GROUPS:
            self._document.groups[id_] = use
        self._document.uses.add(use_of(use) if in_vocabulary("group_use", use_of(use)) else "")
        content, other = attributes.get(CONTENT_TYPE, ""), attributes.get(OTHER_CONTENT_TYPE)
        expected = content or use_of(use) == "Representations"
        if expected and not in_vocabulary("content_information_type", content):
            self._report.add("CSIP62", at, content)
        judge_other("CSIP62", "CSIP63", content, other, "content_information_type", self._report, at)
        self._known_ids("CSIP61", attributes.get("ADMID"), self._document.administrative, at)
        self._groups.append((at, 0))

    def _is_known(self, use: str) -> bool:
        """A term of the vocabulary, or the path of a folder that is there."""
        if in_vocabulary("group_use", use_of(use)):
            return True
        if not use or in_vocabulary("group_use", use_of(use).capitalize()):
            return False
        path = use[0].lower() + use[1:]
        tree, folder = self._document.tree, self._document.folder
        return any(tree.has_folder(f"{start}{name}/") for start in (folder, "") for name in (use, path))

    def file(self, element: Element) -> None:
        """``file`` with all that is in it."""
        attributes, report = element.attributes, self._report
        at = label("file", attributes)
        self._files += 1
        self._document.identify("CSIP67", attributes, at)
        if self._groups:
            self._groups[-1] = (self._groups[-1][0], self._groups[-1][1] + 1)
        check_attributes("file", attributes, report, at)
        if attributes.get("OWNERID") == "":
            report.add("CSIP73", at)
        self._known_ids("CSIP74", attributes.get("ADMID"), self._document.administrative, at)
        self._known_ids("CSIP75", attributes.get("DMDID"), self._document.descriptive, at)
        self._format(attributes, at)
        located = [child.attributes for child in element.children if child.name == _FLOCAT]
        if len(located) != 1:
            report.add("CSIP76", at)
        for place in located:
            check_attributes("FLocat", place, report, at)
        if located:
            self._document.references.judge(_RULES, attributes, located[0], report, located[0].get(HREF) or at)

    def _format(self, attributes: Mapping[str, str], at: str) -> None:
        for requirement, name in _FORMAT:
            value = attributes.get(name)
            if value is not None:
                self._formats.add(requirement)
                if not value.strip():
                    self._report.add(requirement, at)

    def _known_ids(self, requirement: str, said: str | None, sections: Sections, at: str) -> None:
        if said is None:
            return
        unknown = [id_ for id_ in said.split() if id_ not in sections.ids and id_ not in sections.containers]
        if unknown or not said.strip():
            self._report.add(requirement, at, " ".join(unknown))

    def close_group(self) -> None:
        """``fileGrp`` ends."""
        at, files = self._groups.pop()
        if files == 0:
            self._report.add("CSIP66", at)
        elif self._groups:  # files in a group are files of the group around it
            self._groups[-1] = (self._groups[-1][0], self._groups[-1][1] + files)

    def end(self) -> None:
        """The document ends: what should have been in it."""
        if self._sections != 1 and (self._sections or self._has_content()):
            self._report.add("CSIP58", "", f" ({self._sections})")
        if self._sections and self._document.is_root:
            for missing, none, use in _REQUIRED_GROUPS:
                if use not in self._document.uses:
                    self._report.add(missing if self._document.tree.has_folder(f"{use.lower()}/") else none)
        if self._files and self._document.is_root:
            for requirement, _ in _FORMAT:
                if requirement not in self._formats:
                    self._report.add(requirement, "file")

    def _has_content(self) -> bool:
        folders = ("representations/", "documentation/", "schemas/") if self._document.is_root else ("data/",)
        return any(self._document.tree.has_folder(self._document.folder + folder) for folder in folders)
