"""Content files made from nothing, small and right, with switches that break one thing: offices, mail, sound …"""

from __future__ import annotations

import io
import struct
import tarfile
import unicodedata
import wave
import zipfile
from collections.abc import Mapping

from tests.builders.compound import compound_file

KIEU = """Trăm năm trong cõi người ta,
Chữ tài chữ mệnh khéo là ghét nhau.
Trải qua một cuộc bể dâu,
Những điều trông thấy mà đau đớn lòng.
Lạ gì bỉ sắc tư phong,
Trời xanh quen thói má hồng đánh ghen.
Cảo thơm lần giở trước đèn,
Phong tình có lục còn truyền sử xanh.
"""
"""Nguyễn Du, Truyện Kiều (about 1820): the first lines."""

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"

Members = Mapping[str, str | bytes | None]


def zipped(members: Members, *, stored: tuple[str, ...] = ("mimetype",)) -> bytes:
    """A ZIP of members in their order; those that are None are left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            if data is not None:
                method = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
                package.writestr(zipfile.ZipInfo(name, (2026, 7, 1, 0, 0, 0)), data, method)
    return out.getvalue()


def relations(*targets: tuple[str, str, bool]) -> str:
    """A part of relationships: type, target, whether it is outside."""
    mode = {True: ' TargetMode="External"', False: ""}
    rows = "".join(
        f'<Relationship Id="r{number}" Type="{_REL}/{kind}" Target="{target}"{mode[outside]}/>'
        for number, (kind, target, outside) in enumerate(targets)
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{_XML}<Relationships xmlns="{space}">{rows}</Relationships>'


def word(body: str = "", text: str = KIEU, **changes: str | bytes | None) -> dict[str, str | bytes | None]:
    """The members of a docx; ``changes`` by name with ``__`` for a slash, None takes one out."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text.splitlines())
    app = "<Application>Tàng Thư Writer</Application><AppVersion>1.0</AppVersion>"
    members: dict[str, str | bytes | None] = {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_WORD_TYPE}"/></Types>',
        "_rels/.rels": relations(("officeDocument", "word/document.xml", False)),
        "word/document.xml": f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{paragraphs}{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": relations(("hyperlink", "https://example.vn/", True)),
        "docProps/app.xml": f"{_XML}<Properties><Pages>7</Pages>{app}</Properties>",
        "word/media/image1.png": bytes(range(256)) * 8,
    }
    return members | {name.replace("__", "/"): data for name, data in changes.items()}


def opendocument(
    kind: str = "text", body: str = "", manifest: str = "", **changes: str | bytes | None
) -> dict[str, str | bytes | None]:
    """The members of an OpenDocument file; as :func:`word`."""
    spaces = " ".join(f'xmlns:{one}="{_ODF}{one}:1.0"' for one in ("office", "text", "meta", "manifest", "table"))
    spaces += f' xmlns:draw="{_ODF}drawing:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    words = "".join(f"<text:p>{line}</text:p>" for line in KIEU.splitlines())
    mime = f"application/vnd.oasis.opendocument.{kind}"
    members: dict[str, str | bytes | None] = {
        "mimetype": mime,
        "content.xml": f"{_XML}<office:document-content {spaces}><office:body><office:{kind}>{words}{body}"
        f"</office:{kind}></office:body></office:document-content>",
        "meta.xml": f"{_XML}<office:document-meta {spaces}><office:meta>"
        '<meta:generator>Tàng Thư Writer</meta:generator><meta:document-statistic meta:page-count="7"/>'
        "</office:meta></office:document-meta>",
        "META-INF/manifest.xml": f'{_XML}<manifest:manifest {spaces}><manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{mime}"/><manifest:file-entry manifest:full-path="content.xml" '
        f'manifest:media-type="text/xml">{manifest}</manifest:file-entry></manifest:manifest>',
    }
    return members | {name.replace("__", "/"): data for name, data in changes.items()}


