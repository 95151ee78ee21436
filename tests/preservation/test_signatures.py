"""What each kind of signed file must be called. Every case is made by the tests' own authority, wrong in one thing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyhanko.sign.fields import MDPPerm

from metadata.outcomes import SignatureOutcome as Is
from preservation.signatures.facts import FACTS, iso
from preservation.signatures.outcomes import reason_codes
from preservation.signatures.trust import TrustStore
from tests.builders.signature_deeds import (
    CONTENT,
    HOUR,
    OLD,
    annotated,
    answers,
    as_pem,
    authority_revoked,
    backdated,
    both_signers,
    cms_bit,
    contents_of,
    cropped,
    dictionary,
    encrypted,
    field_added,
    filled,
    in_root,
    listed_before_the_end,
    new_contents,
    new_font,
    no_lists,
    no_range,
    other_chain,
    other_stamps_revoked,
    page_removed,
    renewed,
    revoked_then_expired,
    rotated,
    same_stream_rewritten,
    script,
    short_range,
    signature_drawn_over,
    signature_removed,
    signature_replaced,
    stamps_revoked,
    swapped_token,
    two,
    two_stamps,
    with_contents,
    with_token,
)
from tests.builders.signatures import (
    DAY,
    NOW,
    add_dss,
    add_timestamp,
    archival,
    authority,
    cades,
    crl_of,
    day,
    flip,
    forge_page,
    ocsp_of,
    pdf,
    sign,
)
from tests.preservation.signature_cases import BAD, NOTES, OPEN, UNREADABLE, VALID, Case, ask, codes_of, judge

LONG = timedelta(days=3653)


CASES: dict[str, Case] = {
    # what is in order
    "unsigned": Case(pdf, None),
    "B-B": Case(lambda: sign(pdf()), VALID, exactly=True),
    "B-T": Case(lambda: sign(pdf(), stamp=NOW - HOUR), VALID, exactly=True),
    "B-LT": Case(lambda: add_dss(sign(pdf(), stamp=NOW - HOUR), authority().crls()), VALID, store=no_lists),
    "B-LTA": Case(archival, VALID, exactly=True),
    "B-LTA without answers in the store": Case(archival, VALID, store=no_lists),
    "RSA": Case(lambda: sign(pdf(), "rsa"), VALID, exactly=True),
    "Adobe's older kind of signature": Case(lambda: sign(pdf(), stamp=NOW - HOUR, adobe=True), VALID, exactly=True),
    "many pages": Case(lambda: sign(pdf(30)), VALID, exactly=True),
    "two signers": Case(two, VALID, exactly=True),
    "second signature after an archival one": Case(lambda: sign(archival(), "second", name="Sig2"), VALID),
    "certification": Case(lambda: sign(pdf(), permit=MDPPerm.NO_CHANGES), VALID, exactly=True),
    "certification and archival updates": Case(lambda: archival(permit=MDPPerm.NO_CHANGES), VALID, exactly=True),
    "certification that permits a second signature": Case(lambda: two(MDPPerm.FILL_FORMS), VALID, exactly=True),
    "certification that permits the form to be filled": Case(
        lambda: filled(sign(pdf(form=True), permit=MDPPerm.FILL_FORMS)), NOTES, ("SIG-FORM-FILLED",)
    ),
    "form filled after signing": Case(lambda: filled(sign(pdf(form=True))), NOTES, ("SIG-FORM-FILLED",)),
    "comment after the end": Case(lambda: sign(pdf()) + b"% cuoi tep\n", NOTES, ("SIG-BYTES-AFTER",)),
    "OCSP says good": Case(lambda: sign(pdf()), VALID, store=answers()),
    "intermediate from the store": Case(
        lambda: sign(pdf(), embed=()),
        VALID,
        ("SIG-INTERMEDIATE-FROM-STORE",),
        store=lambda: authority().store(pinned=("inter",)),
    ),
    "local time written as UTC": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR, claimed=NOW + 6 * HOUR), NOTES, ("SIG-LOCAL-TIME",), exactly=True
    ),
    "claimed time later than the timestamp": Case(
        lambda: sign(pdf(), stamp=NOW - 40 * HOUR, claimed=NOW - 2 * HOUR), NOTES, ("SIG-CLAIMED-TIME-LATER",)
    ),
    # dates of certificates and timestamps
    "expired, no timestamp": Case(
        lambda: sign(pdf(), "expired", claimed=NOW - 60 * DAY), OPEN, ("SIG-EXPIRED-NO-PROOF",)
    ),
    "expired, timestamp before": Case(
        lambda: sign(pdf(), "expired", stamp=NOW - 60 * DAY), VALID, exactly=True, store=listed_before_the_end
    ),
    "expired, timestamp before, lists from after": Case(
        lambda: sign(pdf(), "expired", stamp=NOW - 60 * DAY), VALID, ("SIG-REVOCATION-AFTER-EXPIRY",)
    ),
    "expired, timestamp before, no answers": Case(
        lambda: add_dss(sign(pdf(), "expired", stamp=NOW - 60 * DAY), [crl_of(authority()["tsa-root"])]),
        OPEN,
        ("SIG-REVOCATION-UNKNOWN",),
        store=no_lists,
    ),
    "expired, timestamp after": Case(
        lambda: sign(pdf(), "expired", stamp=NOW - 10 * DAY), BAD, ("SIG-TIMESTAMP-AFTER-EXPIRY",)
    ),
    "certificate not yet valid": Case(lambda: sign(pdf(), "future"), BAD, ("SIG-NOT-YET-VALID",)),
    "timestamp before the certificate": Case(lambda: sign(pdf(), stamp=day("2020-01-01")), BAD, ("SIG-NOT-YET-VALID",)),
    "timestamp from the future": Case(lambda: sign(pdf(), stamp=NOW + 30 * DAY), BAD, ("SIG-TIMESTAMP-IN-FUTURE",)),
    "timestamp two minutes ahead": Case(lambda: sign(pdf(), stamp=NOW + timedelta(minutes=2)), VALID),
    "document timestamp from the future": Case(
        lambda: add_timestamp(sign(pdf()), NOW + 30 * DAY), BAD, ("SIG-TIMESTAMP-IN-FUTURE",)
    ),
    "timestamp by an authority that is not trusted": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR, tsa="tsa-evil"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",)
    ),
    "timestamp by a certificate that is not for timestamps": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR, tsa="tsa-no-purpose"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",)
    ),
    "root of signers is no root of timestamps": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR),
        OPEN,
        ("SIG-TIMESTAMP-UNTRUSTED",),
        store=lambda: authority().store(stamps=("root",)),
    ),
    "timestamp authority has ended": Case(
        lambda: sign(pdf(), stamp=NOW - 60 * DAY, tsa="tsa-old"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",)
    ),
    "timestamp of another signature": Case(
        lambda: swapped_token(sign(pdf(), stamp=NOW - HOUR)), BAD, ("SIG-TIMESTAMP-ALTERED",)
    ),
    # revocation
    "revoked after the timestamp": Case(lambda: sign(pdf(), "revoked", stamp=NOW - 20 * DAY), VALID, exactly=True),
    "revoked before the timestamp": Case(lambda: sign(pdf(), "revoked", stamp=NOW - DAY), BAD, ("SIG-REVOKED",)),
    "revoked, claims to be later": Case(lambda: sign(pdf(), "revoked"), BAD, ("SIG-REVOKED",)),
    "revoked, claims to be earlier": Case(
        lambda: sign(pdf(), "revoked", claimed=NOW - 20 * DAY), OPEN, ("SIG-REVOKED-NO-PROOF",)
    ),
    "revoked later than asked about": Case(
        lambda: sign(pdf(), "revoked", claimed=NOW - 20 * DAY),
        VALID,
        at=NOW - 19 * DAY,
        store=lambda: authority().store(
            crls=[*authority().crls(NOW - 20 * DAY, NOW - 10 * DAY, revoked=False), *authority().crls()]
        ),
    ),
    "revoked, then expired, timestamp between": Case(
        lambda: sign(pdf(), "expired", stamp=NOW - 45 * DAY), BAD, ("SIG-REVOKED",), store=revoked_then_expired
    ),
    "revoked, then expired, timestamp before": Case(
        lambda: sign(pdf(), "expired", stamp=NOW - 60 * DAY), VALID, store=revoked_then_expired
    ),
    "revoked by the store's list, good by the file's older one": Case(
        lambda: add_dss(sign(pdf(), "revoked"), authority().crls(NOW - 12 * DAY, NOW + 2 * DAY, revoked=False)),
        BAD,
        ("SIG-REVOKED",),
    ),
    "revoked by the store's list, good by the file's OCSP answer": Case(
        lambda: add_dss(
            sign(pdf(), "revoked"),
            [],
            [ocsp_of(authority()["revoked"], authority()["inter"], NOW - 12 * DAY, NOW + 2 * DAY)],
        ),
        BAD,
        ("SIG-REVOKED",),
    ),
    "OCSP says revoked": Case(lambda: sign(pdf()), BAD, ("SIG-REVOKED",), store=answers(NOW - DAY)),
    "no revocation answers": Case(lambda: sign(pdf()), OPEN, ("SIG-REVOCATION-UNKNOWN",), store=no_lists),
    "revocation list out of date": Case(
        lambda: sign(pdf()),
        OPEN,
        ("SIG-REVOCATION-UNKNOWN",),
        store=lambda: authority().store(crls=authority().crls(NOW - 30 * DAY, NOW - 20 * DAY)),
    ),
    "revocation list by another authority": Case(
        lambda: sign(pdf()),
        OPEN,
        ("SIG-REVOCATION-UNKNOWN",),
        store=lambda: authority().store(crls=[crl_of(authority()["root"]), crl_of(authority()["evil"])]),
    ),
    "intermediate revoked": Case(lambda: sign(pdf()), OPEN, ("SIG-CA-REVOKED",), store=authority_revoked(NOW - DAY)),
    "intermediate revoked before the timestamp": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR), OPEN, ("SIG-CA-REVOKED",), store=authority_revoked(NOW - DAY)
    ),
    "intermediate revoked after the timestamp": Case(
        lambda: sign(pdf(), stamp=NOW - 5 * DAY), VALID, store=authority_revoked(NOW - DAY)
    ),
    "first timestamp by a revoked authority, second after the revocation": Case(
        two_stamps, BAD, ("SIG-REVOKED",), store=other_stamps_revoked
    ),
    "document timestamp dated back by a revoked authority": Case(
        backdated, BAD, ("SIG-REVOKED",), store=other_stamps_revoked
    ),
    "timestamp by SHA-1 of today": Case(
        lambda: with_token(sign(pdf(), stamp=NOW - HOUR), NOW - HOUR, digest="sha1", alone=True),
        OPEN,
        ("SIG-TIMESTAMP-UNTRUSTED",),
    ),
    "two timestamps": Case(lambda: with_token(sign(pdf(), stamp=NOW - 2 * HOUR), NOW - HOUR), VALID),
    "timestamp authority revoked": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",), store=stamps_revoked
    ),
    "timestamp authority revoked, the file's answers do not know it": Case(
        lambda: archival(when=NOW - 2 * DAY), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",), store=stamps_revoked
    ),
    # chains
    "empty trust store": Case(lambda: sign(pdf()), OPEN, ("SIG-NO-CHAIN",), store=TrustStore),
    "another root is trusted": Case(lambda: sign(pdf()), OPEN, ("SIG-NO-CHAIN",), store=other_chain),
    "an authority of somebody's own with the same names": Case(
        lambda: sign(pdf(), "evil-signer", embed=("evil",)), OPEN, ("SIG-NO-CHAIN",)
    ),
    "self-signed": Case(lambda: sign(pdf(), "self-signed"), BAD, ("SIG-SELF-SIGNED",)),
    "certified by somebody who is no authority": Case(lambda: sign(pdf(), "no-ca", embed=("signer", "inter")), OPEN),
    "intermediate missing": Case(lambda: sign(pdf(), embed=()), OPEN, ("SIG-NO-CHAIN",)),
    "certificate not for signing": Case(lambda: sign(pdf(), "no-usage"), OPEN),
    # algorithms
    "SHA-1": Case(lambda: sign(pdf(), digest="sha1"), OPEN, ("SIG-WEAK-ALGORITHM",)),
    "SHA-1, timestamp of today": Case(
        lambda: sign(pdf(), digest="sha1", stamp=NOW - HOUR), OPEN, ("SIG-WEAK-ALGORITHM",)
    ),
    "SHA-1, claims to be old": Case(lambda: sign(pdf(), "old", digest="sha1", claimed=OLD), OPEN),
    "SHA-1, timestamp from before the day": Case(
        lambda: sign(pdf(), "old", digest="sha1", stamp=OLD), NOTES, ("SIG-SHA1-LEGACY",)
    ),
    "SHA-1, timestamp from before the day by SHA-1": Case(
        lambda: sign(pdf(), "old", digest="sha1", stamp=OLD, tsa_digest="sha1"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",)
    ),
    "SHA-1, the store's day is earlier": Case(
        lambda: sign(pdf(), "old", digest="sha1", stamp=OLD),
        OPEN,
        ("SIG-WEAK-ALGORITHM",),
        store=lambda: authority().store(policy={"sha1_before": date(2012, 1, 1)}),
    ),
    "RSA of 1024 bits": Case(lambda: sign(pdf(), "weak-rsa"), OPEN, ("SIG-WEAK-ALGORITHM",)),
    # forgeries
    **{
        f"{what}, {level}": Case(lambda act=act, make=make: act(make()), BAD, (code,))  # type: ignore[misc]
        for level, make in (
            ("B-B", lambda: sign(pdf(2))),
            ("B-T", lambda: sign(pdf(2), stamp=NOW - HOUR)),
            ("B-LTA", archival),
        )
        for what, act, code in (
            ("page overlaid", forge_page, "SIG-MODIFIED-AFTER"),
            ("bit flipped", flip, "SIG-ALTERED"),
        )
    },
    "page overlaid after B-LT": Case(
        lambda: forge_page(add_dss(sign(pdf(), stamp=NOW - HOUR), authority().crls())), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    **{
        f"{what} after signing": Case(lambda act=act: act(sign(pdf(2))), BAD, ("SIG-MODIFIED-AFTER",))  # type: ignore[misc]
        for what, act in (
            ("annotation", annotated),
            ("font replaced", new_font),
            ("page shows another stream", new_contents),
            ("stream rewritten in place", same_stream_rewritten),
            ("page removed", page_removed),
            ("script added", in_root("/OpenAction", script)),
            ("layers added", in_root("/OCProperties", lambda _: dictionary({}))),
            ("page rotated", rotated),
            ("page cropped", cropped),
        )
    },
    "annotation after an archival timestamp": Case(lambda: annotated(archival()), BAD, ("SIG-MODIFIED-AFTER",)),
    "form filled after a certification that forbids it": Case(
        lambda: filled(sign(pdf(form=True), permit=MDPPerm.NO_CHANGES)), BAD
    ),
    "page overlaid between two signatures": Case(
        lambda: sign(forge_page(sign(pdf())), "second", name="Sig2"), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    "page overlaid, then stamped": Case(
        lambda: add_timestamp(forge_page(sign(pdf())), NOW - HOUR), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    "field for a next signer": Case(lambda: field_added(drawn=False)(sign(pdf())), NOTES, ("SIG-FORM-FILLED",)),
    "unsigned field that shows another text": Case(
        lambda: field_added(drawn=True)(sign(pdf())), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    "unsigned field that shows another text, after B-LTA": Case(
        lambda: field_added(drawn=True)(archival()), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    "the signature's own field shows another text": Case(
        lambda: signature_drawn_over(sign(pdf())), BAD, ("SIG-MODIFIED-AFTER",)
    ),
    "second signature by somebody unknown, over the page": Case(
        lambda: sign(sign(pdf()), "evil-signer", name="Sig2", embed=("evil",)), OPEN, ("SIG-NO-CHAIN",)
    ),
    "signature removed": Case(lambda: signature_removed(sign(pdf())), OPEN, ("SIG-REMOVED",)),
    "encrypted, everybody may read": Case(lambda: encrypted(""), VALID),
    "encrypted": Case(lambda: encrypted("mat khau"), UNREADABLE, ("SIG-ENCRYPTED",)),
    "signature of another document": Case(lambda: signature_replaced(sign(pdf())), BAD, ("SIG-ALTERED",)),
    "bit of the signature value": Case(lambda: cms_bit(sign(pdf())), BAD, ("SIG-CRYPTO",)),
    "signed range ends early": Case(lambda: short_range(sign(pdf())), BAD, ("SIG-COVERAGE",)),
    "no signed range": Case(lambda: no_range(sign(pdf())), UNREADABLE),
    "signature value of zeros": Case(lambda: with_contents(sign(pdf()), b""), UNREADABLE),
    "cut short": Case(lambda: sign(pdf())[:-3000], UNREADABLE),
    "nothing but a header": Case(lambda: b"%PDF-1.7\n", UNREADABLE),
    # long after
    "renewed before the first timestamp authority ended": Case(renewed, VALID),
    "document timestamp alone, signer expired since": Case(
        lambda: add_timestamp(
            add_dss(sign(pdf(), "expired", claimed=NOW - 60 * DAY), authority().crls(NOW - 61 * DAY, NOW - 50 * DAY)),
            NOW - 60 * DAY,
        ),
        VALID,
    ),
    "timestamp authority ended, not renewed": Case(
        lambda: archival("expired", NOW - 300 * DAY, "tsa-old", tsa="tsa-old"), OPEN
    ),
    "timestamp authority ended, signer still good": Case(
        lambda: archival(when=NOW - 300 * DAY, tsa="tsa-old", late_tsa="tsa-old"), OPEN, ("SIG-TIMESTAMP-UNTRUSTED",)
    ),
    # CAdES
    "p7s": Case(lambda: cades(CONTENT), VALID, content=CONTENT, exactly=True),
    "p7s in PEM": Case(lambda: as_pem(cades(CONTENT)), VALID, content=CONTENT, exactly=True),
    "p7s with timestamp": Case(lambda: cades(CONTENT, stamp=NOW - HOUR), VALID, content=CONTENT, exactly=True),
    "p7s, content altered": Case(lambda: cades(CONTENT), BAD, ("SIG-ALTERED",), content=CONTENT + b"\n"),
    "p7s, content empty": Case(lambda: cades(CONTENT), BAD, ("SIG-ALTERED",), content=b""),
    "p7s, content missing": Case(lambda: cades(CONTENT), OPEN, ("SIG-CONTENT-MISSING",)),
    "p7s with content": Case(lambda: cades(CONTENT, detached=False), VALID, ("SIG-CONTENT-INSIDE",)),
    "p7s with a PDF in it": Case(lambda: cades(pdf(), detached=False), VALID, ("SIG-CONTENT-INSIDE",)),
    "p7s with other content": Case(
        lambda: cades(CONTENT, detached=False), BAD, ("SIG-ALTERED",), content=CONTENT + b"x"
    ),
    "p7s, signature altered": Case(
        lambda: cades(CONTENT)[:-3] + b"\x01\x02\x03", BAD, ("SIG-CRYPTO",), content=CONTENT
    ),
    "p7s cut short": Case(lambda: cades(CONTENT)[:-40], UNREADABLE, content=CONTENT),
    "p7s and more": Case(lambda: cades(CONTENT) + b"more", UNREADABLE, content=CONTENT),
    "p7s of two signers": Case(lambda: both_signers(CONTENT), VALID, content=CONTENT),
    "p7s of two signers, one altered": Case(
        lambda: both_signers(CONTENT, second=b"khac"), BAD, ("SIG-ALTERED",), content=CONTENT
    ),
    "p7s, expired": Case(
        lambda: cades(CONTENT, "expired", claimed=NOW - 60 * DAY), OPEN, ("SIG-EXPIRED-NO-PROOF",), content=CONTENT
    ),
    "p7s, expired, timestamp before": Case(
        lambda: cades(CONTENT, "expired", stamp=NOW - 60 * DAY, claimed=NOW - 60 * DAY),
        VALID,
        content=CONTENT,
        store=listed_before_the_end,
    ),
    "p7s, expired, timestamp after": Case(
        lambda: cades(CONTENT, "expired", stamp=NOW - DAY, claimed=NOW - 60 * DAY),
        BAD,
        ("SIG-TIMESTAMP-AFTER-EXPIRY",),
        content=CONTENT,
    ),
    "p7s, revoked": Case(lambda: cades(CONTENT, "revoked"), BAD, ("SIG-REVOKED",), content=CONTENT),
    "p7s, SHA-1": Case(lambda: cades(CONTENT, digest="sha1"), OPEN, ("SIG-WEAK-ALGORITHM",), content=CONTENT),
    "p7s, local time": Case(
        lambda: cades(CONTENT, stamp=NOW - HOUR, claimed=NOW + 6 * HOUR), NOTES, ("SIG-LOCAL-TIME",), content=CONTENT
    ),
    "neither PDF nor CMS": Case(lambda: CONTENT, None),
    "empty file": Case(lambda: b"", None),
}


@pytest.mark.parametrize("name", CASES)
def test_verdict(name: str) -> None:
    judge(CASES[name])


@pytest.mark.parametrize(
    ("name", "make", "outcome"),
    [
        ("a.p7s", lambda: b"khong phai chu ky", UNREADABLE),
        ("a.p7s", lambda: b"", UNREADABLE),
        ("a.p7m", lambda: base64.encodebytes(cades(CONTENT, detached=False)), VALID),
        ("a.pdf", lambda: b"khong phai PDF", UNREADABLE),
        ("a.txt", lambda: b"khong phai PDF", None),
    ],
)
def test_a_name_that_promises_a_signature(name: str, make: Callable[[], bytes], outcome: Is | None) -> None:
    """What cannot be read is not called unsigned."""
    assert ask(make(), authority().store(), name=name).outcome == outcome


def test_the_moment_asked_about_is_the_present_for_every_part_of_the_engine() -> None:
    """Of a file from later than this machine's clock, nothing is proved by that clock."""
    when = day("2028-06-01")
    at = when + 30 * DAY
    report = ask(archival(when=when), authority().store(crls=authority().crls(at - DAY, at + DAY)), at)
    assert report.outcome is VALID
    assert report.verdicts[0].facts["proved_time"] == "2028-06-01T00:00:00Z"


