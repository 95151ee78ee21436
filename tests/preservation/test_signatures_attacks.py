"""Attacks on signed files that have names: none is ever called valid. And what kept evidence can and cannot save."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from pyhanko.sign.fields import MDPPerm

from metadata.outcomes import SignatureOutcome as Is
from tests.builders.pdf_attacks import (
    changed_in_signature,
    cover_emptied,
    cover_freed,
    overlaid,
    ranges_of,
    resigned,
    saved,
    shown_the_other,
    two_catalogs,
    uncovered,
    with_ranges,
    wrapped,
)
from tests.builders.signature_deeds import (
    CONTENT,
    HOUR,
    annotated,
    both_signers,
    field_added,
    filled,
    listed_before_the_end,
    new_contents,
    new_font,
    signature_drawn_over,
    two,
    with_attribute,
)
from tests.builders.signatures import (
    DAY,
    NOW,
    add_dss,
    archival,
    authority,
    cades,
    crl_of,
    forge_page,
    ocsp_of,
    pdf,
    sign,
)
from tests.builders.xml_signatures import sign_xml
from tests.preservation.signature_cases import BAD, NOTES, OPEN, UNREADABLE, VALID, Case, ask, codes_of, judge

SIGNED = lambda: sign(pdf())  # noqa: E731 - a maker, as the others are

RANGES: dict[str, Callable[[list[int]], list[int]]] = {
    "overlapping": lambda n: [0, n[1], n[1] - 10, n[3]],
    "gap begins before the signature": lambda n: [0, n[1] - 50, n[2], n[3]],
    "gap ends after the signature": lambda n: [0, n[1], n[2] + 20, n[3] - 20],
    "ends early": lambda n: [0, n[1], n[2], n[3] - 40],
    "ends behind the file": lambda n: [0, n[1], n[2], n[3] + 100],
    "begins late": lambda n: [1, n[1] - 1, n[2], n[3]],
    "parts changed round": lambda n: [n[2], n[3], 0, n[1]],
    "three numbers": lambda n: n[:3],
    "two numbers": lambda n: n[:2],
    "no numbers": lambda _: [],
    "zeros": lambda _: [0, 0, 0, 0],
    "negative size": lambda n: [0, n[1], n[2], -5],
    "negative first size": lambda n: [0, -5, n[2], n[3]],
    "negative place": lambda n: [0, n[1], -99, n[3]],
}

ENTRIES = {
    "no range": (b"/ByteRange", b"/ByteStuff"),
    "range is null": (b"/ByteRange [", b"/ByteRange null/A ["),
    "range is text": (b"/ByteRange [", b"/ByteRange (0)/A ["),
    "no contents": (b"/Contents", b"/Kontents"),
    "contents are null": (b"/Contents <", b"/Contents null/A <"),
    "contents are empty": (b"/Contents <", b"/Contents <>/A <"),
    "contents are a zero": (b"/Contents <", b"/Contents 0/A <"),
    "contents are one byte": (b"/Contents <", b"/Contents <00>/A <"),
    "no filter": (b"/SubFilter", b"/SubFalter"),
    "other filter": (b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1"),
}

PDFS: dict[str, Case] = {
    **{
        f"odd range, signed so: {name}": Case(lambda ranged=ranged: resigned(SIGNED(), ranged), None)
        for name, ranged in RANGES.items()
        if "place" not in name and "first" not in name
    },
    **{
        f"signature copied, {how}": Case(lambda how=how: saved(SIGNED(), how), None)
        for how in ("whole", "without table", "without trailer", "body alone", "signature copied")
    },
    "saved after an archival timestamp": Case(lambda: saved(archival(), "body alone"), BAD, ("SIG-MODIFIED-AFTER",)),
    "another PDF appended": Case(lambda: SIGNED() + pdf(2), None),
    "junk appended": Case(lambda: SIGNED() + b"\nkhong phai loi chu\n", BAD, ("SIG-MODIFIED-AFTER",)),
    "long comment appended": Case(lambda: SIGNED() + b"%" * 100_000, None),
    "zeros appended": Case(lambda: SIGNED() + bytes(500), NOTES, ("SIG-BYTES-AFTER",)),
    "signature wrapping": Case(lambda: wrapped(SIGNED()), BAD, ("SIG-COVERAGE",)),
    "signature wrapping, B-T": Case(lambda: wrapped(sign(pdf(), stamp=NOW - HOUR)), BAD, ("SIG-COVERAGE",)),
    "shadow, hide: before": Case(lambda: sign(overlaid()), VALID, exactly=True),
    "shadow, hide: page without the cover": Case(lambda: uncovered(sign(overlaid())), BAD, ("SIG-MODIFIED-AFTER",)),
    "shadow, hide: cover emptied": Case(lambda: cover_emptied(sign(overlaid())), BAD, ("SIG-MODIFIED-AFTER",)),
    "shadow, hide: cover freed": Case(lambda: cover_freed(sign(overlaid())), BAD, ("SIG-MODIFIED-AFTER",)),
    "shadow, replace: font": Case(lambda: new_font(SIGNED()), BAD, ("SIG-MODIFIED-AFTER",)),
    "shadow, replace: page": Case(lambda: new_contents(SIGNED()), BAD, ("SIG-MODIFIED-AFTER",)),
    "shadow, hide and replace: before": Case(lambda: sign(two_catalogs()), VALID, exactly=True),
    "shadow, hide and replace": Case(lambda: shown_the_other(sign(two_catalogs()), 8), OPEN, ("SIG-REMOVED",)),
    "shadow, hide and replace, after B-T": Case(
        lambda: shown_the_other(sign(two_catalogs(), stamp=NOW - HOUR), 8), OPEN, ("SIG-REMOVED",)
    ),
    "evil annotation on a certification that permits them": Case(
        lambda: annotated(sign(pdf(), permit=MDPPerm.ANNOTATE)), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    "evil annotation on a certification": Case(lambda: annotated(sign(pdf(), permit=MDPPerm.FILL_FORMS)), BAD),
    "sneaky signature on a certification": Case(
        lambda: field_added(drawn=True)(sign(pdf(), permit=MDPPerm.FILL_FORMS)), BAD
    ),
    "sneaky signature on a certification of no changes": Case(
        lambda: field_added(drawn=False)(sign(pdf(), permit=MDPPerm.NO_CHANGES)), BAD
    ),
    "signature drawn over, B-LTA": Case(lambda: signature_drawn_over(archival()), BAD),
    "form filled twice": Case(lambda: filled(filled(sign(pdf(form=True))), "C"), NOTES, ("SIG-FORM-FILLED",)),
    "form filled, then signed again": Case(
        lambda: sign(filled(sign(pdf(form=True), permit=MDPPerm.FILL_FORMS)), "second", name="Sig2"),
        NOTES,
        ("SIG-FORM-FILLED",),
    ),
    "two signers, the first is revoked": Case(
        lambda: sign(sign(pdf(), "revoked"), "second", name="Sig2"), BAD, ("SIG-REVOKED",)
    ),
    "two signers, page overlaid at the end": Case(lambda: forge_page(two()), BAD, ("SIG-MODIFIED-AFTER",)),
}

CMS: dict[str, Case] = {
    **{
        f"p7s, bit {place} of its last bytes": Case(
            lambda place=place: (data := cades(CONTENT))[:-place] + bytes([data[-place] ^ 1]) + data[-place + 1 :],
            BAD,
            content=CONTENT,
        )
        for place in (2, 5, 9, 14)
    },
    "p7s of other content of the same length": Case(
        lambda: cades(CONTENT), BAD, ("SIG-ALTERED",), content=CONTENT[::-1]
    ),
    "p7s, archive timestamp": Case(
        lambda: with_attribute(cades(CONTENT, stamp=NOW - HOUR), "0.4.0.1733.2.4"),
        NOTES,
        ("SIG-ARCHIVE-TIMESTAMP",),
        content=CONTENT,
    ),
    "p7s, older archive timestamp": Case(
        lambda: with_attribute(cades(CONTENT), "1.2.840.113549.1.9.16.2.48"),
        NOTES,
        ("SIG-ARCHIVE-TIMESTAMP",),
        content=CONTENT,
    ),
    "p7s, archive timestamp saves no alteration": Case(
        lambda: with_attribute(cades(CONTENT), "0.4.0.1733.2.4"), BAD, ("SIG-ALTERED",), content=CONTENT + b"x"
    ),
    "p7s, unknown attribute": Case(lambda: with_attribute(cades(CONTENT), "1.2.3.4.5"), VALID, content=CONTENT),
    "p7s, timestamp from the future": Case(
        lambda: cades(CONTENT, stamp=NOW + 30 * DAY), BAD, ("SIG-TIMESTAMP-IN-FUTURE",), content=CONTENT
    ),
    "p7s, timestamp by an authority that is not trusted": Case(
        lambda: cades(CONTENT, stamp=NOW - HOUR, tsa="tsa-evil"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",), content=CONTENT
    ),
    "p7s, revoked after the timestamp": Case(
        lambda: cades(CONTENT, "revoked", stamp=NOW - 20 * DAY, claimed=NOW - 20 * DAY), VALID, content=CONTENT
    ),
    "p7s, revoked before the timestamp": Case(
        lambda: cades(CONTENT, "revoked", stamp=NOW - DAY), BAD, ("SIG-REVOKED",), content=CONTENT
    ),
    "p7s, intermediate missing": Case(lambda: cades(CONTENT, embed=()), OPEN, ("SIG-NO-CHAIN",), content=CONTENT),
    "p7s, self-signed": Case(
        lambda: cades(CONTENT, "self-signed", embed=()), BAD, ("SIG-SELF-SIGNED",), content=CONTENT
    ),
    "p7s, signer of an authority of somebody's own": Case(
        lambda: cades(CONTENT, "evil-signer", embed=("evil",)), OPEN, ("SIG-NO-CHAIN",), content=CONTENT
    ),
    "p7s, RSA of 1024 bits": Case(lambda: cades(CONTENT, "weak-rsa"), OPEN, ("SIG-WEAK-ALGORITHM",), content=CONTENT),
    "p7s, not yet valid": Case(lambda: cades(CONTENT, "future"), BAD, ("SIG-NOT-YET-VALID",), content=CONTENT),
    "p7s of two signers, content altered": Case(
        lambda: both_signers(CONTENT), BAD, ("SIG-ALTERED",), content=CONTENT + b"x"
    ),
    "p7m, the content inside altered": Case(
        lambda: cades(CONTENT, detached=False).replace(b"cong van", b"cong vam", 1), BAD, ("SIG-ALTERED",)
    ),
}


@pytest.mark.parametrize("name", {**PDFS, **CMS})
def test_attack(name: str) -> None:
    case = {**PDFS, **CMS}[name]
    if case.outcome is None:
        report = ask(case.make(), case.store(), case.at, case.content)
        assert report.outcome in (BAD, UNREADABLE), codes_of(report)
        return
    judge(case)


def beside(change: Callable[[bytes], bytes]) -> bytes:
    """Two signatures, the second of which is changed."""
    document = sign(SIGNED(), "second", name="Sig2")
    place = document.rindex(b"/ByteRange")
    start = document.rindex(b" 0 obj", 0, place)
    end = document.index(b"endobj", place)
    part = change(document[start:end])
    assert len(part) == end - start
    return document[:start] + part + document[end:]


def emptied(part: bytes) -> bytes:
    start = part.index(b"/Contents <") + 11
    end = part.index(b">", start)
    return part[:start] + b"0" * (end - start) + part[end:]


@pytest.mark.parametrize(
    ("change", "outcome", "code"),
    [
        (lambda part: part.replace(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1    "), OPEN, "SIG-NOT-JUDGED"),
        (lambda part: part.replace(b"/ETSI.CAdES.detached", b"/khong.biet         "), OPEN, "SIG-NOT-JUDGED"),
        (lambda part: part.replace(b"/SubFilter", b"/SubFalter"), OPEN, "SIG-NOT-JUDGED"),
        (emptied, UNREADABLE, "SIG-MALFORMED"),
    ],
)
def test_a_signature_that_cannot_be_judged_is_not_passed_over(
    change: Callable[[bytes], bytes], outcome: Is, code: str
) -> None:
    """And does not take the verdict on the other one away."""
    report = ask(beside(change), authority().store())
    assert report.outcome is outcome
    first, second = report.verdicts
    assert (first.name, first.outcome) == ("Sig1", VALID)
    assert (second.name, [one.code for one in second.reasons]) == ("Sig2", [code])
    assert report.evidence["signatures"][0]["outcome"] == "VALID"


def test_a_single_signature_of_an_unknown_kind_is_not_called_removed() -> None:
    report = ask(changed_in_signature(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1"), authority().store())
    assert codes_of(report) == {"SIG-NOT-JUDGED"}


@pytest.mark.parametrize("name", RANGES)
def test_odd_range_of_a_signature_that_was_not_made_for_it(name: str) -> None:
    document = SIGNED()
    ranges = RANGES[name](ranges_of(document))
    assert ask(with_ranges(document, ranges), authority().store()).outcome in (BAD, UNREADABLE)


@pytest.mark.parametrize("name", ENTRIES)
def test_universal_forgery(name: str) -> None:
    old, new = ENTRIES[name]
    report = ask(changed_in_signature(old, new), authority().store())
    assert report.outcome in (BAD, UNREADABLE, OPEN), codes_of(report)


# Evidence

KINDS: dict[str, tuple[Callable[[], bytes], bytes | None]] = {
    "PDF": (SIGNED, None),
    "PDF with timestamp": (lambda: sign(pdf(), stamp=NOW - HOUR), None),
    "p7s": (lambda: cades(CONTENT), CONTENT),
    "p7s with timestamp": (lambda: cades(CONTENT, stamp=NOW - HOUR), CONTENT),
    "XML": (sign_xml, None),
    "XML with timestamp": (lambda: sign_xml(stamp=NOW - HOUR), None),
}
LATER = NOW + timedelta(days=3653)


def nothing() -> Any:
    """The roots alone."""
    return authority().store(crls=[])


def kept(kind: str) -> tuple[bytes, bytes | None, Mapping[str, Any]]:
    make, content = KINDS[kind]
    document = make()
    first = ask(document, authority().store(), content=content)
    assert first.outcome is VALID
    return document, content, first.evidence


def changed(evidence: Mapping[str, Any], kind: str, act: Callable[[dict[str, str]], None]) -> Mapping[str, Any]:
    objects = {name: dict(held) for name, held in evidence["objects"].items()}
    act(objects[kind])
    return {**evidence, "objects": objects}


@pytest.mark.parametrize("kind", KINDS)
def test_ten_years_later_with_kept_evidence_only(kind: str) -> None:
    document, content, evidence = kept(kind)
    assert ask(document, nothing(), LATER, content).outcome is OPEN
    report = ask(document, nothing(), LATER, content, evidence=evidence)
    assert report.outcome is VALID, codes_of(report)
    assert report.verdicts[0].facts["evidence_time"] == "2026-06-15T08:00:00Z"


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_of_whose_lists_some_are_gone_or_false_saves_nothing(kind: str) -> None:
    document, content, evidence = kept(kind)
    gone = changed(evidence, "crls", lambda held: held.clear())
    assert ask(document, nothing(), LATER, content, evidence=gone).outcome is OPEN

    def forged(held: dict[str, str]) -> None:
        held.clear()
        for der in (crl_of(authority()["evil"]), crl_of(authority()["root"], NOW + 9 * DAY, NOW + 20 * DAY)):
            held[hashlib.sha256(der).hexdigest()] = base64.b64encode(der).decode()

    assert ask(document, nothing(), LATER, content, evidence=changed(evidence, "crls", forged)).outcome is OPEN


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ["certificates", "crls"])
def test_evidence_with_a_changed_byte_is_not_used(kind: str, part: str) -> None:
    document, content, evidence = kept(kind)

    def flipped(held: dict[str, str]) -> None:
        digest = next(iter(held))
        data = bytearray(base64.b64decode(held[digest]))
        data[-1] ^= 1
        held[digest] = base64.b64encode(data).decode()

    report = ask(document, nothing(), LATER, content, evidence=changed(evidence, part, flipped))
    assert report.outcome is UNREADABLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "khác"},
        {"proof_of_existence": "hôm qua"},
        {"proof_of_existence": "2026-06-15T08:00:00"},
        {"digests": {}},
        {"objects": {}},
        {"objects": {"certificates": [], "crls": [], "ocsps": []}},
    ],
)
def test_what_is_no_evidence_is_not_taken_for_it(wrong: Mapping[str, Any]) -> None:
    document, content, evidence = kept("p7s")
    report = ask(document, nothing(), LATER, content, evidence={**evidence, **wrong})
    assert report.outcome in (Is.UNREADABLE, Is.INDETERMINATE)


def test_evidence_of_a_root_that_is_not_trusted_any_more_saves_nothing() -> None:
    document, content, evidence = kept("p7s")
    store = authority().store(roots=("evil",), crls=[])
    assert ask(document, store, LATER, content, evidence=evidence).outcome is OPEN


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("revoked", "outcome"), [(None, VALID), (NOW + 2 * DAY, VALID), (NOW - 2 * DAY, BAD)], ids=["no", "later", "before"]
)
def test_lists_that_come_after_the_evidence_complete_it(kind: str, revoked: datetime | None, outcome: Is) -> None:
    """At ingest nothing was known of revocation; a list of the next week says who was revoked when."""
    make, content = KINDS[kind]
    document, people = make(), authority()
    first = ask(document, nothing(), content=content)
    assert first.outcome is OPEN
    gone = {} if revoked is None else {people["signer"].certificate.serial_number: revoked}
    week = (NOW + 7 * DAY, NOW + 14 * DAY)
    lists = [crl_of(people[name], *week) for name in ("root", "tsa-root")] + [crl_of(people["inter"], *week, gone)]
    report = ask(document, people.store(crls=lists), LATER, content, evidence=first.evidence)
    assert report.outcome is outcome, codes_of(report)


def test_evidence_by_answers_instead_of_lists() -> None:
    people = authority()
    answer = ocsp_of(people["signer"], people["inter"], NOW - HOUR, NOW + DAY)
    store = people.store(crls=[crl_of(people["root"]), crl_of(people["tsa-root"])], ocsps=[answer])
    document = sign(pdf(), stamp=NOW - HOUR)
    first = ask(document, store)
    assert first.outcome is VALID
    assert len(first.evidence["objects"]["ocsps"]) == 1
    assert ask(document, nothing(), LATER, evidence=first.evidence).outcome is VALID


def test_evidence_of_a_signature_with_its_own_answers() -> None:
    document = add_dss(sign(pdf(), "expired", stamp=NOW - 60 * DAY), authority().crls(NOW - 61 * DAY, NOW - 50 * DAY))
    first = ask(document, listed_before_the_end())
    assert first.outcome is VALID
    assert ask(document, nothing(), LATER, evidence=first.evidence).outcome is VALID
