"""The structural map: CSIP80 to CSIP112, CSIP116, CSIP118, CSIP119."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from metadata.eark.attributes import check_attributes
from metadata.eark.document import Document, Sections, label, use_of
from metadata.eark.names import HREF, TITLE

_CSIP = "CSIP"
_MOST_HELD = 5000


@dataclass(frozen=True, slots=True)
class _Division:
    """The requirements about a div with a fixed label."""

    there: str
    id: str
    label: str
    pointer: str = ""
    group: str = ""


_DIVISIONS = {
    "Metadata": _Division("CSIP88", "CSIP89", "CSIP90"),
    "Documentation": _Division("CSIP93", "CSIP94", "CSIP95", "CSIP96", "CSIP116"),
    "Schemas": _Division("CSIP97", "CSIP98", "CSIP99", "CSIP100", "CSIP118"),
    "Representations": _Division("CSIP101", "CSIP102", "CSIP103", "CSIP104", "CSIP119"),
}


@dataclass(slots=True)
class _Open:
    """A div right under the main one: what it is and what it has pointed to so far."""

    name: str
    at: str
    folder: str = ""  # of the representation, for a div that speaks of one
    pointers: int = 0  # fptr
    documents: int = 0  # mptr


@dataclass(slots=True)
class _Map:
    """One structMap. ``held`` are findings that count only if this turns out to be the one of CSIP."""

    at: str
    held: list[tuple[str, str, str]] | None
    mains: int = 0
    depth: int = 0
    divisions: dict[str, int] = field(default_factory=dict)
    representations: int = 0
    linked: set[str] = field(default_factory=set)  # IDs of file groups


class StructureJudge:
    """Takes structMap, div, fptr and mptr, in document order.

    The map labelled CSIP is judged; when none is, the first, so that all its faults are told at once.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._map: _Map | None = None
        self._labelled = 0
        self._maps = 0
        self._first: _Map | None = None
        self._first_label = ""
        self._division: _Open | None = None

    def _add(self, requirement: str, at: str = "", value: str = "") -> None:
        if self._map is None or self._map.held is None:
            self._document.report.add(requirement, at, value)
        elif len(self._map.held) < _MOST_HELD:
            self._map.held.append((requirement, at, value))

    def open_map(self, attributes: Mapping[str, str]) -> None:
        """``structMap`` begins."""
        self._maps += 1
        is_csip = attributes.get("LABEL") == _CSIP
        self._labelled += is_csip
        at = label("structMap", attributes)
        if not is_csip and (self._first is not None or self._labelled):
            self._map = None
            return
        self._map = _Map(at, None if is_csip else [])
        if not is_csip:
            self._first, self._first_label = self._map, attributes.get("LABEL", "")
        if attributes.get("TYPE") != "PHYSICAL":
            self._add("CSIP81", at, attributes.get("TYPE", ""))
        self._identify("CSIP83", attributes, at)

    def _identify(self, requirement: str, attributes: Mapping[str, str], at: str) -> None:
        if not self._document.is_new_id(attributes):
            self._add(requirement, at, attributes.get("ID", ""))

    def open_division(self, attributes: Mapping[str, str]) -> None:
        """``div`` begins."""
        if self._map is None:
            self._document.note_id(attributes)
            return
        self._map.depth += 1
        if self._map.depth == 1:
            self._open_main(attributes)
        elif self._map.depth == 2:
            self._open_part(attributes)
        else:
            self._document.note_id(attributes)

    def _open_main(self, attributes: Mapping[str, str]) -> None:
        assert self._map is not None
        self._map.mains += 1
        at, name = label("div", attributes), attributes.get("LABEL", "")
        self._identify("CSIP85", attributes, at)
        if not name or name != self._document.objid:
            self._add("CSIP86", at, name)

    def _open_part(self, attributes: Mapping[str, str]) -> None:
        assert self._map is not None
        name, at = attributes.get("LABEL", ""), label("div", attributes)
        division = self._division = _Open(name, at)
        if name in _DIVISIONS:
            self._map.divisions[name] = self._map.divisions.get(name, 0) + 1
            self._identify(_DIVISIONS[name].id, attributes, at)
        elif use_of(name) == "Representations":
            self._map.representations += 1
            self._identify("CSIP106", attributes, at)
            division.folder = f"representations/{name.split('/')[1]}/"
            if self._document.is_root and not self._document.tree.has_folder(division.folder):
                self._add("CSIP105", division.folder)
                self._add("CSIP107", at, name)
        else:
            self._unlabelled(name, attributes, at)
        if name == "Metadata":
            self._lists("CSIP91", attributes.get("ADMID", ""), self._document.administrative)
            self._lists("CSIP92", attributes.get("DMDID", ""), self._document.descriptive)

    def _unlabelled(self, name: str, attributes: Mapping[str, str], at: str) -> None:
        """A div with another label: one of ours, misspelt, or one of the institution's own."""
        self._identify("CSIP106", attributes, at)
        folded = "".join(name.split()).casefold()
        for standard, division in _DIVISIONS.items():
            if folded in (standard.casefold(), standard.casefold().rstrip("s"), f"{standard.casefold()}s"):
                self._add(division.label, at, name)

    def _lists(self, requirement: str, said: str, sections: Sections) -> None:
        ids = said.split()
        known = [id_ for id_ in ids if id_ in sections.ids or id_ in sections.containers]
        if len(known) < len(ids):
            unknown = next(id_ for id_ in ids if id_ not in sections.ids and id_ not in sections.containers)
            self._add(requirement, "", f" ({unknown})")
        if not any(id_ in sections.containers for id_ in ids):
            listed = set(ids)
            missing = len(sections.current) - sum(1 for id_ in listed if id_ in sections.current)
            if missing:
                named = next((id_ for id_ in sections.named if id_ not in listed), str(missing))
                self._add(requirement, "", f" ({named})")

    def close_division(self) -> None:
        """``div`` ends."""
        if self._map is None:
            return
        if self._map.depth == 2 and self._division is not None:
            self._close_part(self._division)
            self._division = None
        self._map.depth -= 1

    def _close_part(self, part: _Open) -> None:
        division = _DIVISIONS.get(part.name)
        if division is None:
            described = bool(part.folder) and self._document.tree.size_of(f"{part.folder}METS.xml") is not None
            if part.documents > 1 or (described and not part.documents):
                self._add("CSIP109", part.folder or part.at)
        elif division.pointer and part.name in self._document.uses and not part.pointers + part.documents:
            self._add(division.pointer)

    def file_pointer(self, attributes: Mapping[str, str]) -> None:
        """``fptr``, in a div."""
        if self._map is None or self._division is None:
            return
        self._division.pointers += 1
        division = _DIVISIONS.get(use_of(self._division.name))
        id_ = attributes.get("FILEID", "")
        use = self._document.groups.get(id_)
        if use is not None:
            self._map.linked.add(id_)
        if division is None or not division.group:
            return
        whole = self._division.name in _DIVISIONS
        if use is None or (whole and use_of(use) != self._division.name):
            self._add(division.group, self._division.at, id_)

    def document_pointer(self, attributes: Mapping[str, str]) -> None:
        """``mptr``, in a div."""
        if self._map is None or self._division is None:
            return
        self._division.documents += 1
        href, title, document = attributes.get(HREF, ""), attributes.get(TITLE, ""), self._document
        at = href or self._division.at
        if not document.references.exists(href):
            self._add("CSIP110", at, href)
        else:
            document.package.pointed.add(document.references.locate(href) or "")
        use = document.groups.get(title)
        if use is not None:
            self._map.linked.add(title)
        if use is None or use_of(use) != "Representations":
            self._add("CSIP108", at, title)
            if use is not None:
                self._add("CSIP109", at)
        check_attributes("mptr", attributes, document.report, at)
        if use_of(self._division.name) != "Representations":
            self._add("CSIP107", self._division.at, self._division.name)

    def close_map(self) -> None:
        """``structMap`` ends."""
        if self._map is None:
            return
        if self._map.mains != 1:
            self._add("CSIP84", self._map.at)
        if self._map.mains:
            self._divisions(self._map)
            self._groups(self._map)
        self._map = None

    def _divisions(self, map_: _Map) -> None:
        uses = self._document.uses
        for name, division in _DIVISIONS.items():
            count = map_.divisions.get(name, 0)
            needed = name in uses or (self._document.is_root and name != "Representations")
            if name == "Representations" and map_.representations:
                needed = False
            if count > 1 or (not count and (needed or name == "Metadata")):
                self._add(division.there)

    def _groups(self, map_: _Map) -> None:
        """Every group of the standard kinds is pointed to from somewhere in the map."""
        for id_, use in self._document.groups.items():
            division = _DIVISIONS.get(use_of(use))
            if division is not None and id_ not in map_.linked:
                described = use_of(use) == "Representations" and self._document.package.described
                self._add("CSIP109" if described and self._document.is_root else division.group, id_)

    def end(self) -> None:
        """The document ends: whether the right map was in it."""
        report = self._document.report
        if not self._maps or self._labelled > 1:
            report.add("CSIP80")
        if self._maps and not self._labelled:
            report.add("CSIP82", "", self._first_label)
            for requirement, at, value in self._first.held or () if self._first else ():
                report.add(requirement, at, value)
