"""Judging an E-ARK package: its folders, its METS, the METS of each representation, and the files they speak of."""

from __future__ import annotations

from collections.abc import Collection

from metadata.eark.document import Document, Package
from metadata.eark.folders import (
    METS,
    REPRESENTATIONS,
    described_representations,
    judge_helpers,
    judge_representations,
    judge_top,
    judge_unspoken,
)
from metadata.eark.reading import DocumentReader
from metadata.eark.recognition import eark_profile
from metadata.eark.requirements import Report, requirements
from metadata.findings import Findings
from metadata.package_kinds import EARK_VERSIONS, PackageProfile
from metadata.package_tree import PackageTree


def judge_eark(
    tree: PackageTree, findings: Findings, profile: PackageProfile, *, digests: bool | Collection[str] = True
) -> None:
    """Add everything that the requirements of ``profile`` say against the package.

    Without a version the one that PROFILE names counts, else the newest. ``digests`` False leaves the digests of files
    to the caller's own pass over the bytes, which reports them as PASS-CHECKSUM; True reads each referenced file once;
    paths: only those files are read.
    Never raises for what is in the package: documents that cannot be read are findings, and the others are judged.
    """
    report = Report(findings, requirements(profile.kind, _version(tree, profile)), METS)
    package = Package(tree, digests, described=next(described_representations(tree), None) is not None)
    has_structured_metadata, readable, root = False, True, None
    if judge_top(tree, report):
        root = Document(package, "", report)
        readable = DocumentReader(root, _version(tree, profile), tree.name).read(findings)
        has_structured_metadata = root.has_structured_metadata
    for folder in described_representations(tree):
        package.referenced.add(folder + METS)
        document = Document(package, folder, report.about(folder + METS))
        name = folder[len(REPRESENTATIONS) : -1]
        readable &= DocumentReader(document, _version(tree, profile), name).read(findings)
        has_structured_metadata |= document.has_structured_metadata
    judge_representations(package, report, root)
    judge_helpers(tree, report, has_structured_metadata)
    if root is not None and readable:
        judge_unspoken(package, report)


def _version(tree: PackageTree, profile: PackageProfile) -> str:
    if profile.version:
        return profile.version
    said = eark_profile(tree)
    return said.version if said and said.version else EARK_VERSIONS[-1]
