"""The names of METS as the parser gives them: ``namespace}local``."""

from __future__ import annotations

_METS = "http://www.loc.gov/METS/"
_NAMESPACES = {
    "xlink": "http://www.w3.org/1999/xlink",
    "csip": "https://DILCIS.eu/XML/METS/CSIPExtensionMETS",
    "sip": "https://DILCIS.eu/XML/METS/SIPExtensionMETS",
}


def element_name(local: str) -> str:
    """The name of an element of METS."""
    return f"{_METS}}}{local}"


def attribute_name(name: str) -> str:
    """The name of an attribute written ``NAME``, ``xlink:NAME``, ``csip:NAME`` or ``sip:NAME``."""
    prefix, colon, local = name.partition(":")
    return f"{_NAMESPACES[prefix]}}}{local}" if colon else name


HREF = attribute_name("xlink:href")
TITLE = attribute_name("xlink:title")
PACKAGE_TYPE = attribute_name("csip:OAISPACKAGETYPE")
CONTENT_TYPE = attribute_name("csip:CONTENTINFORMATIONTYPE")
OTHER_CONTENT_TYPE = attribute_name("csip:OTHERCONTENTINFORMATIONTYPE")
OTHER_TYPE = attribute_name("csip:OTHERTYPE")
NOTE_TYPE = attribute_name("csip:NOTETYPE")
