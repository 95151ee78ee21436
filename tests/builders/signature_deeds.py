"""What is done to signed files and trust stores: each deed is one wrong (or one right) thing."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from datetime import datetime, timedelta

from asn1crypto import cms, core
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, append_signature_field
from pyhanko.sign.general import simple_cms_attribute

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
    ocsp_of,
    pdf,
    sign,
    stamper,
    text_stream,
)

HOUR = timedelta(hours=1)
OLD = day("2016-05-01")
CONTENT = b"Noi dung cong van\n" * 40


def annotated(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        note = {"/Type": "/Annot", "/Subtype": "/FreeText"}
        words = {pdf_name(key): pdf_name(value) for key, value in note.items()}
        words[pdf_name("/Contents")] = generic.TextStringObject("khac")
        words[pdf_name("/Rect")] = generic.ArrayObject([generic.NumberObject(n) for n in (72, 400, 300, 450)])
        page["/Annots"] = generic.ArrayObject([*page.get("/Annots", ()), writer.add_object(dictionary(words))])
        writer.update_container(page)

    return change(document, edit)


def dictionary(words: dict[object, object]) -> generic.DictionaryObject:
    return generic.DictionaryObject(words)


def new_font(document: bytes) -> bytes:
    """Shadow attack, replace: the letters mean other letters."""

    def edit(writer: IncrementalPdfFileWriter) -> None:
        font = first_page(writer)["/Resources"]["/Font"]["/F1"]
        font["/Encoding"] = dictionary({pdf_name("/Differences"): generic.ArrayObject([])})
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
    return writer.add_object(dictionary(words))


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
                box["/AP"] = dictionary({pdf_name("/N"): text_stream(writer, b"OTHER")})
                writer.update_container(box)

        return change(document, edit)

    return act


def signature_drawn_over(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        box = writer.root["/AcroForm"]["/Fields"][-1].get_object()
        box["/AP"] = dictionary({pdf_name("/N"): text_stream(writer, b"OTHER")})
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
    return with_contents(document, contents_of(other))


def contents_of(document: bytes) -> bytes:
    start = document.index(b"/Contents <") + 11
    return document[start : document.index(b">", start)]


def with_contents(document: bytes, text: bytes) -> bytes:
    old = contents_of(document)
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
    text = contents_of(document)
    used = bytes.fromhex(text.decode()).rstrip(b"\0")
    return with_contents(document, (used[:-3] + bytes([used[-3] ^ 1]) + used[-2:]).hex().encode())


def swapped_token(document: bytes) -> bytes:
    """The timestamp of another signature."""
    mine, other = (
        cms.ContentInfo.load(bytes.fromhex(contents_of(one).decode())) for one in (document, stamped_other())
    )
    info = mine["content"]["signer_infos"][0]
    info["unsigned_attrs"] = other["content"]["signer_infos"][0]["unsigned_attrs"]
    return with_contents(document, mine.dump(force=True).hex().encode())


def with_token(document: bytes, when: datetime, *, digest: str = "sha256", alone: bool = False) -> bytes:
    """A timestamp beside (or in place of) the first, over the same signature value."""
    signed = cms.ContentInfo.load(bytes.fromhex(contents_of(document).decode()))
    info = signed["content"]["signer_infos"][0]
    value = hashlib.new(digest, info["signature"].native).digest()
    token = asyncio.run(stamper(when).async_timestamp(value, digest))
    others = [] if alone else [*info["unsigned_attrs"]]
    info["unsigned_attrs"] = cms.CMSAttributes([*others, simple_cms_attribute("signature_time_stamp_token", token)])
    return with_contents(document, signed.dump(force=True).hex().encode())


def two_stamps() -> bytes:
    """The set is sorted: the stamp by the authority with the shorter name comes first."""
    document = with_token(sign(pdf(), "revoked", stamp=NOW - 20 * DAY, tsa="tsa-other"), NOW - DAY)
    text = bytes.fromhex(contents_of(document).decode())
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


def stamped_other() -> bytes:
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


def with_attribute(signed: bytes, oid: str) -> bytes:
    """An unsigned attribute of that kind, as archive timestamps are."""
    whole = cms.ContentInfo.load(signed)
    info = whole["content"]["signer_infos"][0]
    held = cms.CMSAttribute({"type": oid, "values": [core.OctetString(b"x")]})
    info["unsigned_attrs"] = cms.CMSAttributes([*(info["unsigned_attrs"] or ()), held])
    return bytes(whole.dump(force=True))


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
