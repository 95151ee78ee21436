"""What each kind of signed file must be called. Every case is made by the tests' own authority, wrong in one thing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, append_signature_field
from pyhanko.sign.general import simple_cms_attribute

from metadata.outcomes import SignatureOutcome as Is
from preservation.signatures.facts import FACTS, iso
from preservation.signatures.outcomes import reason_codes
from preservation.signatures.trust import TrustStore
from tests.builders.signatures import (
    DAY,
    NOW,
    add_dss,
    add_timestamp,
    archival,
    authority,
    cades,
    change,
    crl_of,
    day,
    first_page,
    flip,
    forge_page,
    ocsp_of,
    pdf,
    sign,
    stamper,
    text_stream,
)
from tests.preservation.signature_cases import BAD, NOTES, OPEN, UNREADABLE, VALID, Case, ask, codes_of, judge

HOUR = timedelta(hours=1)
OLD = day("2016-05-01")
CONTENT = b"Noi dung cong van\n" * 40
LONG = timedelta(days=3653)


# What is done to a signed file afterwards.


def annotated(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        note = {"/Type": "/Annot", "/Subtype": "/FreeText"}
        words = {pdf_name(key): pdf_name(value) for key, value in note.items()}
        words[pdf_name("/Contents")] = generic.TextStringObject("khac")
        words[pdf_name("/Rect")] = generic.ArrayObject([generic.NumberObject(n) for n in (72, 400, 300, 450)])
        page["/Annots"] = generic.ArrayObject([*page.get("/Annots", ()), writer.add_object(_dictionary(words))])
        writer.update_container(page)

    return change(document, edit)


def _dictionary(words: dict[object, object]) -> generic.DictionaryObject:
    return generic.DictionaryObject(words)


def new_font(document: bytes) -> bytes:
    """Shadow attack, replace: the letters mean other letters."""

    def edit(writer: IncrementalPdfFileWriter) -> None:
        font = first_page(writer)["/Resources"]["/Font"]["/F1"]
        font["/Encoding"] = _dictionary({pdf_name("/Differences"): generic.ArrayObject([])})
        writer.update_container(font)

    return change(document, edit)


def new_contents(document: bytes) -> bytes:
    """Shadow attack, hide and replace: the page shows another stream."""

    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        page["/Contents"] = text_stream(writer, b"OTHER")
        writer.update_container(page)

    return change(document, edit)


def same_stream_rewritten(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        stream = first_page(writer)["/Contents"]
        stream._data = b"BT /F1 24 Tf 72 700 Td (Cong van so 9) Tj ET"
        stream._encoded_data = None
        writer.update_container(stream)

    return change(document, edit)


def page_removed(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        pages = writer.root["/Pages"]
        pages["/Kids"] = generic.ArrayObject([pages["/Kids"].raw_get(0)])
        pages["/Count"] = generic.NumberObject(1)
        writer.update_container(pages)

    return change(document, edit)


def in_root(key: str, value: Callable[[IncrementalPdfFileWriter], object]) -> Callable[[bytes], bytes]:
    def act(document: bytes) -> bytes:
        def edit(writer: IncrementalPdfFileWriter) -> None:
            writer.root[key] = value(writer)
            writer.update_root()

        return change(document, edit)

    return act


def script(writer: IncrementalPdfFileWriter) -> object:
    words = {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.TextStringObject("app.alert(1)")}
    return writer.add_object(_dictionary(words))


def rotated(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        page["/Rotate"] = generic.NumberObject(180)
        writer.update_container(page)

    return change(document, edit)


def cropped(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        page["/CropBox"] = generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 10, 10)])
        writer.update_container(page)

    return change(document, edit)


def filled(document: bytes, text: str = "B") -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        box = writer.root["/AcroForm"]["/Fields"][0].get_object()
        box["/V"] = generic.TextStringObject(text)
        writer.update_container(box)

    return change(document, edit)


def field_added(*, drawn: bool) -> Callable[[bytes], bytes]:
    """A field for a next signer; ``drawn``: it lies over the page and shows another text (sneaky signature attack)."""

    def act(document: bytes) -> bytes:
        def edit(writer: IncrementalPdfFileWriter) -> None:
            append_signature_field(writer, SigFieldSpec("Moi", on_page=0, box=(50, 400, 500, 750)))
            if drawn:
                box = writer.root["/AcroForm"]["/Fields"][-1].get_object()
                box["/AP"] = _dictionary({pdf_name("/N"): text_stream(writer, b"OTHER")})
                writer.update_container(box)

        return change(document, edit)

    return act


def signature_drawn_over(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        box = writer.root["/AcroForm"]["/Fields"][-1].get_object()
        box["/AP"] = _dictionary({pdf_name("/N"): text_stream(writer, b"OTHER")})
        writer.update_container(box)

    return change(document, edit)


def signature_removed(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        del writer.root["/AcroForm"]
        writer.update_root()

    return change(document, edit)


def encrypted(password: str) -> bytes:
    """Signed and encrypted; with an empty ``password`` everybody may read it."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(pdf())))
    writer.encrypt("chu so huu", password)
    out = io.BytesIO()
    writer.write(out)
    return sign(out.getvalue(), owner="chu so huu")


