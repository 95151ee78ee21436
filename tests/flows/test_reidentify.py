"""Newer signature files come, and an officer has the formats of what is held told anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from preservation.identification.data import default_signatures
from tests.builders.samples import PDF_14
from tests.flows.test_cli import Desk

FILES = {"01 Quyết định.pdf": PDF_14, "02 Ghi chú.txt": "Số 12/QĐ-UBND\n".encode()}


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    assert made.type("init", "--code", "H20.LTLS", "--name", "Kho thử")[0] == 0
    return made


def _newer(folder: Path) -> list[str]:
    """Signature files by which a PDF 1.4 has another identifier."""
    given = default_signatures()
    binary = folder / "DROID_SignatureFile_V900.xml"
    text = given.binary.read_text(encoding="utf-8").replace('Version="109"', 'Version="900"')
    binary.write_text(text.replace('PUID="fmt/18"', 'PUID="fmt/9018"'), encoding="utf-8")
    return [str(binary), str(given.container)]


def test_formats_of_holdings_follow_newer_signature_files(desk: Desk, tmp_path: Path) -> None:
    desk.ingest(desk.bag("one", files=FILES))
    sealed = [path.read_bytes() for path in desk.objects("kho-a")]
    assert desk.ask("formats", "reidentify")["changed"] == 0
    assert desk.ask("formats", "reidentify")["skipped"] == 1
    assert desk.type("formats", "update", *_newer(tmp_path))[0] == 0
    report = desk.ask("formats", "reidentify")
    assert (report["versions"], report["files"], report["changed"], report["unreadable"]) == (1, 2, 1, 0)
    (change,) = report["changes"]
    assert (change["before"]["puid"], change["after"]["puid"]) == ("fmt/18", "fmt/9018")
    assert change["path"].endswith("01 Quyết định.pdf")
    assert report["signatures"].startswith("PRONOM V900") and "sha256:" in report["agent"]
    assert [path.read_bytes() for path in desk.objects("kho-a")] == sealed
    assert desk.ask("audit", "--all")["replicas"] == {"MATCH": 2}
    before = desk.ask("show", change["aip"])
    (desk.home / "catalogue.sqlite").unlink()
    assert desk.type("rebuild")[0] == 0
    assert desk.ask("show", change["aip"]) == before


def test_by_fonds_by_name_and_all_again(desk: Desk) -> None:
    desk.ingest(desk.bag("one", files=FILES))
    assert desk.ask("formats", "reidentify", "--fonds", "không có")["versions"] == 0
    report = desk.ask("formats", "reidentify")
    assert (report["versions"], report["changed"]) == (1, 0)
    code, out, _ = desk.type("formats", "reidentify")
    assert code == 0 and "đã xét 0 gói" in out
    assert desk.ask("formats", "reidentify", "--again")["versions"] == 1
    assert desk.type("formats", "reidentify", "00000000-0000-4000-8000-000000000000")[0] == 5
    assert desk.type("formats", "reidentify", "x", "--fonds", "y")[0] == 2