def test_pyhanko_alone_would_pass_the_forged_archival_file() -> None:
    """Why the verdict is joined: the engine says OK of a page that was replaced after the archival timestamp."""
    report = ask(forge_page(archival()), authority().store())
    verdict = report.verdicts[0]
    assert verdict.facts["ades"] == "OK"
    assert verdict.outcome is Is.INVALID
    assert report.outcome is Is.INVALID


@pytest.mark.parametrize("stamped", [False, True])
def test_ten_years_later_kept_evidence_decides(stamped: bool) -> None:
    document = sign(pdf(), stamp=NOW - HOUR if stamped else None)
    first = ask(document, authority().store())
    assert first.outcome is VALID
    later = NOW + LONG
    store = authority().store(crls=authority().crls(later - DAY, later + DAY))

    without = ask(document, store, later)
    assert without.outcome is OPEN
    with_it = ask(document, store, later, evidence=first.evidence)
    assert with_it.outcome is VALID
    assert "SIG-BY-EVIDENCE" in codes_of(with_it)
    # What the later check hands out can be kept in place of the first.
    again = ask(document, no_lists(), later + LONG, evidence=with_it.evidence)
    assert again.outcome is VALID


@pytest.mark.parametrize("years", [1, 20])
def test_an_archival_signature_lasts_as_long_as_its_timestamp_authority(years: int) -> None:
    """The authority of document timestamps ends in 2034; the signer's certificate in 2029."""
    at = NOW + years * 365 * DAY
    store = authority().store(crls=[crl_of(authority()["tsa-root"], at - DAY, at + DAY)])
    report = ask(archival(), store, at)
    assert report.outcome is (VALID if years == 1 else OPEN), codes_of(report)


