"""METS.xsd of a package of TT 05: what form A has of METS 1.12.1, for the METS file of the root and that of rep1."""

from __future__ import annotations

from collections.abc import Iterable

from metadata.tt05.packages import PackageRules
from metadata.xml import escape_attribute

_SCHEMA = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://www.loc.gov/METS/"
           xmlns:m="http://www.loc.gov/METS/" targetNamespace="http://www.loc.gov/METS/" elementFormDefault="qualified">
  <xs:annotation><xs:documentation>The part of METS 1.12.1 that a package {name} of Circular 05/2025/TT-BNV uses.
  The whole standard: http://www.loc.gov/standards/mets/version1121/mets.xsd</xs:documentation></xs:annotation>
{types}
  <xs:attributeGroup name="foreign"><xs:anyAttribute namespace="##other" processContents="lax"/></xs:attributeGroup>
  <xs:attributeGroup name="facts">
    <xs:attribute name="MIMETYPE" type="xs:string" use="required"/>
    <xs:attribute name="SIZE" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="CREATED" type="xs:dateTime" use="required"/>
    <xs:attribute name="CHECKSUM" type="digest" use="required"/>
    <xs:attribute name="CHECKSUMTYPE" type="xs:string" use="required" fixed="SHA-256"/>
  </xs:attributeGroup>
  <xs:complexType name="reference">
    <xs:attribute name="ID" type="xs:ID"/>
    <xs:attribute name="LOCTYPE" type="xs:string" use="required" fixed="URL"/>
    <xs:attribute name="MDTYPE" type="xs:string" use="required"/>
    <xs:attribute name="MDTYPEVERSION" type="xs:string"/>
    <xs:attribute name="OTHERMDTYPE" type="xs:string"/>
    <xs:attribute name="LABEL" type="xs:string"/>
    <xs:attributeGroup ref="facts"/><xs:attributeGroup ref="foreign"/>
  </xs:complexType>
  <xs:complexType name="section">
    <xs:sequence><xs:element name="mdRef" type="reference"/></xs:sequence>
    <xs:attribute name="ID" type="xs:ID" use="required"/>
    <xs:attribute name="CREATED" type="xs:dateTime" use="required"/>
    <xs:attribute name="STATUS" type="xs:string" use="required"/>
    <xs:attributeGroup ref="foreign"/>
  </xs:complexType>
  <xs:complexType name="location">
    <xs:attribute name="LOCTYPE" type="xs:string" use="required" fixed="URL"/>
    <xs:attributeGroup ref="foreign"/>
  </xs:complexType>
  <xs:complexType name="file">
    <xs:sequence><xs:element name="FLocat" type="location"/></xs:sequence>
    <xs:attribute name="ID" type="xs:ID" use="required"/>
    <xs:attributeGroup ref="facts"/><xs:attributeGroup ref="foreign"/>
  </xs:complexType>
  <xs:complexType name="division">
    <xs:sequence>
      <xs:element name="mptr" type="location" minOccurs="0"/>
      <xs:element name="fptr" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:attribute name="ID" type="xs:ID"/>
        <xs:attribute name="FILEID" type="xs:string" use="required"/>
      </xs:complexType></xs:element>
      <xs:element name="div" type="division" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:attribute name="ID" type="xs:ID"/>
    <xs:attribute name="LABEL" type="xs:string"/>
    <xs:attribute name="TYPE" type="xs:string"/>
    <xs:attribute name="DMDID" type="xs:IDREFS"/>
    <xs:attribute name="ADMID" type="xs:IDREFS"/>
    <xs:attributeGroup ref="foreign"/>
  </xs:complexType>
  <xs:complexType name="header">
    <xs:sequence>
      <xs:element name="agent" maxOccurs="unbounded"><xs:complexType>
        <xs:sequence>
          <xs:element name="name" type="xs:string"/>
          <xs:element name="note" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:simpleContent>
            <xs:extension base="xs:string"><xs:attributeGroup ref="foreign"/></xs:extension>
          </xs:simpleContent></xs:complexType></xs:element>
        </xs:sequence>
        <xs:attribute name="ROLE" type="xs:string" use="required"/>
        <xs:attribute name="TYPE" type="xs:string" use="required"/>
        <xs:attribute name="OTHERTYPE" type="xs:string"/>
      </xs:complexType></xs:element>
      <xs:element name="altRecordID" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:simpleContent>
        <xs:extension base="xs:string"><xs:attribute name="TYPE" type="xs:string" use="required"/></xs:extension>
      </xs:simpleContent></xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="CREATEDATE" type="xs:dateTime" use="required"/>
    <xs:attribute name="LASTMODDATE" type="xs:dateTime"/>
    <xs:attribute name="RECORDSTATUS" type="status"/>
    <xs:attributeGroup ref="foreign"/>
  </xs:complexType>
  <xs:element name="mets"><xs:complexType>
    <xs:sequence>
      <xs:element name="metsHdr" type="header"/>
      <xs:element name="dmdSec" type="section" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="amdSec" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
        <xs:sequence><xs:element name="digiprovMD" type="section" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
        <xs:attribute name="ID" type="xs:ID"/>
      </xs:complexType></xs:element>
      <xs:element name="fileSec"><xs:complexType>
        <xs:sequence>
          <xs:element name="fileGrp" maxOccurs="unbounded"><xs:complexType>
            <xs:sequence><xs:element name="file" type="file" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
            <xs:attribute name="ID" type="xs:ID"/>
            <xs:attribute name="USE" type="group" use="required"/>
            <xs:attributeGroup ref="foreign"/>
          </xs:complexType></xs:element>
        </xs:sequence>
        <xs:attribute name="ID" type="xs:ID"/>
      </xs:complexType></xs:element>
      <xs:element name="structMap" maxOccurs="unbounded"><xs:complexType>
        <xs:sequence><xs:element name="div" type="division"/></xs:sequence>
        <xs:attribute name="ID" type="xs:ID"/>
        <xs:attribute name="TYPE" type="xs:string" use="required"/>
        <xs:attribute name="LABEL" type="xs:string" use="required"/>
      </xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="OBJID" type="objid" use="required"/>
    <xs:attribute name="TYPE" type="kind" use="required"/>
    <xs:attribute name="LABEL" type="xs:string"/>
    <xs:attribute name="PROFILE" type="profile" use="required"/>
    <xs:attributeGroup ref="foreign"/>
  </xs:complexType>
    <xs:unique name="files"><xs:selector xpath=".//m:file|.//m:fileGrp"/><xs:field xpath="@ID"/></xs:unique>
    <xs:keyref name="pointers" refer="files"><xs:selector xpath=".//m:fptr"/><xs:field xpath="@FILEID"/></xs:keyref>
  </xs:element>
