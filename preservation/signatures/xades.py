"""XAdES, and XML signatures without its properties: every signature of an XML document judged."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from asn1crypto import cms, crl, ocsp, x509
from lxml import etree
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation.policy_decl import SignatureValidationSpec

from preservation.signatures.facts import algorithm_name, certificate_facts, value_facts
from preservation.signatures.judge import Judgement, SignatureJudge
from preservation.signatures.knowledge import Knowledge
from preservation.signatures.outcomes import Reason, reason
from preservation.signatures.pdf import Judged
from preservation.signatures.policy import Algorithms, Rules, policy_data
from preservation.signatures.port import SIGNATURE, SignatureVerdict
from preservation.signatures.subjects import Finding, Imprint, certificate_finding
from preservation.signatures.xml_coverage import coverage_of, name_of
from preservation.signatures.xmldsig import (
    LARGEST_XML,
    Element,
    XmlSignature,
    XmlTrouble,
    canonical,
    encapsulated,
    parse_xml,
    read_signature,
    signatures_in,
    unsigned_properties,
    verify,
)

_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
_MARKS = tuple(_NAMESPACE.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
_CHUNK = 1 << 20


def mentions_signatures(stream: BinaryIO) -> bool:
    """Whether the namespace of XML signatures is written anywhere in the file; it ends at its start."""
    stream.seek(0)
    rest, found = b"", False
    while not found and (chunk := stream.read(_CHUNK)):
        found = any(mark in rest + chunk for mark in _MARKS)
        rest = chunk[-2 * len(_NAMESPACE) :]
    stream.seek(0)
    return found


def judge_xml(stream: BinaryIO, rules: Rules, *, promised: bool) -> Judged:
    """Judge all signatures of an XML file. ``promised``: its name says that it is XML."""
    data = stream.read(LARGEST_XML + 1)
    if len(data) > LARGEST_XML:
        return Judged([], [reason("SIG-FILE-TOO-LARGE")], Knowledge())
    try:
        root = parse_xml(data)
    except XmlTrouble as trouble:
        # HTML and the like may tell of XML signatures without being XML.
        unread = promised or data.lstrip()[:5] == b"<?xml"
        return Judged([], [reason(trouble.code, what=trouble.what)] if unread else [], Knowledge())
    elements = signatures_in(root)
    limit = policy_data()["most_signatures"]
    if len(elements) > limit:
        return Judged([], [reason("SIG-TOO-MANY", what=limit)], Knowledge())
    looked = [_look(data, root, number, one) for number, one in enumerate(elements)]
    everybody = [element for one in looked if one.trouble is None and one.found for element in one.found.signed]
    verdicts, used = [], Knowledge()
    for one in looked:
        judged = _judge(root, one, everybody, rules)
        used = used + judged.path
        name = next((value for key, value in one.element.attrib.items() if str(key) == "Id"), str(one.number + 1))
        verdicts.append(SignatureVerdict(str(name), SIGNATURE, tuple(judged.reasons), judged.facts))
    return Judged(verdicts, [], used)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A signature after the first look: read or not, and what already stands against it."""

    number: int
    element: Element
    found: XmlSignature | None
    trouble: Reason | None


def _look(data: bytes, root: Element, number: int, element: Element) -> _Looked:
    found = None
    try:
        found = read_signature(root, number, element)
        verify(data, found)
    except XmlTrouble as trouble:
        return _Looked(number, element, found, reason(trouble.code, what=trouble.what))
    except Exception as error:  # one signature's trouble, not the file's  # noqa: BLE001
        return _Looked(number, element, None, reason("SIG-MALFORMED", what=type(error).__name__))
    return _Looked(number, element, found, None)


def _judge(root: Element, looked: _Looked, everybody: list[Element], rules: Rules) -> Judgement:
    found = looked.found
    if found is None or found.certificate is None:
        return Judgement([looked.trouble] if looked.trouble is not None else [])
    try:
        subject = XmlSubject(found, found.certificate)
        inside = _inside(found, subject)
        judged = SignatureJudge(rules, subject, inside).judge()
        judged.path = judged.path + inside
    except Exception as error:  # as above  # noqa: BLE001
        return Judgement([reason("SIG-MALFORMED", what=type(error).__name__)], certificate_facts(found.certificate))
    judged.facts["engine"] = f"xml, {judged.facts['engine']}"
    judged.facts |= {"format": "XAdES" if found.properties is not None else "XML-DSig", "level": _level(found)}
    judged.facts["signed_content"] = ", ".join(name_of(one) for one in found.signed)
    if looked.trouble is not None:
        # Properties that were not found to be signed tell nothing.
        judged.reasons = [looked.trouble, *judged.reasons]
        return judged
    try:
        judged.facts["coverage"] = coverage_of(root, found.signed, everybody)
    except XmlTrouble as trouble:
        judged.facts["coverage"] = "PARTS"
        judged.add(trouble.code, what=trouble.what)
    if found.properties is None:
        judged.add("SIG-XML-PLAIN")
    if archive := [etree.QName(one).localname for one in _archive_stamps(found)]:
        judged.add("SIG-ARCHIVE-TIMESTAMP", what=", ".join(sorted(set(archive))))
    return judged