def signature_replaced(document: bytes) -> bytes:
    """The signature of another document stands in its place."""
    other = sign(pdf(2))
    return _with_contents(document, _contents(other))


def _contents(document: bytes) -> bytes:
    start = document.index(b"/Contents <") + 11
    return document[start : document.index(b">", start)]


def _with_contents(document: bytes, text: bytes) -> bytes:
    old = _contents(document)
    return document.replace(old, text.ljust(len(old), b"0")[: len(old)])


def no_range(document: bytes) -> bytes:
    """Universal forgery: a signature that says not what it signs."""
    return document.replace(b"/ByteRange", b"/ByteStuff")


def short_range(document: bytes) -> bytes:
    """The range ends early: what follows is not signed."""
    place = document.index(b"/ByteRange")
    start, end = document.index(b"[", place), document.index(b"]", place)
    numbers = document[start + 1 : end].split()
    numbers[3] = str(int(numbers[3]) - 40).encode()
    return document[: start + 1] + b" ".join(numbers).ljust(end - start - 1) + document[end:]


def cms_bit(document: bytes) -> bytes:
    """A bit of the signature value (the last bytes before the padding)."""
    text = _contents(document)
    used = bytes.fromhex(text.decode()).rstrip(b"\0")
    return _with_contents(document, (used[:-3] + bytes([used[-3] ^ 1]) + used[-2:]).hex().encode())


def swapped_token(document: bytes) -> bytes:
    """The timestamp of another signature."""
    mine, other = (cms.ContentInfo.load(bytes.fromhex(_contents(one).decode())) for one in (document, _stamped_other()))
    info = mine["content"]["signer_infos"][0]
    info["unsigned_attrs"] = other["content"]["signer_infos"][0]["unsigned_attrs"]
    return _with_contents(document, mine.dump(force=True).hex().encode())


def with_token(document: bytes, when: datetime, *, digest: str = "sha256", alone: bool = False) -> bytes:
    """A timestamp beside (or in place of) the first, over the same signature value."""
    signed = cms.ContentInfo.load(bytes.fromhex(_contents(document).decode()))
    info = signed["content"]["signer_infos"][0]
    value = hashlib.new(digest, info["signature"].native).digest()
    token = asyncio.run(stamper(when).async_timestamp(value, digest))
    others = [] if alone else [*info["unsigned_attrs"]]
    info["unsigned_attrs"] = cms.CMSAttributes([*others, simple_cms_attribute("signature_time_stamp_token", token)])
    return _with_contents(document, signed.dump(force=True).hex().encode())


def two_stamps() -> bytes:
    """The set is sorted: the stamp by the authority with the shorter name comes first."""
    document = with_token(sign(pdf(), "revoked", stamp=NOW - 20 * DAY, tsa="tsa-other"), NOW - DAY)
    text = bytes.fromhex(_contents(document).decode())
    assert text.index(b"20260526080000Z") < text.index(b"20260614080000Z")
    return document


def backdated() -> bytes:
    """Signed after the revocation; somebody who has the key of a revoked authority dates a document timestamp back."""
    people = authority()
    answer = ocsp_of(people["tsa-other"], people["tsa-root"], NOW - 21 * DAY, NOW + 5 * DAY)
    signed = add_dss(sign(pdf(), "revoked", stamp=NOW - DAY), [], [answer])
    return add_timestamp(add_timestamp(signed, NOW - 20 * DAY, "tsa-other"), NOW - HOUR)