def test_evidence_saves_no_other_file_and_no_forgery() -> None:
    document = sign(pdf())
    evidence = ask(document, authority().store()).evidence
    later = NOW + LONG
    other = ask(forge_page(document), authority().store(), later, evidence=evidence)
    assert other.outcome is OPEN
    assert codes_of(other) == {"SIG-EVIDENCE-OTHER-FILE"}
    forged = forge_page(document)
    bad = ask(forged, authority().store())
    assert bad.outcome is BAD
    assert ask(forged, authority().store(), later, evidence=bad.evidence).outcome is BAD


def test_evidence_with_a_changed_certificate_is_not_used() -> None:
    document = sign(pdf())
    evidence = dict(ask(document, authority().store()).evidence)
    objects = {kind: dict(held) for kind, held in evidence["objects"].items()}
    digest = next(iter(objects["certificates"]))
    objects["certificates"][digest] = "MIIB" + objects["certificates"][digest][4:][::-1]
    report = ask(document, authority().store(), NOW + LONG, evidence=evidence | {"objects": objects})
    assert report.outcome is UNREADABLE


def test_evidence_of_a_file_seen_only_after_the_certificate_ended_proves_nothing() -> None:
    document = sign(pdf(), "expired", claimed=NOW - 60 * DAY)
    evidence = ask(document, authority().store()).evidence
    report = ask(document, authority().store(), NOW + LONG, evidence=evidence)
    assert report.outcome is OPEN
    assert "SIG-EXPIRED-NO-PROOF" in codes_of(report)


