"""XML signatures read: their references and properties, and whether their digests and values are right.

Only what the verifier gives back counts as signed. It passes over transforms that it does not know, takes the first of
several elements with one identifier, and has the signature of its choice when there are several: all three are settled
here before it is asked.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import x509
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidInput, InvalidSignature
from signxml.verifier import VerifyResult, XMLVerifier
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

Element = etree._Element

DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
XADES_141 = "{http://uri.etsi.org/01903/v1.4.1#}"
LARGEST_XML = 1 << 23
MOST_REFERENCES, MOST_TRANSFORMS, MOST_CERTIFICATES = 20, 4, 20

_IDENTIFIERS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_BASE64 = "http://www.w3.org/2000/09/xmldsig#base64"
_CANONICAL = (
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
)
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_NAMESPACES = {"ds": DS[1:-1], "xades": XADES[1:-1], "xades141": XADES_141[1:-1]}
_METHODS = frozenset(one for one in SignatureMethod if not one.name.startswith("HMAC"))


class XmlTrouble(Exception):
    """What stands against a signature: a code of ``reasons.toml`` and what fills its sentence."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(f"{code}: {what}")
        self.code, self.what = code, what


@dataclass(slots=True)
class XmlSignature:
    """A ``ds:Signature`` of a document: the ``number``-th of it from 0, in the document's order.

    ``signed``: the elements whose digests were found right and which are content (not the signature's own properties).
    """

    number: int
    element: Element
    references: list[Element]
    signed: list[Element] = field(default_factory=list)
    certificates: list[x509.Certificate] = field(default_factory=list)
    properties: Element | None = None
    claimed: str = ""

    @property
    def method(self) -> SignatureMethod:
        return SignatureMethod(_one(self.element, "ds:SignedInfo/ds:SignatureMethod").get("Algorithm"))

    @property
    def digests(self) -> list[str]:
        """The names of the digests of its references: ``sha256``."""
        return [digest_name(DigestAlgorithm(_one(one, "ds:DigestMethod").get("Algorithm"))) for one in self.references]

    @property
    def value(self) -> bytes:
        return base64.b64decode(_text(_one(self.element, "ds:SignatureValue")))

    @property
    def certificate(self) -> x509.Certificate | None:
        """The signer's: the one that certified no other here."""
        issuers = {one.issuer.hashable for one in self.certificates if one.issuer != one.subject}
        ends = [one for one in self.certificates if one.subject.hashable not in issuers]
        return next(iter(ends or self.certificates), None)


def parse_xml(data: bytes) -> Element:
    """Without network, entities or DOCTYPE, to a bounded depth. Raises XmlTrouble."""
    parser = _parser()
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise XmlTrouble("SIG-FILE-UNREADABLE", str(error.msg)) from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # its stubs do not know it
        raise XmlTrouble("SIG-FILE-UNREADABLE", "DOCTYPE")
    return root


def signatures_in(root: Element) -> list[Element]:
    return list(root.iter(DS + "Signature"))


def read_signature(root: Element, number: int, element: Element) -> XmlSignature:
    """Raises XmlTrouble when it holds what is not evaluated here, or too much of it."""
    references = _all(element, "ds:SignedInfo/ds:Reference")
    if not references or len(references) > MOST_REFERENCES:
        raise XmlTrouble("SIG-MALFORMED", f"{len(references)} references")
    found = XmlSignature(number, element, references)
    texts = _all(element, "ds:KeyInfo/ds:X509Data/ds:X509Certificate")
    if len(texts) > MOST_CERTIFICATES:
        raise XmlTrouble("SIG-MALFORMED", f"{len(texts)} certificates")
    found.certificates = [x509.Certificate.load(base64.b64decode(_text(one)), strict=True) for one in texts]
    _known(SignatureMethod, _one(element, "ds:SignedInfo/ds:SignatureMethod"))
    _canonical(_one(element, "ds:SignedInfo/ds:CanonicalizationMethod").get("Algorithm", ""))
    for one in references:
        _known(DigestAlgorithm, _one(one, "ds:DigestMethod"))
        _transforms(one)
        target = _target(root, one)
        if one.get("Type", "").endswith("#Manifest"):
            raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", "Manifest")
        if target is root and any(_beside(root)):
            raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", "processing instructions outside the root element")
        if target.tag == XADES + "SignedProperties":
            found.properties = target
        elif not _own(element, target):
            found.signed.append(target)
    return found


def verify(data: bytes, found: XmlSignature) -> None:
    """Digests of all references, and the value, by the signer's certificate. Raises XmlTrouble.

    The dates of the certificate are not looked at here, nor its chain.
    """
    certificate = found.certificate
    if certificate is None:
        raise XmlTrouble("SIG-NO-CERTIFICATE", "")
    described = found.properties is not None and _describes(found.properties)
    kind = _Xades if described else _Plain
    parser = _parser()
    settings = XAdESSignatureConfiguration(
        expect_references=len(found.references),
        signature_methods=_METHODS,
        digest_algorithms=frozenset(DigestAlgorithm),
        verification_time=certificate.not_valid_after,
    )
    signer = load_der_x509_certificate(certificate.dump())
    try:
        results = kind(found.number).verify(data, x509_cert=signer, expect_config=settings, parser=parser)
    except InvalidDigest as error:
        raise XmlTrouble("SIG-ALTERED", "") from error
    except InvalidSignature as error:
        raise XmlTrouble("SIG-CRYPTO", "") from error
    except InvalidInput as error:
        raise XmlTrouble("SIG-NOT-JUDGED", str(error)) from error
    except etree.DocumentInvalid as error:
        raise XmlTrouble("SIG-MALFORMED", str(error)) from error
    returned = results if isinstance(results, list) else [results]
    found.claimed = _claimed(returned)
    if not described:
        found.properties = None


