"""The validation report of ETSI TS 119 102-2: what it says is what the verdict says."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from preservation.signatures.port import LARGEST_REPORT, SignatureReport
from preservation.signatures.report import DS, REASON, VR
from tests.builders.signature_deeds import CONTENT, two
from tests.builders.signatures import NOW, archival, authority, cades, forge_page, pdf, sign
from tests.builders.xml_signatures import sign_xml
from tests.preservation.signature_cases import ask

HOUR = timedelta(hours=1)


def told(report: SignatureReport, name: str) -> list[str]:
    return [one.text or "" for one in etree.fromstring(report.report).iter(f"{{{VR}}}{name}")]


@pytest.mark.parametrize(
    ("document", "content", "word"),
    [
        (archival, None, "total-passed"),
        (lambda: sign(pdf(), stamp=NOW - HOUR, claimed=NOW + 6 * HOUR), None, "total-passed"),
        (lambda: forge_page(archival()), None, "total-failed"),
        (lambda: sign(pdf(), "expired"), None, "indeterminate"),
        (lambda: cades(CONTENT), CONTENT, "total-passed"),
        (lambda: cades(CONTENT), CONTENT + b"x", "total-failed"),
        (sign_xml, None, "total-passed"),
        (lambda: sign_xml().replace(b"30/2020", b"31/2020"), None, "total-failed"),
    ],
)
def test_the_main_indication_is_the_verdict(document: object, content: bytes | None, word: str) -> None:
    report = ask(document(), authority().store(), content=content)  # type: ignore[operator]
    assert told(report, "MainIndication")[0] == f"urn:etsi:019102:mainindication:{word}"


def test_what_the_standard_has_no_word_for_is_told_beside() -> None:
    report = ask(forge_page(archival()), authority().store())
    assert f"{REASON}SIG-MODIFIED-AFTER" in told(report, "SubIndication")
    altered = ask(cades(CONTENT), authority().store(), content=b"x")
    assert "urn:etsi:019102:subindication:HASH_FAILURE" in told(altered, "SubIndication")
    assert told(ask(sign(pdf()), authority().store()), "SubIndication") == []


def test_it_names_signer_times_and_what_it_rests_on() -> None:
    store = authority().store()
    report = ask(sign(pdf(), stamp=NOW - HOUR), store)
    assert told(report, "POETime") == ["2026-06-15T07:00:00Z"]
    assert told(report, "ValidationTime") == ["2026-06-15T08:00:00Z"]
    assert told(report, "Signer") == ["Common Name: Signer, Country: VN"]
    root = etree.fromstring(report.report)
    named = {str(one.get("id")) for one in root.iter(f"{{{VR}}}ValidationObject")}
    assert {str(one.get("VOReference")) for one in root.iter(f"{{{VR}}}SignerCertificate")} <= named
    held = {digest for kind in report.evidence["objects"].values() for digest in kind}
    assert named == {f"O-{digest}" for digest in held}
    digests = [base64.b64decode(one.text or "").hex() for one in root.iter(f"{{{DS}}}DigestValue")]
    assert digests[0] == report.evidence["digests"]["file"]


def test_two_signatures_have_two_parts_in_their_order() -> None:
    report = ask(two(), authority().store())
    assert told(report, "Signer") == ["Common Name: Signer, Country: VN", "Common Name: Second signer, Country: VN"]


def test_it_crosses_the_border_and_is_bounded() -> None:
    report = ask(sign(pdf()), authority().store())
    assert SignatureReport.of_fields(report.fields()) == SignatureReport.of_fields(report.fields())
    assert SignatureReport.of_fields(report.fields()).report == report.report
    with pytest.raises(ValueError, match="too large"):
        SignatureReport.of_fields(replace(report, report=b" " * (LARGEST_REPORT + 1)).fields())


def test_an_unsigned_file_has_none() -> None:
    assert ask(pdf(), authority().store()).report == b""