def test_evidence_does_not_hide_a_revocation_that_became_known_later() -> None:
    """Revoked ten days ago, as a list of tomorrow says; the list at the time of ingest did not know it yet."""
    document = sign(pdf(), "revoked")
    unaware = authority().store(crls=authority().crls(revoked=False))
    first = ask(document, unaware)
    assert first.outcome is VALID
    later = NOW + 30 * DAY
    aware = authority().store(crls=authority().crls(NOW + DAY, NOW + 40 * DAY))
    report = ask(document, aware, later, evidence=first.evidence)
    assert report.outcome is BAD
    assert "SIG-REVOKED" in codes_of(report)


def test_evidence_names_what_was_used() -> None:
    store = authority().store()
    evidence = ask(sign(pdf(), stamp=NOW - HOUR), store).evidence
    assert evidence["trust_store"] == {"version": "tests", "sha256": store.digest}
    assert set(evidence["engine"]) == {"pyhanko", "pyhanko-certvalidator"}
    assert evidence["proof_of_existence"] == NOW.isoformat()
    signer = authority()["signer"].asn1.sha256.hex()
    assert {signer, authority()["inter"].asn1.sha256.hex()} <= set(evidence["objects"]["certificates"])
    assert evidence["signatures"][0]["outcome"] == "VALID"
    assert evidence["signatures"][0]["facts"]["certificate_sha256"] == signer