def epub(**changes: str | bytes | None) -> dict[str, str | bytes | None]:
    """The members of an EPUB; as :func:`word`."""
    members: dict[str, str | bytes | None] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": f'{_XML}<container><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles>'
        "</container>",
        "OEBPS/content.opf": f"{_XML}<package/>",
        "OEBPS/1.xhtml": f"{_XML}<html><body><p>{KIEU}</p></body></html>",
    }
    return members | {name.replace("__", "/"): data for name, data in changes.items()}


# Compound files


def properties(pages: int = 7, application: str = "Tàng Thư Writer") -> bytes:
    """SummaryInformation with these two."""
    name = application.encode("cp1258", "replace") + b"\0"
    values = struct.pack("<II", 3, pages) + struct.pack("<II", 0x1E, len(name)) + name
    section = struct.pack("<II", 8 + 16 + len(values), 2) + struct.pack("<IIII", 14, 24, 18, 32) + values
    return struct.pack("<HHI16sI16sI", 0xFFFE, 0, 0, b"", 1, b"", 48) + section


def old_word(text: str = KIEU, flags: int = 0, **more: bytes) -> dict[str, bytes]:
    """Streams of a doc whose words lie in two pieces, one of single bytes and one of two."""
    flags |= 0x0200
    first, rest = "Truyen Kieu\r", text.replace("\n", "\r")
    main = bytearray(0x0200)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0x00C1)
    struct.pack_into("<H", main, 10, flags)
    start = len(main)
    main += first.encode("cp1252")
    wide = len(main)
    main += rest.encode("utf-16-le")
    places = (0, len(first), len(first) + len(rest))
    pieces = struct.pack("<HIH", 0, start * 2 | 1 << 30, 0) + struct.pack("<HIH", 0, wide, 0)
    plc = struct.pack("<3I", *places) + pieces
    clx = b"\x01\x02\x00xx" + b"\x02" + struct.pack("<I", len(plc)) + plc
    struct.pack_into("<II", main, 0x01A2, 0, len(clx))
    return {
        "WordDocument": bytes(main).ljust(5000, b"\0"),
        "1Table": clx,
        "\x05SummaryInformation": properties(),
        **more,
    }


def old_excel(*records: tuple[int, bytes]) -> dict[str, bytes]:
    """Streams of an xls: a workbook with these records in its globals."""
    every = [(0x0809, b"\0\6" + b"\0" * 14), *records, (0x000A, b"")]
    return {"Workbook": b"".join(struct.pack("<HH", kind, len(data)) + data for kind, data in every)}


def strings(*texts: str, rich: int = 0) -> bytes:
    """A record of shared strings; with ``rich`` runs of format and bytes of phonetics behind each."""
    data = struct.pack("<II", len(texts), len(texts))
    for text in texts:
        data += struct.pack("<HB", len(text), 1 | (12 if rich else 0)) + (struct.pack("<HI", rich, 3) if rich else b"")
        data += text.encode("utf-16-le") + b"\0" * (4 * rich + 3 if rich else 0)
    return data


def old_power_point(*slides: str, token: int = 0xE391C05F) -> dict[str, bytes]:
    """Streams of a ppt of slides of one text each."""
    data = b""
    for text in slides:
        atom = struct.pack("<HHI", 0, 0x0FA0, 2 * len(text)) + text.encode("utf-16-le")
        data += struct.pack("<HHI", 0x000F, 0x03EE, len(atom)) + atom
    user = struct.pack("<HHIII", 0, 0x0FF6, 20, 20, token)
    return {"PowerPoint Document": data, "Current User": user.ljust(28, b"\0")}


def outlook(subject: str = "Giấy mời", body: str = KIEU) -> dict[str, bytes]:
    """Streams of an Outlook message."""
    return {
        "__properties_version1.0": b"\0" * 32,
        "__substg1.0_0037001F": subject.encode("utf-16-le"),
        "__substg1.0_1000001F": body.encode("utf-16-le"),
    }


def compound(streams: Mapping[str, bytes]) -> bytes:
    return compound_file(streams)


