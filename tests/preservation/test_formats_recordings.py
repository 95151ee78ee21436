"""Sound, film and archives, by their headers: facts of whole ones, cut ones INVALID, what is not at hand not judged."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.audiovisual_asf import _FILE, _FILM, _STREAM, ASF
from preservation.formats.port import Specimen
from preservation.formats.task import look
from tests.builders.contents import avi, box, flac, mp3, mp4, ogg, tar, wav, webm, word, zipped
from tests.preservation.looking import FORMATS, codes, looked

VALID, NOTES, INVALID, NOT_CHECKED = Validity.VALID, Validity.VALID_WITH_NOTES, Validity.INVALID, Validity.NOT_CHECKED


def wmv(size: int | None = None) -> bytes:
    """A film of 2 s behind 3 s that are not shown, 320 × 240."""
    film = b"x" * 500

    def objects(whole: int) -> bytes:
        about = struct.pack("<16sQ16xQQQQQQIIII", _FILE, 104, whole, 0, 1, 50_000_000, 0, 3000, 2, 0, 0, 0)
        picture = struct.pack("<IIBHII4xI", 320, 240, 2, 40, 40, 320, 240) + b"WMV3"
        stream = struct.pack("<16sQ16s16x", _STREAM, 78 + len(picture), _FILM).ljust(78, b"\0") + picture
        inside = about + stream
        return struct.pack("<16sQIH", ASF, 30 + len(inside), 2, 0x0201) + inside

    return objects(size or len(objects(0)) + len(film)) + film


def seven_zip(header: bytes = b"\x01\x04\x06\xf1\x07\x01\x0a", offset: int = 100) -> bytes:
    start = struct.pack("<QQI", offset, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + b"x" * 100 + header


def rar4(flags: int = 0) -> bytes:
    def header(kind: int, flags: int, rest: bytes) -> bytes:
        body = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body

    member = header(0x74, 0x8000 | flags, struct.pack("<I", 100) + b"\0" * 21)
    return b"Rar!\x1a\x07\0" + header(0x73, 0, b"\0" * 6) + member + b"x" * 100


def rar5(kind: int = 1) -> bytes:
    body = bytes([3, kind, 0, 0])
    return b"Rar!\x1a\x07\1\0" + struct.pack("<I", zlib.crc32(body)) + body + b"x" * 50


@pytest.mark.parametrize(
    ("kind", "data", "facts"),
    [
        ("wav", wav(), Facts(duration=1500, codecs="PCM")),
        ("mp4", mp4(), Facts(duration=2500, width=640, height=480, codecs="avc1")),
        ("mp4", mp4(first=True), Facts(duration=2500, width=640, height=480, codecs="avc1")),
        ("mov", mp4(film=b"x" * 400_000), Facts(duration=2500, width=640, height=480, codecs="avc1")),
        ("mp3", mp3(), Facts(duration=521, codecs="MPEG audio layer 3")),
        ("webm", webm(), Facts(duration=4000, width=320, height=240, codecs="V_VP9", application="Tang Thu")),
        ("avi", avi(), Facts(duration=3000, width=320, height=240, codecs="XVID, MP3")),
        ("flac", flac(), Facts(duration=2000, codecs="FLAC")),
        ("ogg", ogg(), Facts(duration=2000, codecs="Vorbis")),
        ("wma", wmv(), Facts(duration=2000, width=320, height=240, codecs="WMV3")),
    ],
)
def test_facts_of_recordings(kind: str, data: bytes, facts: Facts) -> None:
    found = looked(kind, data)
    assert (found.validity, codes(found)) == (VALID, []), found.remarks
    known = found.facts.fields()
    assert known.pop("bit_rate") == len(data) * 8000 // known["duration"]
    assert known == facts.fields()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("wav", wav()[:-500]),
        ("wav", b"RIFF\0\0\0\0WAVE"),
        ("wav", b"RIFF\x04\0\0\0ABCD"),
        ("mp4", mp4(first=True)[:-500]),
        ("mp4", mp4(moov=False)),
        ("mp4", box("ftyp", b"isom") + struct.pack(">I4s", 4, b"moov") + b"x" * 50),
        ("mp3", b"ID3\3\0\0\x7f\x7f\x7f\x7f" + b"\0" * 100),
        ("mp3", b"no frames at all" * 100),
        ("webm", webm()[:-100]),
        ("webm", b"\x1a\x45\xdf\xa3"),
        ("avi", avi()[:-200]),
        ("flac", b"fLaC" + b"\xff" * 100),
        ("ogg", ogg()[:-50]),
        ("ogg", b"OggS"),
        ("wma", wmv(size=100_000)),
        ("wma", wmv()[:60]),
        ("7z", seven_zip()[:-3]),
        ("7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 40),
        ("rar", rar4()[:15]),
        ("rar", rar5()[:12]),
        ("zip", zipped({"a": "b"})[:-10]),
        ("tar", tar("a")[:900]),
        ("tar", tar("a")[:257] + b"ustar" + b"x" * 2000),
        ("gz", b"\x1f\x8b\x08" + b"\xff" * 50),
        ("gz", gzip.compress(b"x" * 1000)[:-5]),
        ("gz", gzip.compress(b"x" * 1000)[:-8] + b"\0" * 8),
        ("rar", rar4()[:-5]),
    ],
)
def test_cut_and_altered_ones_are_invalid(kind: str, data: bytes) -> None:
    found = looked(kind, data)
    assert (found.validity, codes(found)) == (INVALID, ["FORMAT-BROKEN"])


@pytest.mark.parametrize(
    ("kind", "data", "count", "locked"),
    [
        ("zip", zipped({"a.docx": zipped(word()), "b": "b"}), "2", False),
        ("tar", tar("a", "b", "ệ" * 60), "3", False),
        ("gz", gzip.compress(b"x", mtime=0), "1", False),
        ("7z", seven_zip(), "?", True),
        ("7z", seven_zip(b"\x01\x04\x06"), "?", False),
        ("rar", rar4(), "1", False),
        ("rar", rar4(4), "?", True),
        ("rar", rar5(), "?", False),
        ("rar", rar5(4), "?", True),
    ],
)
def test_archives_are_kept_and_not_unpacked(kind: str, data: bytes, count: str, locked: bool) -> None:
    found = looked(kind, data)
    assert codes(found) == (["FORMAT-ENCRYPTED"] if locked else []) + ["FORMAT-NOT-UNPACKED"]
    assert found.remarks[-1].details == {"count": count}
    if count == "?":
        assert found.validity is not INVALID
    else:
        assert found.validity is VALID
    assert found.facts.encrypted == locked


def _told_beside() -> bytes:
    """A tar whose extended header gives the size of its member, as of one beyond 8 GB."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a")
        member.size, member.pax_headers = 700, {"size": "700"}
        archive.addfile(member, io.BytesIO(b"x" * 700))
    data = bytearray(out.getvalue())
    data[1024 + 124 : 1024 + 135] = b"0" * 11  # in the header itself: nothing
    data[1024 + 148 : 1024 + 156] = b" " * 8
    data[1024 + 148 : 1024 + 155] = b"%06o\0" % sum(data[1024:1536])
    return bytes(data)


