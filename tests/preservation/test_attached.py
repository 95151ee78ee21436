"""Files in PDFs are unpacked and scanned by themselves."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from metadata.outcomes import Virus
from preservation.antivirus.attached import AttachedFiles
from preservation.antivirus.eicar import EICAR
from preservation.antivirus.memory import MemoryScanner
from preservation.antivirus.port import ScannerUnavailable, ScanResult
from preservation.workshop.local import LocalWorkshop
from tests.builders.infected import pdf_attachment, pdf_plainly_attached
from tests.services.fake_clamd import FakeClamd

FOUND = ScanResult(Virus.INFECTED, "Eicar-Test-Signature (attachment)")


def scan(data: bytes, tmp_path: Path) -> ScanResult | None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with path.open("rb") as file:
        return AttachedFiles(LocalWorkshop()).scan(file, MemoryScanner())


def annotated() -> bytes:
    """A file on a page, named by an annotation and not by the catalogue."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        stream = pdf.make_stream(EICAR)
        annotation = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.FileAttachment,
            Rect=[0, 0, 9, 9],
            FS=pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F="a", EF=pikepdf.Dictionary(F=stream)),
        )
        page.obj.Annots = pdf.make_indirect(pikepdf.Array([annotation]))
        made = io.BytesIO()
        pdf.save(made, compress_streams=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return made.getvalue()


def protected() -> bytes:
    """Rights are restricted, and everybody may open it."""
    with pikepdf.open(io.BytesIO(pdf_attachment())) as pdf:
        made = io.BytesIO()
        pdf.save(made, encryption=pikepdf.Encryption(owner="x", user=""))
    return made.getvalue()


@pytest.mark.parametrize(
    "make",
    [pdf_attachment, pdf_plainly_attached, annotated, protected, lambda: pdf_attachment(pdf_attachment(), "b.pdf")],
)
def test_a_file_in_a_pdf_is_scanned(make: Callable[[], bytes], tmp_path: Path) -> None:
    assert EICAR not in make()
    assert scan(make(), tmp_path) == FOUND


@pytest.mark.parametrize("data", [pdf_attachment(b"clean"), b"%PDF-1.7\nno", b"", EICAR])
def test_nothing_is_said_of_clean_ones_and_of_what_cannot_be_unpacked(data: bytes, tmp_path: Path) -> None:
    assert scan(data, tmp_path) is None


def test_too_much_is_left_to_the_scan_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from preservation.formats import pdf_files

    monkeypatch.setattr(pdf_files, "LARGEST", 60)
    assert scan(pdf_attachment(), tmp_path) is None


def test_a_scanner_that_goes_away_is_told(tmp_path: Path) -> None:
    from preservation.antivirus.clamd import ClamdScanner

    with FakeClamd() as gone:
        address = gone.address
    path = tmp_path / "file"
    path.write_bytes(pdf_attachment())
    with path.open("rb") as file, pytest.raises(ScannerUnavailable):
        AttachedFiles(LocalWorkshop()).scan(file, ClamdScanner(address))
