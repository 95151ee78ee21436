"""XAdES and plain XML signatures: what each must be called."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from preservation.signatures.facts import FACTS
from preservation.signatures.trust import TrustStore
from preservation.signatures.xmldsig import LARGEST_XML
from tests.builders.signatures import DAY, NOW, authority, crl_of, day, ocsp_of
from tests.builders.xml_signatures import (
    DECREE,
    DS,
    EXCLUSIVE,
    INVOICE,
    add_archive_stamp,
    add_second_stamp,
    add_values,
    edit,
    sign_xml,
    signature_of,
)
from tests.preservation.signature_cases import BAD, NOTES, OPEN, UNREADABLE, VALID, Case, ask, codes_of, judge

HOUR = timedelta(hours=1)
OLD = day("2016-05-01")


def invoice(**more: Any) -> bytes:
    return sign_xml(INVOICE, part="data", into="NBan", **more)


def both() -> bytes:
    return sign_xml(invoice(), "second", part="data", into="NMua")


def with_text(old: bytes, new: bytes, document: bytes) -> bytes:
    assert old in document
    return document.replace(old, new)


def wrapped_beside(root: Any) -> None:
    """The signed part is put away, a forged one stands in its place under another identifier."""
    signed = root.find("DLHDon")
    forged = deepcopy(signed)
    forged.set("Id", "data2")
    forged.find("Tien").text = "9000000"
    hidden = etree.SubElement(root, "Khac")
    root.replace(signed, forged)
    hidden.append(signed)


def wrapped_in_signature(root: Any) -> None:
    """The same, put away inside the signature."""
    signed = root.find("DLHDon")
    forged = deepcopy(signed)
    forged.set("Id", "data2")
    root.replace(signed, forged)
    etree.SubElement(signature_of(root), f"{{{DS}}}Object").append(signed)


def wrapped_under_another_name(root: Any) -> None:
    signed = root.find("DLHDon")
    forged = etree.Element("DuLieu")
    forged.text = "9000000"
    root.replace(signed, forged)
    etree.SubElement(signature_of(root), f"{{{DS}}}Object").append(signed)


def same_identifier(root: Any) -> None:
    forged = deepcopy(root.find("DLHDon"))
    forged.find("Tien").text = "9000000"
    root.insert(0, forged)


def same_identifier_by_another_attribute(root: Any) -> None:
    forged = etree.Element("DLHDon", {"ID": "data"})
    forged.text = "9000000"
    root.insert(0, forged)


def identifier_removed(root: Any) -> None:
    del root.find("DLHDon").attrib["Id"]


def added(root: Any) -> None:
    etree.SubElement(root, "GhiChu").text = "thêm"


def emptied(root: Any) -> None:
    etree.SubElement(root, "DaHuy")


def place_added(root: Any) -> None:
    etree.SubElement(root.find("DSCKS"), "CQThue")


def schema_named(root: Any) -> None:
    root.set("{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation", "hoa-don.xsd")


def retyped(root: Any) -> None:
    root.set("{http://www.w3.org/2001/XMLSchema-instance}type", "HoaDonKhac")


def spoken(root: Any) -> None:
    root.find("DSCKS").text = "thêm"


def attributed(root: Any) -> None:
    root.set("tien", "9000000")


def object_added(root: Any) -> None:
    etree.SubElement(signature_of(root), f"{{{DS}}}Object").text = "thêm"


def comment_added(root: Any) -> None:
    root.insert(0, etree.Comment("không đổi gì"))


def moved_whole(root: Any) -> None:
    """Enveloped over the whole: the document is put into another."""
    inner = deepcopy(root)
    for child in list(root):
        root.remove(child)
    etree.SubElement(root, "NoiDung").text = "khác"
    root.append(inner)


def changed_transform(uri: str) -> Callable[[Any], None]:
    def act(root: Any) -> None:
        next(root.iter(f"{{{DS}}}Transform")).set("Algorithm", uri)

    return act


def changed_reference(uri: str | None) -> Callable[[Any], None]:
    def act(root: Any) -> None:
        reference = next(root.iter(f"{{{DS}}}Reference"))
        reference.attrib.pop("URI")
        if uri is not None:
            reference.set("URI", uri)

    return act


def changed_attribute(element: str, value: str) -> Callable[[Any], None]:
    def act(root: Any) -> None:
        next(root.iter(f"{{{DS}}}{element}")).set("Algorithm", value)

    return act


def removed(element: str, namespace: str = DS) -> Callable[[Any], None]:
    def act(root: Any) -> None:
        one = next(root.iter(f"{{{namespace}}}{element}"))
        one.getparent().remove(one)

    return act


def one_reference_removed(root: Any) -> None:
    """The signature signs its own properties only."""
    reference = next(root.iter(f"{{{DS}}}Reference"))
    reference.getparent().remove(reference)


def other_certificate(root: Any) -> None:
    """The certificate of somebody else with the same key would be needed; this one has another key."""
    for old in root.iter(f"{{{DS}}}KeyValue"):
        old.getparent().remove(old)
    next(root.iter(f"{{{DS}}}X509Certificate")).text = base64.b64encode(authority()["second"].der).decode()


def many(element: str, count: int) -> Callable[[Any], None]:
    def act(root: Any) -> None:
        one = next(root.iter(f"{{{DS}}}{element}"))
        for _ in range(count):
            one.addnext(deepcopy(one))

    return act


def stamped_by_other(document: bytes) -> bytes:
    """The timestamp of another signature."""
    other = sign_xml("<Khac/>", "second", stamp=NOW - 2 * HOUR)
    token = re.search(rb"EncapsulatedTimeStamp>(.*?)<", other, re.DOTALL)
    mine = re.search(rb"EncapsulatedTimeStamp>(.*?)<", document, re.DOTALL)
    assert token is not None
    assert mine is not None
    return document.replace(mine[1], token[1])


def listed_before_the_end() -> TrustStore:
    people = authority()
    return people.store(
        crls=[crl_of(people[name], NOW - 40 * DAY, NOW + DAY) for name in ("root", "inter", "tsa-root")]
    )


def lasting() -> bytes:
    people, when = authority(), NOW - 60 * DAY
    answers = [ocsp_of(people["expired"], people["inter"], when, when + 7 * DAY)]
    answers += [ocsp_of(people["tsa"], people["tsa-root"], when, when + 7 * DAY)]
    signed = sign_xml(DECREE, "expired", stamp=when, claimed=when, embed=())
    return add_values(signed, people.crls(when - DAY, when + 7 * DAY, revoked=False), answers, ("inter",))


XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a xmlns="http://www.w3.org/2000/09/xmldsig#">&b;</a>'

CASES: dict[str, Case] = {
    # in order
    "XAdES": Case(sign_xml, VALID, exactly=True),
    "XAdES enveloping": Case(lambda: sign_xml(enveloping=True), VALID, exactly=True),
    "XAdES by RSA": Case(lambda: sign_xml(DECREE, "rsa"), VALID, exactly=True),
    "XAdES with timestamp": Case(lambda: sign_xml(stamp=NOW - HOUR), VALID, exactly=True),
    "XAdES with timestamp, exclusive canonicalization": Case(
        lambda: sign_xml(stamp=NOW - HOUR, canonicalization=EXCLUSIVE), VALID, exactly=True
    ),
    "XAdES with two timestamps, canonicalized in two ways": Case(
        lambda: add_second_stamp(sign_xml(stamp=NOW - 2 * HOUR, claimed=NOW - 2 * HOUR), NOW - HOUR, EXCLUSIVE),
        VALID,
        exactly=True,
    ),
    "XAdES of a part, nothing else is there": Case(invoice, VALID, exactly=True),
    "plain, exclusive canonicalization": Case(
        lambda: invoice(plain=True, form=EXCLUSIVE), NOTES, ("SIG-XML-PLAIN",), exactly=True
    ),
    "XAdES of two signers": Case(both, VALID, exactly=True),
    "XAdES of SHA-512": Case(lambda: sign_xml(digest="sha512"), VALID, exactly=True),
    "XAdES in UTF-16": Case(
        lambda: etree.tostring(etree.fromstring(sign_xml()), encoding="UTF-16", xml_declaration=True),
        VALID,
        exactly=True,
    ),
    "XAdES in UTF-16, altered": Case(
        lambda: etree.tostring(etree.fromstring(sign_xml().replace(b"30/2020", b"31/2020")), encoding="UTF-16"),
        BAD,
        ("SIG-ALTERED",),
    ),
    "plain": Case(lambda: sign_xml(plain=True), NOTES, ("SIG-XML-PLAIN",), exactly=True),
    "plain enveloping": Case(lambda: sign_xml(plain=True, enveloping=True), NOTES, ("SIG-XML-PLAIN",), exactly=True),
    "plain of a part": Case(lambda: invoice(plain=True), NOTES, ("SIG-XML-PLAIN",), exactly=True),
    "XAdES, comment added": Case(lambda: edit(sign_xml(), comment_added), VALID),
    "XAdES, intermediate from the store": Case(
        lambda: sign_xml(embed=()),
        VALID,
        ("SIG-INTERMEDIATE-FROM-STORE",),
        store=lambda: authority().store(pinned=("inter",)),
    ),
    "XAdES, local time": Case(
        lambda: sign_xml(stamp=NOW - HOUR, claimed=NOW + 6 * HOUR), NOTES, ("SIG-LOCAL-TIME",), exactly=True
    ),
    "XAdES, local time without a zone": Case(
        lambda: sign_xml(stamp=NOW - HOUR, claimed=(NOW + 6 * HOUR).replace(tzinfo=None).isoformat()),
        NOTES,
        ("SIG-LOCAL-TIME",),
    ),
    "XAdES, a time that is none": Case(lambda: sign_xml(claimed="hôm qua"), UNREADABLE, ("SIG-MALFORMED",)),
    "XAdES, archive timestamp": Case(
        lambda: add_archive_stamp(sign_xml(stamp=NOW - HOUR)), NOTES, ("SIG-ARCHIVE-TIMESTAMP",)
    ),
    "XAdES with values, signer ended since": Case(
        lasting, VALID, store=lambda: authority().store(crls=[crl_of(authority()["tsa-root"])])
    ),
    # altered
    "XAdES, content altered": Case(
        lambda: with_text("Quyết".encode(), "Quyêt".encode(), sign_xml()), BAD, ("SIG-ALTERED",)
    ),
    "XAdES enveloping, content altered": Case(
        lambda: with_text("Quyết".encode(), b"Quyet", sign_xml(enveloping=True)), BAD, ("SIG-ALTERED",)
    ),
    "plain, content altered": Case(
        lambda: with_text("Quyết".encode(), b"Quyet", sign_xml(plain=True)), BAD, ("SIG-ALTERED",)
    ),
    "XAdES, claimed time altered": Case(
        lambda: with_text(b"2026-06-15T07", b"2026-06-15T06", sign_xml()), BAD, ("SIG-ALTERED",)
    ),
    "XAdES, signature value altered": Case(
        lambda: re.sub(
            rb"(SignatureValue>)(.)", lambda m: m[1] + (b"A" if m[2] != b"A" else b"B"), sign_xml(), count=1
        ),
        BAD,
        ("SIG-CRYPTO",),
    ),
    "XAdES, element added to the signed whole": Case(lambda: edit(sign_xml(), added), BAD, ("SIG-ALTERED",)),
    "XAdES, attribute added to the signed whole": Case(lambda: edit(sign_xml(), attributed), BAD, ("SIG-ALTERED",)),
    "XAdES, certificate of somebody else": Case(lambda: edit(sign_xml(), other_certificate), BAD, ("SIG-CRYPTO",)),
    "XAdES, digest method changed": Case(
        lambda: edit(sign_xml(), changed_attribute("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha512")),
        BAD,
        ("SIG-CRYPTO",),
    ),
    "XAdES, reference removed": Case(lambda: edit(sign_xml(), one_reference_removed), BAD),
    # wrapped
    "part wrapped, forgery of the same name": Case(lambda: edit(invoice(), wrapped_beside), BAD, ("SIG-XML-WRAPPED",)),
    "part wrapped into the signature": Case(
        lambda: edit(invoice(plain=True, form=EXCLUSIVE), wrapped_in_signature), BAD, ("SIG-XML-WRAPPED",)
    ),
    "part wrapped into the signature, forgery of another name": Case(
        lambda: edit(invoice(plain=True, form=EXCLUSIVE), wrapped_under_another_name), BAD, ("SIG-XML-WRAPPED",)
    ),
    "plain part wrapped": Case(lambda: edit(invoice(plain=True), wrapped_beside), BAD, ("SIG-XML-WRAPPED",)),
    "two elements of one identifier": Case(lambda: edit(invoice(), same_identifier), BAD, ("SIG-XML-WRAPPED",)),
    "two elements of one identifier in attributes of two names": Case(
        lambda: edit(invoice(), same_identifier_by_another_attribute), BAD, ("SIG-XML-WRAPPED",)
    ),
    "signed whole put into another document": Case(lambda: edit(sign_xml(), moved_whole), BAD),
    "identifier removed": Case(lambda: edit(invoice(), identifier_removed), BAD, ("SIG-COVERAGE",)),
    # not all is signed
    "element beside the signed part": Case(lambda: edit(invoice(), added), OPEN, ("SIG-XML-PARTLY",)),
    "empty element beside the signed part": Case(lambda: edit(invoice(), emptied), OPEN, ("SIG-XML-PARTLY",)),
    "empty place beside the signature": Case(lambda: edit(invoice(plain=True, form=EXCLUSIVE), place_added), NOTES),
    "schema named beside the signed part": Case(lambda: edit(invoice(plain=True, form=EXCLUSIVE), schema_named), NOTES),
    "type changed beside the signed part": Case(
        lambda: edit(invoice(plain=True, form=EXCLUSIVE), retyped), OPEN, ("SIG-XML-PARTLY",)
    ),
    "words beside the signed part": Case(lambda: edit(invoice(), spoken), OPEN, ("SIG-XML-PARTLY",)),
    "attribute beside the signed part": Case(lambda: edit(invoice(), attributed), OPEN, ("SIG-XML-PARTLY",)),
    "words added to the signature": Case(lambda: edit(invoice(), object_added), OPEN, ("SIG-XML-PARTLY",)),
    # not understood
    "XSLT": Case(lambda: edit(sign_xml(), changed_transform(XSLT)), OPEN, ("SIG-XML-NOT-UNDERSTOOD",)),
    "XPath": Case(lambda: edit(sign_xml(), changed_transform(XPATH)), OPEN, ("SIG-XML-NOT-UNDERSTOOD",)),
    "reference to the network": Case(
        lambda: edit(sign_xml(), changed_reference("http://127.0.0.1:9/a.xml")), OPEN, ("SIG-XML-NOT-UNDERSTOOD",)
    ),
    "reference to a file": Case(
        lambda: edit(sign_xml(), changed_reference("file:///etc/passwd")), OPEN, ("SIG-XML-NOT-UNDERSTOOD",)
    ),
    "reference to nothing named": Case(
        lambda: edit(sign_xml(), changed_reference(None)), OPEN, ("SIG-XML-NOT-UNDERSTOOD",)
    ),
    "XPointer": Case(lambda: edit(sign_xml(), changed_reference("#xpointer(/)")), OPEN, ("SIG-XML-NOT-UNDERSTOOD",)),
    "HMAC": Case(
        lambda: edit(sign_xml(), changed_attribute("SignatureMethod", f"{DS}hmac-sha1")),
        OPEN,
        ("SIG-XML-NOT-UNDERSTOOD",),
    ),
    "unknown method": Case(
        lambda: edit(sign_xml(), changed_attribute("SignatureMethod", "urn:khong-biet")),
        OPEN,
        ("SIG-XML-NOT-UNDERSTOOD",),
    ),
    "no certificate": Case(lambda: edit(sign_xml(plain=True), removed("X509Data")), OPEN, ("SIG-NO-CERTIFICATE",)),
    # bounds and trouble
    "too many references": Case(lambda: edit(sign_xml(), many("Reference", 30)), UNREADABLE, ("SIG-MALFORMED",)),
    "too many transforms": Case(lambda: edit(sign_xml(), many("Transform", 30)), UNREADABLE, ("SIG-MALFORMED",)),
    "too many certificates": Case(
        lambda: edit(sign_xml(), many("X509Certificate", 30)), UNREADABLE, ("SIG-MALFORMED",)
    ),
    "no value": Case(lambda: edit(sign_xml(), removed("SignatureValue")), UNREADABLE, ("SIG-MALFORMED",)),
    "no method": Case(lambda: edit(sign_xml(), removed("SignatureMethod")), UNREADABLE, ("SIG-MALFORMED",)),
    "no signed info": Case(lambda: edit(sign_xml(), removed("SignedInfo")), UNREADABLE, ("SIG-MALFORMED",)),
    "too many signatures": Case(
        lambda: f'<a xmlns="{DS}">{"<Signature/>" * 101}</a>'.encode(), UNREADABLE, ("SIG-TOO-MANY",)
    ),
    "empty signature": Case(lambda: f'<a xmlns="{DS}"><Signature/></a>'.encode(), UNREADABLE, ("SIG-MALFORMED",)),
    "DOCTYPE and entities": Case(lambda: BOMB, UNREADABLE, ("SIG-FILE-UNREADABLE",), name="a.xml"),
    "nested a thousand deep": Case(
        lambda: f'<a xmlns="{DS}">{"<a>" * 1000}{"</a>" * 1000}</a>'.encode(),
        UNREADABLE,
        ("SIG-FILE-UNREADABLE",),
        name="a.xml",
    ),
    "cut short": Case(lambda: sign_xml()[:-200], UNREADABLE, ("SIG-FILE-UNREADABLE",)),
    "too large": Case(
        lambda: f'<a xmlns="{DS}">'.encode() + b" " * LARGEST_XML, UNREADABLE, ("SIG-FILE-TOO-LARGE",), name="a.xml"
    ),
    "XML without signature": Case(DECREE.encode, None),
    "XML that tells of signatures": Case(lambda: f"<a>{DS}</a>".encode(), None),
    "HTML that tells of signatures": Case(lambda: f"<html><br>{DS}</html>".encode(), None),
    # who and when
    "XAdES, another root is trusted": Case(
        sign_xml, OPEN, ("SIG-NO-CHAIN",), store=lambda: authority().store(roots=("evil",))
    ),
    "XAdES by an authority of somebody's own": Case(
        lambda: sign_xml(DECREE, "evil-signer", embed=("evil",)), OPEN, ("SIG-NO-CHAIN",)
    ),
    "XAdES, intermediate missing": Case(lambda: sign_xml(embed=()), OPEN, ("SIG-NO-CHAIN",)),
    "XAdES, no revocation answers": Case(
        sign_xml, OPEN, ("SIG-REVOCATION-UNKNOWN",), store=lambda: authority().store(crls=[])
    ),
    "XAdES, certificate not for signing": Case(lambda: sign_xml(DECREE, "no-usage"), OPEN),
    "XAdES, expired": Case(
        lambda: sign_xml(DECREE, "expired", claimed=NOW - 60 * DAY), OPEN, ("SIG-EXPIRED-NO-PROOF",)
    ),
    "XAdES, expired, timestamp before": Case(
        lambda: sign_xml(DECREE, "expired", stamp=NOW - 60 * DAY, claimed=NOW - 60 * DAY),
        VALID,
        store=listed_before_the_end,
        exactly=True,
    ),
    "XAdES, expired, timestamp after": Case(
        lambda: sign_xml(DECREE, "expired", stamp=NOW - 10 * DAY, claimed=NOW - 10 * DAY),
        BAD,
        ("SIG-TIMESTAMP-AFTER-EXPIRY",),
    ),
    "XAdES, timestamp from the future": Case(lambda: sign_xml(stamp=NOW + 30 * DAY), BAD, ("SIG-TIMESTAMP-IN-FUTURE",)),
    "XAdES, timestamp of another signature": Case(
        lambda: stamped_by_other(sign_xml(stamp=NOW - HOUR)), BAD, ("SIG-TIMESTAMP-ALTERED",)
    ),
    "XAdES, timestamp by an authority that is not trusted": Case(
        lambda: sign_xml(stamp=NOW - HOUR, tsa="tsa-evil"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",)
    ),
    "XAdES, certificate not yet valid": Case(lambda: sign_xml(DECREE, "future"), BAD, ("SIG-NOT-YET-VALID",)),
    "XAdES, revoked": Case(lambda: sign_xml(DECREE, "revoked"), BAD, ("SIG-REVOKED",)),
    "XAdES, revoked after the timestamp": Case(
        lambda: sign_xml(DECREE, "revoked", stamp=NOW - 20 * DAY, claimed=NOW - 20 * DAY), VALID
    ),
    "XAdES, revoked before the timestamp": Case(
        lambda: sign_xml(DECREE, "revoked", stamp=NOW - DAY), BAD, ("SIG-REVOKED",)
    ),
    "XAdES, revoked, claims to be earlier": Case(
        lambda: sign_xml(DECREE, "revoked", claimed=NOW - 20 * DAY), OPEN, ("SIG-REVOKED-NO-PROOF",)
    ),
    "XAdES, SHA-1": Case(lambda: sign_xml(digest="sha1"), OPEN, ("SIG-WEAK-ALGORITHM",)),
    "XAdES, SHA-1, timestamp from before the day": Case(
        lambda: sign_xml(DECREE, "old", digest="sha1", stamp=OLD, claimed=OLD), NOTES, ("SIG-SHA1-LEGACY",)
    ),
    "XAdES, RSA of 1024 bits": Case(lambda: sign_xml(DECREE, "weak-rsa"), OPEN, ("SIG-WEAK-ALGORITHM",)),
    "XAdES of two signers, one unknown": Case(
        lambda: sign_xml(invoice(), "evil-signer", part="data", into="NMua", embed=("evil",)), OPEN, ("SIG-NO-CHAIN",)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_verdict(name: str) -> None:
    judge(CASES[name])


def test_facts_of_xml() -> None:
    (verdict,) = ask(invoice(stamp=NOW - HOUR), authority().store()).verdicts
    assert set(verdict.facts) <= set(FACTS)
    facts = verdict.facts
    assert (facts["format"], facts["level"], facts["coverage"]) == ("XAdES", "B-T", "ALL_CONTENT")
    assert (facts["signed_content"], facts["signature_algorithm"]) == ("DLHDon#data", "ECDSA-SHA256")
    assert facts["claimed_time"] == "2026-06-15T07:00:00Z"
    plain = ask(sign_xml(plain=True), authority().store()).verdicts[0].facts
    assert (plain["format"], plain["coverage"], plain["signed_content"]) == ("XML-DSig", "WHOLE_DOCUMENT", "VanBan")
    assert "claimed_time" not in plain


def test_a_time_that_is_signed_without_xades_is_what_the_signer_claims() -> None:
    signed = invoice(plain=True, signing_time="2026-06-15T14:30:00+07:00")
    (verdict,) = ask(signed, authority().store()).verdicts
    assert verdict.outcome is NOTES
    assert verdict.facts["claimed_time"] == "2026-06-15T07:30:00Z"
    assert ask(signed.replace(b"T14:30", b"T13:30"), authority().store()).outcome is BAD


@pytest.mark.parametrize("stamped", [False, True])
def test_ten_years_later_kept_evidence_decides(stamped: bool) -> None:
    document = sign_xml(stamp=NOW - HOUR if stamped else None)
    first = ask(document, authority().store())
    assert first.outcome is VALID
    later = NOW + timedelta(days=3653)
    store = authority().store(crls=[])
    assert ask(document, store, later).outcome is OPEN
    with_it = ask(document, store, later, evidence=first.evidence)
    assert with_it.outcome is VALID
    assert "SIG-BY-EVIDENCE" in codes_of(with_it)
    assert ask(document.replace(b"30/2020", b"31/2020"), store, later, evidence=first.evidence).outcome is OPEN