class XmlSubject:
    """An XML signature whose digests and value were looked at before."""

    def __init__(self, found: XmlSignature, certificate: x509.Certificate) -> None:
        self._found, self.certificate = found, certificate
        name, _, digest = found.method.name.rpartition("_SHA")
        if found.method.name.endswith("_MGF1"):
            name, digest = "rsassa_pss", found.method.name.split("_RSA")[0].removeprefix("SHA")
        names = {"RSA": "rsassa_pkcs1v15", "ECDSA": "ecdsa", "DSA": "dsa"}
        self._key = names.get(name.removesuffix("_SHA3"), name)
        self._digest = f"sha{digest.lower()}"

    def tokens(self) -> Iterator[tuple[cms.SignedData, Imprint]]:
        value = self._found.element.find(f"{{{_NAMESPACE}}}SignatureValue")
        for stamp in unsigned_properties(self._found, "xades:SignatureTimeStamp"):
            method = stamp.find(f"{{{_NAMESPACE}}}CanonicalizationMethod")
            form = canonical(value, method.get("Algorithm", "") if method is not None else "")
            for one in stamp.iterchildren("{*}EncapsulatedTimeStamp"):
                token = cms.ContentInfo.load(encapsulated(one), strict=True)["content"]
                yield token, lambda name, form=form: hashlib.new(name, form).digest()  # type: ignore[misc]

    def claimed(self) -> datetime | None:
        try:
            claimed = datetime.fromisoformat(self._found.claimed.strip())
        except ValueError:  # none, or a date that is none claims nothing
            return None
        return claimed if claimed.tzinfo is not None else claimed.replace(tzinfo=UTC)

    def facts(self) -> dict[str, str]:
        name = algorithm_name(self._key, self._digest)
        return value_facts(name, next(iter(self._found.digests), self._digest), self._found.value)

    def basic(self, spec: SignatureValidationSpec, moment: datetime) -> Finding:
        algorithms = spec.signature_algorithm_policy
        if isinstance(algorithms, Algorithms):
            allowed = [algorithms.signature_allowed(self._key, self._digest, self.certificate.public_key)]
            allowed += [algorithms.digest_allowed(one) for one in self._found.digests]
            if not all(one.allowed for one in allowed):
                return Finding(AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE)
        return certificate_finding(self.certificate, tuple(self._found.certificates), spec, moment)

    def timed(self, spec: SignatureValidationSpec, moment: datetime) -> None:
        return None

    def lasting(self, spec: SignatureValidationSpec, moment: datetime) -> None:
        return None


def _inside(found: XmlSignature, subject: XmlSubject) -> Knowledge:
    """What the signature holds: certificates, those of its timestamps, and the values of XAdES-LT."""
    known = Knowledge(tuple(found.certificates))
    for token, _ in subject.tokens():
        known = known + Knowledge.of_cms(token)
    values = {
        "certificates": ("xades:CertificateValues/xades:EncapsulatedX509Certificate", x509.Certificate.load),
        "crls": ("xades:RevocationValues/xades:CRLValues/xades:EncapsulatedCRLValue", crl.CertificateList.load),
        "ocsps": ("xades:RevocationValues/xades:OCSPValues/xades:EncapsulatedOCSPValue", _answer),
    }
    for kind, (path, load) in values.items():
        for place in (path, f"xades141:TimeStampValidationData/{path}"):
            for one in unsigned_properties(found, place):
                with contextlib.suppress(ValueError, TypeError, KeyError):  # what cannot be read is nothing to know
                    known = known + Knowledge(**{kind: (load(encapsulated(one)),)})
    return known


def _answer(der: bytes) -> ocsp.OCSPResponse:
    """XAdES has an OCSP answer whole; some software writes the basic response alone."""
    try:
        whole = ocsp.OCSPResponse.load(der, strict=True)
        if whole["response_status"].native == "successful":
            return whole
    except ValueError:
        pass
    basic = ocsp.BasicOCSPResponse.load(der, strict=True)
    held = {"response_type": "basic_ocsp_response", "response": basic}
    return ocsp.OCSPResponse({"response_status": "successful", "response_bytes": held})


def _level(found: XmlSignature) -> str:
    if not unsigned_properties(found, "xades:SignatureTimeStamp"):
        return "B-B"
    return "B-LT" if unsigned_properties(found, "xades:RevocationValues") else "B-T"


def _archive_stamps(found: XmlSignature) -> list[Element]:
    return unsigned_properties(found, "xades:ArchiveTimeStamp") + unsigned_properties(
        found, "xades141:ArchiveTimeStamp"
    )
