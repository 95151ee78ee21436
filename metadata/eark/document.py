"""One METS document of an E-ARK package: read once, each part handed to those who judge it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from metadata.eark.fingerprints import Fingerprints
from metadata.eark.references import References
from metadata.eark.requirements import Report
from metadata.eark.vocabularies import is_name
from metadata.package_tree import PackageTree

MOST_GROUPS = 100_000
MOST_NAMED = 1000


@dataclass(slots=True)
class Sections:
    """The IDs of the metadata sections of one kind (descriptive or administrative)."""

    ids: Fingerprints = field(default_factory=Fingerprints)
    current: Fingerprints = field(default_factory=Fingerprints)
    named: list[str] = field(default_factory=list)  # the first of ``current``
    containers: Fingerprints = field(default_factory=Fingerprints)  # amdSec, which stands for all that is in it

    def add(self, id_: str, status: str) -> None:
        """``status`` other than SUPERSEDED means that the section is in use."""
        self.ids.add(id_)
        if status != "SUPERSEDED" and self.current.add(id_) and len(self.named) < MOST_NAMED:
            self.named.append(id_)


@dataclass(slots=True)
class Package:
    """What the judges of a package share.

    ``described``: some representation has a METS of its own. ``pointed`` are the METS files that mptr leads to.
    """

    tree: PackageTree
    digests: bool | Collection[str]
    referenced: Fingerprints = field(default_factory=Fingerprints)
    described: bool = False
    pointed: Fingerprints = field(default_factory=Fingerprints)


class Document:
    """What is known of a METS document while it is read."""

    def __init__(self, package: Package, folder: str, report: Report) -> None:
        self.package = package
        self.tree = package.tree
        self.folder = folder
        self.report = report
        self.references = References(package.tree, folder, package.referenced, package.digests)
        self.objid = ""
        self.content_type = ""
        self.package_type: str | None = None
        self.profile = ""
        self.descriptive = Sections()
        self.administrative = Sections()
        self.groups: dict[str, str] = {}  # USE by ID
        self.uses: set[str] = set()  # Documentation, Schemas, Representations, of those that are there
        self.has_structured_metadata = False
        self._ids = Fingerprints()

    @property
    def is_root(self) -> bool:
        """Whether it is the METS of the whole package."""
        return not self.folder

    def identify(self, requirement: str, attributes: Mapping[str, str], at: str) -> str:
        """Judge an element's ID: there, well-formed, unique in the document. Returns it."""
        id_ = attributes.get("ID", "")
        if not self.is_new_id(attributes):
            self.report.add(requirement, at, id_)
        return id_

    def is_new_id(self, attributes: Mapping[str, str]) -> bool:
        """Whether an element has an ID that is well-formed and that no element before it has."""
        id_ = attributes.get("ID", "")
        return bool(id_) and is_name(id_) and self._ids.add(id_)

    def note_id(self, attributes: Mapping[str, str]) -> None:
        """Remember the ID of an element that no requirement speaks of, so that nothing else may have it."""
        if "ID" in attributes:
            self._ids.add(attributes["ID"])


def label(element: str, attributes: Mapping[str, str]) -> str:
    """How a finding names an element: its name and ID."""
    return f"{element} {attributes['ID']}" if attributes.get("ID") else element


def use_of(use: str) -> str:
    """The standard part of a file group's USE or a div's LABEL: ``Representations/rep1`` is Representations."""
    return use.partition("/")[0]