def test_a_root_is_trusted_in_its_days_only() -> None:
    from dataclasses import replace

    document = sign(pdf())
    store = authority().store()

    def with_days(**days: date) -> TrustStore:
        return replace(
            store, entries=tuple(replace(one, **days) if one.role == "root" else one for one in store.entries)
        )

    today = NOW.date()
    assert ask(document, with_days(trusted_from=today)).outcome is VALID
    assert ask(document, with_days(trusted_from=today + DAY)).outcome is OPEN
    assert ask(document, with_days(trusted_until=today)).outcome is OPEN


def test_every_reason_says_what_to_do_in_both_languages() -> None:
    from preservation.signatures import outcomes

    for code in reason_codes():
        made = outcomes.reason(code, what="x", when="y")
        assert len(made.sentence.vi.split()) >= 8, code
        assert len(made.sentence.en.split()) >= 8, code


def test_every_reason_is_documented_and_used() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "signatures.md").read_text(encoding="utf-8")
    folder = root / "preservation" / "signatures"
    sources = "".join(path.read_text(encoding="utf-8") for path in [*folder.glob("*.py"), folder / "policy.toml"])
    for code in reason_codes():
        assert f"`{code}`" in page, code
        assert f'"{code}"' in sources, code


def test_facts_have_the_names_that_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "signatures.md").read_text(encoding="utf-8")
    assert [name for name in FACTS if f"`{name}`" not in page] == []
    for document, content in ((archival(), None), (cades(CONTENT, stamp=NOW - HOUR), CONTENT)):
        for verdict in ask(document, authority().store(), content=content).verdicts:
            assert set(verdict.facts) <= set(FACTS)