</xs:schema>
"""


def mets_schema(package: PackageRules, statuses: Iterable[str]) -> bytes:
    """The schema for both METS files of one kind of package, by the rules that the profile has for it."""
    both = (package.root_mets, package.representation_mets)
    types = [
        _listed("status", statuses),
        _listed("kind", (kind for rules in both for kind in rules.types)),
        _listed("profile", (rules.profile for rules in both)),
        _listed("group", (use for rules in both for use in (*rules.groups, *rules.also_groups))),
        _matching("objid", "|".join(rules.objid.pattern for rules in both)),
        _matching("digest", "[0-9A-Fa-f]{64}"),
    ]
    return _SCHEMA.format(name=package.name, types="\n".join(types)).encode("utf-8")


def _listed(name: str, values: Iterable[str]) -> str:
    listed = "".join(f'<xs:enumeration value="{escape_attribute(value)}"/>' for value in dict.fromkeys(values))
    return _simple(name, listed)


def _matching(name: str, pattern: str) -> str:
    return _simple(name, f'<xs:pattern value="{escape_attribute(pattern)}"/>')


def _simple(name: str, facets: str) -> str:
    return f'  <xs:simpleType name="{name}"><xs:restriction base="xs:string">{facets}</xs:restriction></xs:simpleType>'