def _old() -> bytes:
    """A tar of before there was a magic number."""
    data = bytearray(tar("a"))
    data[257:265] = b"\0" * 8
    data[148:156] = b" " * 8
    data[148:155] = b"%06o\0" % sum(data[:512])
    return bytes(data)


def _sparse() -> bytes:
    """A sparse file of GNU's: its map goes on in a block behind the header."""
    data = bytearray(tar("a", "b"))
    data[156:157], data[482:483] = b"S", b"\1"
    data[148:156] = b" " * 8
    data[148:155] = b"%06o\0" % sum(data[:512])
    return bytes(data[:512] + b"\0" * 512 + data[512:])


@pytest.mark.parametrize(("make", "count"), [(_told_beside, "1"), (_old, "1"), (_sparse, "2")])
def test_tars_of_other_kinds(make: Callable[[], bytes], count: str) -> None:
    found = looked("tar", make())
    assert (found.validity, found.remarks[0].details) == (VALID, {"count": count})


def test_a_variant_that_nobody_reads_is_not_checked() -> None:
    assert looked("wav", b"RIFX" + wav()[4:]).validity is NOT_CHECKED


def test_a_zip_with_a_locked_member_and_one_that_swells() -> None:
    data = bytearray(zipped({"a": "b"}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    assert codes(looked("zip", bytes(data))) == ["FORMAT-ENCRYPTED", "FORMAT-NOT-UNPACKED"]
    assert codes(looked("zip", zipped({"a": b"\0" * (100 << 20)}))) == ["FORMAT-SWOLLEN", "FORMAT-NOT-UNPACKED"]


def test_members_that_share_their_bytes_are_broken() -> None:
    data = bytearray(zipped({"a": "x" * 50, "b": "x" * 50}, stored=("a", "b")))
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    data[second + 46] = ord("a")
    assert codes(looked("zip", bytes(data))) == ["FORMAT-BROKEN"]


def windows(kind: str, data: bytes, size: int | None = None, window: int = 128 << 10) -> Specimen:
    """A file of which nothing but its windows is at hand."""
    return Specimen("1", size or len(data), FORMATS[kind], data[:window], data[-window:])


def test_recordings_need_no_file() -> None:
    found = look(windows("mp4", mp4(film=b"x" * 900_000)), None)
    assert (found.validity, found.facts.duration) == (VALID, 2500)


def test_what_lies_between_the_windows_is_not_judged() -> None:
    large = mp4(film=b"x" * 900_000) + box("free", b"x" * 300_000)
    assert look(windows("mp4", large), None).validity is NOT_CHECKED
    tagged = b"ID3\3\0\0\0\x10\0\0" + b"\0" * (1 << 18) + mp3()[20:] + b"\0" * 300_000
    assert look(windows("mp3", tagged), None).validity is NOT_CHECKED


@pytest.mark.parametrize("kind", ["wav", "mp4", "webm", "avi", "ogg", "wma", "mp3", "flac"])
def test_five_terabytes_cost_their_windows_only(kind: str) -> None:
    """Declared, or sparse: nothing but the windows is looked at."""
    makers = {"wav": wav, "mp4": mp4, "webm": webm, "avi": avi, "ogg": ogg, "wma": wmv, "mp3": mp3, "flac": flac}
    data = makers[kind]()
    sparse = Specimen("1", 5 << 40, FORMATS[kind], data.ljust(1000, b"\0"), b"\0" * 1000)
    assert look(sparse, None).validity in (VALID, INVALID, NOT_CHECKED)


class Hole(io.RawIOBase):
    """A sparse file of five terabytes that begins as told; counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.count = data, 0, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset if whence == 0 else offset + (self.at if whence == 1 else 5 << 40)
        return self.at

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= 64 << 20
        piece = self.data[self.at : self.at + size].ljust(size, b"\0")
        self.at += size
        self.count += size
        assert self.count < 1 << 30
        return piece


@pytest.mark.parametrize("kind", ["tar", "zip", "docx", "doc", "rtf", "eml"])
def test_five_terabytes_that_are_at_hand_are_not_read_whole(kind: str) -> None:
    start = {"tar": tar("a"), "zip": zipped({"a": "b"}), "docx": zipped(word())}.get(
        kind, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    )
    found = look(windows(kind, start, 5 << 40), Hole(start))  # type: ignore[arg-type]
    assert found.validity in Validity


SEEDS = {
    "wav": wav(), "mp4": mp4(), "mp3": mp3(), "webm": webm(), "avi": avi(), "flac": flac(), "ogg": ogg(), "wma": wmv(),
    "zip": zipped(word()), "tar": tar("a", "b"), "gz": gzip.compress(b"xyz" * 100), "7z": seven_zip(), "rar": rar4(),
}  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_mutated_files_never_break_the_look(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(SEEDS)))
    mutated = bytearray(SEEDS[kind])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, min(len(mutated) - 1, 600)))
        mutated[at : at + 4] = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff" * 4, b"\0" * 8])))
        mutated = mutated or bytearray(b"\0")
    whole = data.draw(st.booleans())
    window = 128 << 10 if whole else 300
    specimen = windows(kind, bytes(mutated), window=window)
    found = look(specimen, io.BytesIO(mutated) if whole else None)
    assert not [one for one in found.remarks if ".py:" in one.details.get("reason", "")], found.remarks
