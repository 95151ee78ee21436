"""One content file is examined: what is asked of whom, and which of it needs the whole file."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.characteristics import Facts
from metadata.holdings import Format
from metadata.identifiers import Puid
from metadata.outcomes import Validity
from preservation.examination import LARGEST, Examination, Examiner, Exhibit, may_be_wanted, wanted_whole
from preservation.formats.families import family_of
from preservation.formats.port import Inspection
from preservation.identification.data import default_signatures
from preservation.identification.port import WINDOW
from preservation.identification.pronom.signature_file import read_signature_files
from preservation.signatures.port import SignatureReport, SignatureVerdict
from tests.builders.identifier import MemoryIdentifier
from tests.builders.skeletons import byte_skeletons
from tests.builders.watching import SEEN, MemoryChecker, MemoryInspector

PDF = b"%PDF-1.4\nx"
SIGNED = PDF + b"/ByteRange [0 1 2 3]"
BINARY = bytes(range(256)) * 8
FOUND = Inspection(Validity.VALID, facts=Facts(pages=2))
REPORT = SignatureReport((SignatureVerdict("Sig1", "signature", (), {}),))


class Asked:
    """An examiner whose parts remember, and a file that remembers whether it was put on the disk."""

    def __init__(self, folder: Path, name: str, data: bytes, *, at_hand: bool = True, content: bytes | None = None):
        self.inspector = MemoryInspector(lambda *_: FOUND)
        self.checker = MemoryChecker(lambda data, content: REPORT)
        self.identifier = MemoryIdentifier({"docx": Format(Puid("fmt/412"), "Word", "", "x", "container")})
        self.written = False
        path, beside = folder / "spool", None
        if content is not None:
            beside = folder / "content"
            beside.write_bytes(content)

        def whole() -> Path | None:
            if not at_hand:
                return None
            self.written = True
            path.write_bytes(data)
            return path

        self.exhibit = Exhibit(name, len(data), data[:WINDOW], data[-WINDOW:], whole, beside)

    def answer(self) -> Examination:
        return Examiner(self.identifier, self.inspector, self.checker, seen=SEEN).examine(self.exhibit)


def test_a_signed_pdf_is_asked_everything(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "a.pdf", SIGNED)
    found = asked.answer()
    assert (found.format.mime, found.inspection, found.signatures, found.unjudged) == (
        "application/pdf", FOUND, REPORT, False,
    )  # fmt: skip
    assert asked.inspector.asked == {"a.pdf": len(SIGNED)}
    question = asked.checker.asked["a.pdf"]
    assert (question.at, question.seen, question.content) == (SEEN, SEEN, None)
    assert question.file.closed


def test_an_unsigned_pdf_costs_no_check_of_signatures(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "a.pdf", PDF)
    assert asked.answer().signatures is None
    assert asked.checker.asked == {}


def test_what_nobody_looks_into_is_not_put_on_the_disk(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "a.bin", BINARY)
    assert asked.answer().inspection == FOUND
    assert (asked.written, asked.inspector.asked) == (False, {"a.bin": None})


def test_a_container_is_identified_as_a_whole(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "a.docx", b"PK\x03\x04" + BINARY)
    assert asked.answer().format.puid == Puid("fmt/412")
    assert asked.written


def test_a_file_that_is_not_at_hand_is_inspected_by_its_windows_and_its_signatures_are_unjudged(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "a.pdf", SIGNED, at_hand=False)
    found = asked.answer()
    assert (found.signatures, found.unjudged) == (None, True)
    assert asked.inspector.asked == {"a.pdf": None}
    assert asked.checker.asked == {}


def test_a_signature_beside_gets_what_it_signs(tmp_path: Path) -> None:
    seen: list[tuple[bytes, bytes | None]] = []
    asked = Asked(tmp_path, "a.docx.p7s", b"cms", content=b"PK")
    asked.checker.answer = lambda data, content: seen.append((data, content)) or REPORT  # type: ignore[func-returns-value]
    assert asked.answer().signatures == REPORT
    assert seen == [(b"cms", b"PK")]


def test_without_inspector_and_checker_only_the_format_is_told(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "a.pdf", SIGNED)
    found = Examiner(asked.identifier, seen=SEEN).examine(asked.exhibit)
    assert (found.format.mime, found.inspection, found.signatures) == ("application/pdf", Inspection(), None)
    assert not asked.written


# Large files, before their format is known


def test_every_format_that_is_looked_into_as_a_whole_is_known_by_its_beginning() -> None:
    """As PRONOM's own signatures write them."""
    paths = default_signatures()
    known = read_signature_files(paths.binary, paths.container).formats
    looked, missed = set(), set()
    for one in byte_skeletons(paths.binary):
        format = known[one.puid]
        family = family_of(Format(Puid(one.puid), format.name, format.version, format.mime, "signature"))
        if (
            family is not None and family.whole and family.name != "office"
        ):  # those are containers, known by their heads
            looked.add(one.puid)
            rest = b" " if family.name in ("text", "xml", "html", "rtf", "email") else b"\0"
            if not may_be_wanted(one.data + rest * WINDOW):
                missed.add(one.puid)
    assert looked
    # The first bitmap of Windows, and TAR before POSIX: they begin with numbers that anything may begin with.
    assert missed <= {"fmt/114", "x-fmt/265"}


@pytest.mark.parametrize(
    "head",
    [
        PDF,
        b"\n\n" + PDF + bytes(5000),
        b"PK\x03\x04" + bytes(5000),
        "Kính gửi".encode() * 900,
        "Kính gửi".encode("utf-16") * 900,
        b"<?xml",
        b"\xff\xd8\xff\xe0" + bytes(5000),
        b"II*\0" + bytes(5000),
        b"RIFF\1\2\3\4WEBP" + bytes(5000),
        b"a.txt".ljust(257, b"\0") + b"ustar\x0000" + bytes(5000),
    ],
)
def test_wanted(head: bytes) -> None:
    assert may_be_wanted(head)


@pytest.mark.parametrize("head", [BINARY * 3, b"RIFF\1\2\3\4WAVE" + bytes(5000), b"\0\0\0\x20ftypisom" + bytes(5000)])
def test_not_wanted(head: bytes) -> None:
    assert not may_be_wanted(head)


def test_what_is_not_very_large_is_looked_into_whatever_it_begins_with() -> None:
    """Signatures may lie anywhere: the versions of Access, the kinds of disk images."""
    assert wanted_whole(1 << 20, BINARY * 3)
    assert not wanted_whole(LARGEST, BINARY * 3)
    assert wanted_whole(LARGEST, b"\0\1\0\0Standard Jet DB" + bytes(5000))
    assert not wanted_whole(LARGEST + 1, PDF)