# Mail, archives


def mail(body: str = KIEU, *, attached: bytes | None = b"x", closed: bool = True, kind: str = "plain") -> bytes:
    """A message of two parts."""
    lines = [
        "From: =?utf-8?q?S=E1=BB=9F_N=E1=BB=99i_v=E1=BB=A5?= <snv@example.vn>",
        "Subject: =?utf-8?b?R2nhuqV5IG3hu51p?=",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b",
        f"Content-Type: text/{kind}; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
    ]
    if attached is not None:
        lines += ["--b", 'Content-Disposition: attachment; filename="1.txt"', "", attached.decode()]
    return "\r\n".join([*lines, *(["--b--", ""] if closed else [])]).encode()


def tar(*names: str) -> bytes:
    """A tar of small files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 700
            archive.addfile(member, io.BytesIO(b"x" * 700))
    return out.getvalue()


# Sound and film


def wav(seconds: float = 1.5, hertz: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(hertz)
        sound.writeframes(b"\0\1" * int(seconds * hertz))
    return out.getvalue()


def box(name: str, *parts: bytes) -> bytes:
    """A box of ISO base media."""
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), name.encode()) + data


def mp4(*, moov: bool = True, film: bytes = b"x" * 2000, first: bool = False) -> bytes:
    """A film of 2.5 s, 640 × 480, avc1."""
    header = box("mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 2500), b"\0" * 80)
    track = box("tkhd", b"\0" * 76, struct.pack(">II", 640 << 16, 480 << 16))
    table = box("stsd", struct.pack(">II", 0, 1), struct.pack(">I4s", 16, b"avc1"), b"\0" * 8)
    movie = box("moov", header, box("trak", track, box("mdia", box("minf", box("stbl", table)))))
    parts = [movie if moov else b"", box("mdat", film)]
    return box("ftyp", b"isom\0\0\0\0isom") + b"".join(parts if first else reversed(parts))


def mp3(frames: int = 20) -> bytes:
    """Frames of 128 kbit/s at 44.1 kHz behind an empty tag."""
    frame = bytes.fromhex("fffb9000").ljust(417, b"\0")
    return b"ID3\3\0\0\0\0\0\x0a" + b"\0" * 10 + frame * frames


def element(name: int, data: bytes) -> bytes:
    """An element of EBML."""
    width = (name.bit_length() + 7) // 8
    return name.to_bytes(width, "big") + (len(data) | 1 << 56).to_bytes(8, "big") + data


def webm() -> bytes:
    """A film of 4 s, 320 × 240, VP9."""
    info = element(0x2AD7B1, (1_000_000).to_bytes(4, "big")) + element(0x4489, struct.pack(">d", 4000.0))
    video = element(0xB0, b"\x01\x40") + element(0xBA, b"\xf0")
    track = element(0xAE, element(0x86, b"V_VP9") + element(0xE0, video))
    segment = element(0x1549A966, info + element(0x5741, b"Tang Thu")) + element(0x1654AE6B, track)
    return element(0x1A45DFA3, element(0x4282, b"webm")) + element(0x18538067, segment + element(0xEC, b"\0" * 500))


def chunk(name: str, *parts: bytes) -> bytes:
    """A chunk of RIFF."""
    data = b"".join(parts)
    return struct.pack("<4sI", name.encode(), len(data)) + data + b"\0" * (len(data) % 2)


def avi() -> bytes:
    """A film of 3 s, 320 × 240, with sound."""
    main = struct.pack("<IIIIIIIIII16x", 40_000, 0, 0, 0, 75, 0, 2, 0, 320, 240)
    film = chunk("LIST", b"strl", chunk("strh", b"vidsXVID", b"\0" * 48), chunk("strf", b"\0" * 40))
    sound = chunk("LIST", b"strl", chunk("strh", b"auds\0\0\0\0", b"\0" * 48), chunk("strf", b"\x55\0" + b"\0" * 28))
    return chunk(
        "RIFF", b"AVI ", chunk("LIST", b"hdrl", chunk("avih", main), film, sound), chunk("LIST", b"movi", b"x" * 900)
    )


def flac() -> bytes:
    """A sound of 2 s at 44.1 kHz, by its header."""
    packed = 44_100 << 44 | 1 << 41 | 15 << 36 | 88_200
    return b"fLaC\x80\0\0\x22" + b"\0" * 10 + struct.pack(">Q", packed) + b"\0" * 16 + b"\xff\xf8" + b"\0" * 200


def ogg() -> bytes:
    """A Vorbis sound of 2 s at 48 kHz: a first and a last page."""
    first = b"\x01vorbis" + struct.pack("<IBI", 0, 2, 48_000) + b"\0" * 14
    return _page(2, 0, first) + _page(4, 96_000, b"x" * 200)


def _page(kind: int, granule: int, packet: bytes) -> bytes:
    return struct.pack("<4sBBqIIIBB", b"OggS", 0, kind, granule, 1, 0, 0, 1, len(packet)) + packet


# Vietnamese before Unicode: encoders of our own, so that the tables are proved by other ones.

_TONES = "\u0300\u0309\u0303\u0301\u0323"  # huyền, hỏi, ngã, sắc, nặng: the order of TCVN3's rows
_TCVN3_ROWS = {
    "a": "µ¶·¸¹", "ă": "»¼½¾Æ", "â": "ÇÈÉÊË", "e": "ÌÎÏÐÑ", "ê": "ÒÓÔÕÖ", "i": "×ØÜÝÞ", "o": "ßáâãä", "ô": "åæçèé",
    "ơ": "êëìíî", "u": "ïñòóô", "ư": "õö÷øù", "y": "úûüýþ",
}  # fmt: skip
_TCVN3_PLAIN = dict(zip("ĂÂÊÔƠƯĐăâêôơưđ", "¡¢£¤¥¦§¨©ª«¬\xad®", strict=True))
_VNI_BASES = {"ă": ("a", "ê"), "â": ("a", "â"), "ê": ("e", "â"), "ô": ("o", "â"), "ơ": ("ô", ""), "ư": ("ö", "")}
_VNI_MARKS = {"": "øûõùï", "ê": "èúüéë", "â": "àåãáä"}
_VNI_ALONE = {"ì": "ì", "í": "í", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "đ": "ñ"}


def tcvn3(text: str) -> bytes:
    """Vietnamese as ABC fonts have it; a capital with a tone becomes a small letter (the font shows it as capital)."""
    out = ""
    for letter in text:
        base, tone = _parts(letter)
        if tone:
            out += _TCVN3_ROWS[base.lower()][_TONES.index(tone)]
        else:
            out += _TCVN3_PLAIN.get(letter, letter)
    return out.encode("latin-1")


def vni(text: str) -> bytes:
    """Vietnamese as VNI fonts have it."""
    out = ""
    for letter in text:
        base, tone = _parts(letter)
        if letter.lower() in _VNI_ALONE:
            alone = _VNI_ALONE[letter.lower()]
            out += alone if letter == letter.lower() else alone.upper()
            continue
        plain, mark = _VNI_BASES.get(base.lower(), (base.lower(), ""))
        if tone:
            mark = _VNI_MARKS[mark][_TONES.index(tone)]
        both = plain + mark if base.lower() in _VNI_BASES or tone else letter
        out += both.upper() if letter != letter.lower() else both
    return out.encode("cp1252")


def _parts(letter: str) -> tuple[str, str]:
    """A letter without its tone, and the tone."""
    parts = unicodedata.normalize("NFD", letter)
    tone = next((one for one in parts if one in _TONES), "")
    return unicodedata.normalize("NFC", parts.replace(tone, "") if tone else parts), tone


def cp1258(text: str) -> bytes:
    """Vietnamese of Windows: letters, then combining tones."""
    return "".join(base + tone for base, tone in map(_parts, text)).encode("cp1258")