def _claimed(results: list[VerifyResult]) -> str:
    """The signing time in what the verifier gave back: XAdES's, or one among plain signature properties."""
    for one in results:
        if one.signed_xml is not None:
            for found in one.signed_xml.iter("{*}SigningTime"):
                parent = found.getparent()
                if parent is not None and etree.QName(parent).localname in (
                    "SignedSignatureProperties",
                    "SignatureProperty",
                ):
                    return _text(found)
    return ""


def identifiers(element: Element) -> Iterator[str]:
    """The names by which a reference may mean the element."""
    for name in _IDENTIFIERS:
        if (value := element.get(name)) is not None:
            yield value


def is_identifier(name: str) -> bool:
    return name in _IDENTIFIERS


def digest_name(algorithm: DigestAlgorithm) -> str:
    return algorithm.name.lower()


def canonical(element: Element | None, algorithm: str = "") -> bytes:
    """As it stands in its document, with the namespaces it has there; inclusive unless ``algorithm`` says otherwise."""
    if element is None:
        raise XmlTrouble("SIG-MALFORMED", "SignatureValue")
    alone = etree.fromstring(etree.tostring(element, with_tail=False), _parser())
    return etree.tostring(alone, method="c14n", exclusive=algorithm.startswith(_EXCLUSIVE), with_comments=False)


def unsigned_properties(found: XmlSignature, path: str) -> list[Element]:
    """Elements of a path below the signature's ``UnsignedSignatureProperties``."""
    start = "ds:Object/xades:QualifyingProperties/xades:UnsignedProperties/xades:UnsignedSignatureProperties/"
    return _all(found.element, start + path)


def encapsulated(element: Element) -> bytes:
    return base64.b64decode(_text(element))


def _target(root: Element, reference: Element) -> Element:
    uri = reference.get("URI")
    if uri == "":
        return root
    if uri is None or not uri.startswith("#"):
        raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", f"a reference to another file ({uri})" if uri else "no URI")
    if uri.startswith("#xpointer("):
        raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", "XPointer")
    meant = [one for one in root.iter(etree.Element) if uri[1:] in identifiers(one)]
    if len(meant) > 1:
        raise XmlTrouble("SIG-XML-WRAPPED", f"{len(meant)} × {uri}")
    if not meant:
        raise XmlTrouble("SIG-COVERAGE", f"{uri}: 0")
    return meant[0]


def _transforms(reference: Element) -> None:
    """The verifier passes over what it does not know, and does what it knows in an order of its own."""
    names = [one.get("Algorithm", "") for one in _all(reference, "ds:Transforms/ds:Transform")]
    if len(names) > MOST_TRANSFORMS:
        raise XmlTrouble("SIG-MALFORMED", f"{len(names)} transforms")
    rest = names[1:] if names[:1] == [_ENVELOPED] else names
    if rest[:1] == [_BASE64]:
        rest = rest[1:]
    for name in rest:
        _canonical(name)
    if len(rest) > 1:
        raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", "several canonicalizations")


def _canonical(name: str) -> None:
    if name.removesuffix("WithComments").rstrip("#") not in {one.rstrip("#") for one in _CANONICAL}:
        raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", name.rpartition("/")[2] or name)


def _known(kind: Any, element: Element) -> None:  # noqa: ANN401 - one of two enumerations
    name = element.get("Algorithm", "")
    try:
        known = kind(name)
    except InvalidInput as error:
        raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", name) from error
    if known.name.startswith("HMAC"):
        raise XmlTrouble("SIG-XML-NOT-UNDERSTOOD", "HMAC")


def _describes(properties: Element) -> bool:
    """Whether the properties name the certificate, as XAdES has it."""
    inside = properties.find(XADES + "SignedSignatureProperties")
    names = ("SigningCertificate", "SigningCertificateV2")
    return inside is not None and sum(inside.find(XADES + name) is not None for name in names) == 1


def _own(signature: Element, target: Element) -> bool:
    """Whether it is a part of the signature that tells of it, not content that it envelops."""
    above = [target, *target.iterancestors()]
    if signature not in above[1:]:
        return False
    names = {one.tag for one in above[: above.index(signature)]}
    properties = {XADES + "QualifyingProperties", DS + "SignatureProperties", DS + "SignatureProperty"}
    if target.tag == DS + "Object":
        children = {one.tag for one in target.iterchildren(etree.Element)}
        return bool(children) and children <= properties
    return DS + "Object" not in names or bool(names & properties)


def _beside(root: Element) -> Iterator[Element]:
    """Processing instructions before and after the root element."""
    for preceding in (True, False):
        yield from root.itersiblings(etree.ProcessingInstruction, preceding=preceding)


def _one(element: Element, path: str) -> Element:
    found = element.find(path, _NAMESPACES)
    if found is None:
        raise XmlTrouble("SIG-MALFORMED", path)
    return found


def _all(element: Element, path: str) -> list[Element]:
    return element.findall(path, _NAMESPACES)


def _text(element: Element) -> str:
    return "".join(str(one) for one in element.itertext())


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


class _Plain(XMLVerifier):
    """Of a document with several signatures, the ``number``-th."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def _get_signature(self, root: Element) -> Element:
        return signatures_in(root)[self._number]


class _Xades(XAdESVerifier):
    """The same."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def _get_signature(self, root: Element) -> Element:
        return signatures_in(root)[self._number]

    def _verify_cert_digests(self, verify_result: VerifyResult) -> None:
        try:
            super()._verify_cert_digests(verify_result)
        except InvalidDigest as error:
            raise XmlTrouble("SIG-CRYPTO", "") from error
