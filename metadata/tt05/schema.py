"""XML schemas for the ``schemas`` folder of a package, made from the profile: the tables of the circular exist once.

They are XSD 1.0 and stand alone. Those of descriptions take the fields of a form in any order, as the circular's do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from metadata.package_kinds import PackageKind
from metadata.tt05.mets_schema import mets_schema
from metadata.tt05.profile import DocumentKind, FieldRule, FieldType, Form, Need, Profile, default_profile
from metadata.xml import escape_attribute

_FORM_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="simpledc" type="elementContainer"/>
  <xs:complexType name="elementContainer">
    <xs:all>
"""
_DAY, _MONTH, _YEAR = "[0-9]{2}/[0-9]{2}/[0-9]{4}", "[0-9]{2}/[0-9]{4}", "[0-9]{4}"


def form_schema(form: Form, profile: Profile | None = None) -> bytes:
    """An XML schema of one form's ``<simpledc>``: fields in any order, the required ones required and not empty."""
    profile = profile or default_profile()
    lines = [_FORM_BEGIN]
    for rule in form.fields.values():
        least = "1" if rule.need is Need.REQUIRED else "0"
        lines.append(
            f'      <xs:element name="{escape_attribute(rule.name)}" minOccurs="{least}"><xs:simpleType>'
            f'<xs:restriction base="xs:string">{"".join(_facets(rule, form, profile))}</xs:restriction>'
            "</xs:simpleType></xs:element>\n"
        )
    lines.append("    </xs:all>\n  </xs:complexType>\n</xs:schema>\n")
    return "".join(lines).encode("utf-8")


def _facets(rule: FieldRule, form: Form, profile: Profile) -> Iterable[str]:
    """What the text of a field may be; one that is not required may be empty."""
    if rule.need is Need.REQUIRED:
        yield '<xs:minLength value="1"/>'
    if rule.length:
        yield f'<xs:maxLength value="{rule.length}"/>'
    pattern = _pattern(rule, form, profile)
    if pattern:
        text = pattern if rule.need is Need.REQUIRED else f"({pattern})?"
        yield f'<xs:pattern value="{escape_attribute(text)}"/>'


def _pattern(rule: FieldRule, form: Form, profile: Profile) -> str:
    if rule.type is FieldType.DATE:
        return f"{_DAY}|{_MONTH}|{_YEAR}" if form.partial_dates else _DAY
    if rule.type is FieldType.NUMBER:
        return "[0-9]+"
    if rule.type is FieldType.BOOLEAN:
        return "[01]"
    if rule.type not in (FieldType.CODE, FieldType.CODES):
        return ""
    one = "|".join(re.escape(code) for code in profile.lists[rule.name])
    return one if rule.type is FieldType.CODE else f"({one})([,;\\s]+({one}))*"


def package_schemas(package: str | PackageKind, profile: Profile | None = None) -> dict[str, bytes]:
    """The files of the ``schemas`` folder by name; ``package`` as :meth:`Profile.form` takes it."""
    profile = profile or default_profile()
    kinds: dict[str, DocumentKind | None] = {"EAD.xsd": None}
    kinds |= {f"EAD_{kind}.xsd": kind for kind in DocumentKind}
    forms = {name: form_schema(profile.form(kind, package), profile) for name, kind in kinds.items()}
    return {"METS.xsd": mets_schema(profile.package(package), profile.lists["RECORDSTATUS"]), **forms}
