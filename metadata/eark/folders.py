"""The folders of a package: CSIPSTR1 to CSIPSTR16, and files that no METS speaks of (CSIP17, 32, 58, 60, 105)."""

from __future__ import annotations

from collections.abc import Iterator

from metadata.eark.document import Document, Package
from metadata.eark.requirements import Report
from metadata.eark.sections import DESCRIPTIVE, PRESERVATION
from metadata.eark.vocabularies import is_placeholder
from metadata.package_tree import PackageTree

METS = "METS.xml"
REPRESENTATIONS = "representations/"
_PARTS = ("data/", "metadata/", "schemas/", "documentation/")


def judge_top(tree: PackageTree, report: Report) -> bool:
    """The root folder and its METS. False when there is no METS."""
    if not tree.name:
        report.about(METS).add("CSIPSTR1")
    if tree.size_of(METS) is None:
        near = [name for name in tree.children("") if name.casefold().endswith(".xml")]
        report.about(METS).add("CSIPSTR4", "", f" ({near[0]}?)" if near else "")
    if not tree.has_folder("metadata/"):
        near = [name for name in tree.children("") if name.endswith("/") and "meta" in name.casefold()]
        report.about("metadata/").add("CSIPSTR5", "", f" ({near[0]}?)" if near else "")
    return tree.size_of(METS) is not None


def described_representations(tree: PackageTree) -> Iterator[str]:
    """The folders of representations that have a METS of their own."""
    for folder in _representations(tree):
        if tree.size_of(folder + METS) is not None:
            yield folder


def _representations(tree: PackageTree) -> Iterator[str]:
    last = ""
    for path in tree.paths(REPRESENTATIONS):
        name, slash, _ = path[len(REPRESENTATIONS) :].partition("/")
        if slash and name != last:
            last = name
            yield f"{REPRESENTATIONS}{name}/"


def judge_representations(package: Package, report: Report, root: Document | None) -> None:
    """``root`` is the package's METS, None when there is none."""
    tree = package.tree
    if root is not None and "Representations" in root.uses and not tree.has_folder(REPRESENTATIONS):
        report.about(METS).add("CSIPSTR9")
    folders = 0
    for folder in _representations(tree):
        folders += 1
        if tree.size_of(folder + METS) is None:
            report.about(folder + METS).add("CSIPSTR12", folder)
        elif root is not None and folder + METS not in package.pointed:
            report.about(METS).add("CSIP105", folder)
        if not tree.has_folder(f"{folder}metadata/"):
            report.about(f"{folder}metadata/").add("CSIPSTR13", folder)
    for path in tree.paths(REPRESENTATIONS):
        _, slash, rest = path[len(REPRESENTATIONS) :].partition("/")
        if not slash and (not folders or not is_placeholder(path)):
            report.about(path).add("CSIPSTR10")
        elif slash and rest != METS and not rest.startswith(_PARTS) and not is_placeholder(path):
            report.about(path).add("CSIPSTR11", path[: -len(rest)])


def judge_helpers(tree: PackageTree, report: Report, has_structured_metadata: bool) -> None:
    """Schemas and documentation, in the root or in a representation."""
    for name, requirement, needed in (
        ("schemas/", "CSIPSTR15", has_structured_metadata),
        ("documentation/", "CSIPSTR16", True),
    ):
        places = (f"{folder}{name}" for folder in _representations(tree))
        if needed and not tree.has_folder(name) and not any(tree.has_folder(place) for place in places):
            report.about(METS if name == "schemas/" else name).add(requirement)


def judge_unspoken(package: Package, report: Report) -> None:
    """Files that no METS references."""
    for path in package.tree.paths():
        if is_placeholder(path) or path in package.referenced:
            continue
        folder, inner = _home(package, path)
        if inner.startswith(DESCRIPTIVE):
            report.about(folder + METS).add("CSIP17", path)
        elif inner.startswith(PRESERVATION):
            report.about(folder + METS).add("CSIP32", path)
        elif inner.startswith("documentation/"):
            report.about(folder + METS).add("CSIP60", path, f" ({path})")
        elif path.startswith(REPRESENTATIONS) and "/data/" in path:
            report.about(folder + METS).add("CSIP58", path, f" ({path})")


def _home(package: Package, path: str) -> tuple[str, str]:
    """The folder whose METS should speak of a file, and the path of the file within its part of the package."""
    if not path.startswith(REPRESENTATIONS):
        return "", path
    name, _, inner = path[len(REPRESENTATIONS) :].partition("/")
    folder = f"{REPRESENTATIONS}{name}/"
    return (folder if package.tree.size_of(folder + METS) is not None else ""), inner
