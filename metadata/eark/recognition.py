"""What kind of E-ARK package it is and of which version, by what its root METS says of itself."""

from __future__ import annotations

import re

from metadata.eark.names import PACKAGE_TYPE, element_name
from metadata.eark.vocabularies import version_of_profile
from metadata.package_kinds import EARK_VERSIONS, PackageKind, PackageProfile
from metadata.package_tree import PackageTree
from metadata.refusal import DocumentRefused
from metadata.xml import Element, Opened, iter_elements

_PROFILE = re.compile(r"E-ARK-(?P<kind>CSIP|SIP|AIP|DIP)(-v(?P<version>\d+-\d+-\d+))?(\.xml)?/?$", re.IGNORECASE)
_EARK = re.compile(r"//([\w.-]*\.)?(dilcis\.eu|eark-project\.(com|eu))(/|$)", re.IGNORECASE)
_HEADER = element_name("metsHdr")


def eark_kind(tree: PackageTree) -> PackageKind | None:
    """The kind of package; None when its METS does not say that it is one of E-ARK's."""
    profile = eark_profile(tree)
    return profile.kind if profile else None


def eark_profile(tree: PackageTree) -> PackageProfile | None:
    """Kind and version, as PROFILE tells them; None when the package has no METS that says it is one of E-ARK's.

    A PROFILE that names a kind decides it; one of E-ARK's that names none leaves it to OAISPACKAGETYPE. The version is
    ``""`` when PROFILE does not tell. Never raises: what cannot be read is nothing of E-ARK's.
    """
    said = _said(tree)
    if said is None or not _EARK.search(said[0]):
        return None
    url, package_type = said
    named = _PROFILE.search(url)
    kind = (named["kind"] if named else package_type if package_type in ("SIP", "AIP", "DIP") else "CSIP").lower()
    version = (named["version"] or "").replace("-", ".") if named else ""
    if version not in EARK_VERSIONS:
        version = version_of_profile(url)
    return PackageProfile(PackageKind(f"eark-{kind}"), version)


def _said(tree: PackageTree) -> tuple[str, str] | None:
    """PROFILE and OAISPACKAGETYPE of the root METS."""
    if tree.size_of("METS.xml") is None:
        return None
    url = ""
    try:
        with tree.open("METS.xml") as stream:
            for event in iter_elements(stream, (_HEADER,)):
                if isinstance(event, Opened):
                    if event.name != element_name("mets"):
                        return None
                    url = event.attributes.get("PROFILE", "")
                elif isinstance(event, Element):
                    return url, event.attributes.get(PACKAGE_TYPE, "")
    except (DocumentRefused, OSError):
        return (url, "") if url else None
    return url, ""