def other_stamps_revoked() -> TrustStore:
    people = authority()
    answer = ocsp_of(people["tsa-other"], people["tsa-root"], NOW - 2 * DAY, NOW + 5 * DAY)
    gone = {people["tsa-other"].certificate.serial_number: NOW - 15 * DAY}
    lists = [crl_of(people["root"]), crl_of(people["inter"], revoked=people.revoked)]
    return people.store(crls=[*lists, crl_of(people["tsa-root"], revoked=gone)], ocsps=[answer])


def _stamped_other() -> bytes:
    return sign(pdf(3), "second", stamp=NOW - 2 * HOUR)


def two(certify: MDPPerm | None = None, **more: object) -> bytes:
    first = sign(pdf(form=True), permit=certify, name="Sig1")
    return sign(first, "second", name="Sig2", **more)  # type: ignore[arg-type]


def both_signers(content: bytes, *, second: bytes | None = None) -> bytes:
    """Two signers in one CMS; ``second``: what the second of them signed in truth."""
    one = cms.ContentInfo.load(cades(content))
    other = cms.ContentInfo.load(cades(content if second is None else second, "second"))
    infos = [*one["content"]["signer_infos"], *other["content"]["signer_infos"]]
    one["content"]["signer_infos"] = cms.SignerInfos(infos)
    certificates = {
        choice.dump(): choice for choice in (*one["content"]["certificates"], *other["content"]["certificates"])
    }
    one["content"]["certificates"] = cms.CertificateSet(list(certificates.values()))
    return bytes(one.dump(force=True))


def as_pem(data: bytes) -> bytes:
    from asn1crypto import pem

    return bytes(pem.armor("PKCS7", data))


def no_lists() -> TrustStore:
    return authority().store(crls=[])


def revoked_then_expired() -> TrustStore:
    """A list from before the certificate's end that names it: revoked 50 days ago, expired 30 days ago."""
    people = authority()
    serial = people["expired"].certificate.serial_number
    old = crl_of(people["inter"], NOW - 40 * DAY, NOW + DAY, {serial: NOW - 50 * DAY})
    return people.store(crls=[crl_of(people["root"]), old, crl_of(people["tsa-root"])])


def stamps_revoked() -> TrustStore:
    people = authority()
    gone = {people["tsa"].certificate.serial_number: NOW - DAY}
    return people.store(
        crls=[crl_of(people["root"]), crl_of(people["inter"]), crl_of(people["tsa-root"], revoked=gone)]
    )


def authority_revoked(when: datetime) -> Callable[[], TrustStore]:
    def make() -> TrustStore:
        people = authority()
        gone = {people["inter"].certificate.serial_number: when}
        lists = [crl_of(people["root"], revoked=gone), crl_of(people["inter"]), crl_of(people["tsa-root"])]
        return people.store(crls=lists)

    return make


def listed_before_the_end() -> TrustStore:
    people = authority()
    lists = [crl_of(people[name], NOW - 40 * DAY, NOW + DAY) for name in ("root", "inter", "tsa-root")]
    return people.store(crls=lists)


def answers(revoked: datetime | None = None) -> Callable[[], TrustStore]:
    def make() -> TrustStore:
        people = authority()
        answer = ocsp_of(people["signer"], people["inter"], NOW - HOUR, NOW + DAY, revoked)
        return people.store(crls=[crl_of(people["root"]), crl_of(people["tsa-root"])], ocsps=[answer])

    return make


def renewed() -> bytes:
    """The first timestamp's authority has ended; before that, another one renewed the protection."""
    before = archival("expired", NOW - 300 * DAY, "tsa-old", tsa="tsa-old")
    people = authority()
    answer = ocsp_of(people["tsa-old"], people["tsa-root"], NOW - 60 * DAY, NOW - 53 * DAY)
    return add_timestamp(add_dss(before, [], [answer]), NOW - 60 * DAY + HOUR)


def other_chain() -> TrustStore:
    return authority().store(roots=("evil",))


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
        lambda: sign(pdf(), "expired", stamp=NOW - 60 * DAY), NOTES, ("SIG-REVOCATION-AFTER-EXPIRY",)
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
    "self-signed": Case(lambda: sign(pdf(), "self-signed"), OPEN, ("SIG-CHAIN",)),
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
            ("layers added", in_root("/OCProperties", lambda _: _dictionary({}))),
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
    "signature value of zeros": Case(lambda: _with_contents(sign(pdf()), b""), UNREADABLE),
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
    assert base64.b64decode(facts["signature_value"]).hex().upper().encode() in _contents(document)
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
