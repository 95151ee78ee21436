"""XML schemas for the ``schemas`` folder of a package, made from the profile: the field tables exist once."""

from __future__ import annotations

from metadata.package_kinds import PackageKind
from metadata.tt05.profile import DocumentKind, Form, Need, Profile, default_profile
from metadata.xml import escape_attribute

_METS_SCHEMA = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.loc.gov/METS/"
           elementFormDefault="qualified">
  <xs:annotation><xs:documentation>A reminder of the parts of a METS 1.12.1 document and their order.
  The schema itself: http://www.loc.gov/standards/mets/version1121/mets.xsd</xs:documentation></xs:annotation>
  <xs:complexType name="part"><xs:sequence>
    <xs:any namespace="##any" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence><xs:anyAttribute namespace="##any" processContents="skip"/></xs:complexType>
  <xs:element name="mets"><xs:complexType><xs:sequence xmlns:m="http://www.loc.gov/METS/">
    <xs:element name="metsHdr" type="m:part"/>
    <xs:element name="dmdSec" type="m:part" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="amdSec" type="m:part" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="fileSec" type="m:part"/>
    <xs:element name="structMap" type="m:part" maxOccurs="unbounded"/>
  </xs:sequence><xs:anyAttribute namespace="##any" processContents="skip"/></xs:complexType></xs:element>
</xs:schema>
"""

_FORM_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="simpledc" type="elementContainer"/>
  <xs:complexType name="elementContainer">
    <xs:all>
"""


def form_schema(form: Form) -> bytes:
    """An XML schema of one form's ``<simpledc>``: its fields in any order, the required ones required."""
    lines = [_FORM_BEGIN]
    for rule in form.fields.values():
        least = "1" if rule.need is Need.REQUIRED else "0"
        limit = f'<xs:maxLength value="{rule.length}"/>' if rule.length else ""
        lines.append(
            f'      <xs:element name="{escape_attribute(rule.name)}" minOccurs="{least}"><xs:simpleType>'
            f'<xs:restriction base="xs:string">{limit}</xs:restriction></xs:simpleType></xs:element>\n'
        )
    lines.append("    </xs:all>\n  </xs:complexType>\n</xs:schema>\n")
    return "".join(lines).encode("utf-8")


def package_schemas(package: str | PackageKind, profile: Profile | None = None) -> dict[str, bytes]:
    """The files of the ``schemas`` folder by name; ``package`` as :meth:`Profile.form` takes it."""
    profile = profile or default_profile()
    kinds: dict[str, DocumentKind | None] = {"EAD.xsd": None}
    kinds |= {f"EAD_{kind}.xsd": kind for kind in DocumentKind}
    forms = {name: form_schema(profile.form(kind, package)) for name, kind in kinds.items()}
    return {"METS.xsd": _METS_SCHEMA.encode("utf-8"), **forms}