def test_facts_are_what_premis_needs() -> None:
    store = authority().store()
    document = sign(pdf(), "rsa", stamp=NOW - HOUR)
    facts = ask(document, store).verdicts[0].facts
    signer = authority()["rsa"]
    assert facts["signer"] == "Common Name: RSA signer, Country: VN"
    assert facts["serial"] == str(signer.certificate.serial_number)
    assert facts["certificate_sha256"] == hashlib.sha256(signer.der).hexdigest()
    assert (facts["signature_algorithm"], facts["signature_encoding"]) == ("RSA-SHA256", "base64")
    assert base64.b64decode(facts["signature_value"]).hex().upper().encode() in contents_of(document)
    assert (facts["proved_by"], facts["proved_time"]) == ("timestamp", iso(NOW - HOUR))
    assert (facts["revocation"], facts["revocation_source"]) == ("CRL", "trust store")
    assert facts["revocation_time"] == iso(NOW - DAY)
    assert (facts["trust_store"], facts["trust_store_sha256"]) == (store.version, store.digest)
    assert (facts["policy"], len(facts["policy_sha256"])) == ("tangthu-signatures-1", 64)


def test_facts_of_a_signature_whose_content_is_missing_are_how_it_was_looked_at() -> None:
    (verdict,) = ask(cades(CONTENT), authority().store()).verdicts
    assert set(verdict.facts) == {
        "engine_version", "policy", "policy_sha256", "trust_store", "trust_store_sha256", "validated_at",
    }  # fmt: skip
