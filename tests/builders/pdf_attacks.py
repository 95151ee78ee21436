"""Known attacks on signed PDFs (universal forgery, signature wrapping, incremental saving, shadow attacks), by hand."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, SimpleSigner

from tests.builders.signature_deeds import contents_of, dictionary, with_contents
from tests.builders.signatures import authority, change, first_page, pdf, sign, text_stream


def ranges_of(document: bytes) -> list[int]:
    found = re.search(rb"/ByteRange\s*\[([^\]]*)\]", document)
    assert found is not None
    return [int(number) for number in found[1].split()]


def with_ranges(document: bytes, numbers: Sequence[int]) -> bytes:
    """Written in place; there is room for what is not much longer."""
    place = document.index(b"/ByteRange")
    start, end = document.index(b"[", place) + 1, document.index(b"]", place)
    text = b" ".join(b"%d" % number for number in numbers)
    assert len(text) <= end - start
    return document[:start] + text.ljust(end - start) + document[end:]


def resigned(document: bytes, change_ranges: Callable[[list[int]], Sequence[int]]) -> bytes:
    """The signer himself signs other ranges: the signature value is right, what it covers is odd."""
    moved = with_ranges(document, numbers := change_ranges(ranges_of(document)))
    parts = [moved[max(0, at) : max(0, at + size)] for at, size in zip(numbers[::2], numbers[1::2], strict=False)]
    people = authority()
    signer = SimpleSigner(signing_cert=people["signer"].asn1, signing_key=people["signer"].asn1_key, cert_registry=None)
    signer.cert_registry.register(people["inter"].asn1)
    digest = hashlib.sha256(b"".join(parts)).digest()
    made = asyncio.run(
        signer.async_sign(
            data_digest=digest, digest_algorithm="sha256", use_pades=True, signed_attr_settings=PdfCMSSignedAttributes()
        )
    )
    return with_contents(moved, made.dump().hex().encode())


def wrapped(document: bytes) -> bytes:
    """Signature wrapping: the second signed part is moved to the end, and where its cross-reference table was there now
    stands one that names another signed range and another page."""
    _, first, second, rest = ranges_of(document)
    tail = document[second:]
    table_at = int(re.findall(rb"startxref\s+(\d+)", tail)[-1])
    size, root = re.findall(rb"/Size (\d+)", document)[-1], re.findall(rb"/Root (\d+ 0 R)", document)[-1]
    previous = int(re.findall(rb"startxref\s+(\d+)", document[:first])[-1])
    begun = document.index(b"%%EOF")  # of the file that was signed
    ahead = [(int(one[1]), one.start()) for one in re.finditer(rb"\b(\d+) 0 obj", document[:first])]
    places = dict(one for one in ahead if one[1] > begun)
    number, start = ahead[-1]
    moved = {
        int(one[1]): document[second + one.start() : document.index(b"endobj", second + one.start()) + 6]
        for one in re.finditer(rb"\b(\d+) 0 obj", document[second:table_at])
    }
    moved[7] = b"7 0 obj\n<</Length 38>>\nstream\nBT /F1 24 Tf 72 700 Td (GIA MAO) Tj ET  \nendstream\nendobj"

    def put(moved_to: int) -> bytes:
        here = rb"/ByteRange [0 %d %d %d]" % (first, moved_to, rest)
        own = document[start : document.index(b"endobj", second) + 6]
        texts = {**moved, number: re.sub(rb"/ByteRange\s*\[[^\]]*\]", here, own, count=1)}
        room, out = 60 * (len(texts) + len(places)) + 200, b""
        found = dict(places)
        for one, text in texts.items():
            found[one] = table_at + room + len(out)
            out += text + b"\n"
        table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % (one, found[one]) for one in sorted(found))
        table += b"trailer\n<</Size %s/Root %s/Prev %d>>\n" % (size, root, previous)
        return document[:second].ljust(table_at) + table.ljust(room) + out

    moved_to = len(put(9_999_999)) + 64
    return put(moved_to).ljust(moved_to) + tail


def saved(document: bytes, how: str) -> bytes:
    """Incremental saving: another page content is appended, with all that belongs to it or less."""
    words = b"BT /F1 40 Tf 72 500 Td (GIA MAO) Tj ET"
    body = b"7 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n" % (len(words), words)
    place = len(document) + 1
    size, root = re.findall(rb"/Size (\d+)", document)[-1], re.findall(rb"/Root (\d+ 0 R)", document)[-1]
    previous = re.findall(rb"startxref\s+(\d+)", document)[-1]
    table = b"xref\n7 1\n%010d 00000 n \n" % place
    trailer = b"trailer\n<</Size %s/Root %s/Prev %s>>\n" % (size, root, previous)
    end = b"startxref\n%d\n%%%%EOF\n"
    match how:
        case "whole":
            return document + b"\n" + body + table + trailer + end % (place + len(body))
        case "without table":
            return document + b"\n" + body + trailer + end % (place + len(body))
        case "without trailer":
            return document + b"\n" + body + table
        case "body alone":
            return document + b"\n" + body
        case "signature copied":
            copied = contents_of(document)
            return document + b"\n" + body + b"99 0 obj\n<</Contents <" + copied + b">>>\nendobj\n"
    raise ValueError(how)


def two_catalogs() -> bytes:
    """Shadow attack, hide and replace: the signed file has a second document in it, which nothing shows."""
    plain = pdf()
    size = int(re.findall(rb"/Size (\d+)", plain)[-1])
    words = b"BT /F1 24 Tf 72 700 Td (GIA MAO) Tj ET"
    bodies = [
        b"<</Type/Catalog/Pages %d 0 R>>" % (size + 1),
        b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (size + 2),
        b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
        % (size + 1, size + 3),
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(words), words),
    ]
    out, places = plain, []
    for number, body in enumerate(bodies, size):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n%d %d\n" % (size, len(bodies)) + b"".join(b"%010d 00000 n \n" % place for place in places)
    previous = int(re.findall(rb"startxref\s+(\d+)", plain)[-1])
    trailer = b"trailer\n<</Size %d/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return out + table + trailer % (size + len(bodies), previous, len(out))


def shown_the_other(document: bytes, catalog: int) -> bytes:
    """The trailer names the second catalogue."""
    previous = int(re.findall(rb"startxref\s+(\d+)", document)[-1])
    size = int(re.findall(rb"/Size (\d+)", document)[-1])
    words = b"xref\n0 0\ntrailer\n<</Size %d/Root %d 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return document + words % (size, catalog, previous, len(document))


def overlaid() -> bytes:
    """Shadow attack, hide: a form object lies over what is later to be seen."""

    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        box = generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 595, 842)])
        words = {pdf_name("/Type"): pdf_name("/XObject"), pdf_name("/Subtype"): pdf_name("/Form")}
        cover = generic.StreamObject(dictionary({**words, pdf_name("/BBox"): box}), stream_data=b"1 g 0 0 595 842 re f")
        page["/Resources"]["/XObject"] = dictionary({pdf_name("/Che"): writer.add_object(cover)})
        over = writer.add_object(generic.StreamObject(stream_data=b"/Che Do"))
        page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), over])
        writer.update_container(page)

    return change(pdf(), edit)


def uncovered(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        page["/Contents"] = page["/Contents"].raw_get(0)
        writer.update_container(page)

    return change(document, edit)


def cover_emptied(document: bytes) -> bytes:
    def edit(writer: IncrementalPdfFileWriter) -> None:
        cover = first_page(writer)["/Resources"]["/XObject"]["/Che"]
        cover._data, cover._encoded_data = b"", None
        writer.update_container(cover)

    return change(document, edit)


def cover_freed(document: bytes) -> bytes:
    """Its entry of the cross-reference table says that it is free."""
    number = int(re.findall(rb"/Che (\d+) 0 R", document)[-1])
    previous = int(re.findall(rb"startxref\s+(\d+)", document)[-1])
    size, root = re.findall(rb"/Size (\d+)", document)[-1], re.findall(rb"/Root (\d+ 0 R)", document)[-1]
    words = b"xref\n0 1\n%010d 65535 f \n%d 1\n0000000000 00001 f \ntrailer\n<</Size %s/Root %s/Prev %d>>\n"
    made = words % (number, number, size, root, previous)
    return document + made + b"startxref\n%d\n%%%%EOF\n" % len(document)


def changed_in_signature(old: bytes, new: bytes) -> bytes:
    """Universal forgery: an entry of the signature says what it should not."""
    document = sign(pdf())
    place = document.index(b"/ByteRange")
    start = document.rindex(b" 0 obj", 0, place)
    end = document.index(b"endobj", place)
    part = document[start:end]
    assert old in part
    return document[:start] + part.replace(old, new.ljust(len(old)), 1) + document[end:]


def another_text(writer: IncrementalPdfFileWriter) -> object:
    return text_stream(writer, b"GIA MAO")
