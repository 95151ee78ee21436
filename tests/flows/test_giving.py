"""The commands that give packages out, as an officer and a program use them."""

from __future__ import annotations

import json
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest

from administration.cli import run
from metadata.tt05.sip import SipDocument
from tests.builders.small_bags import FILES, write_bag
from tests.builders.tt05 import PDF, document_fields, sip_hoso

ASKED = ("--request-id", "YC-1", "--purpose", "02")


class Desk:
    """One archive that holds a dossier, and someone who types commands."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = folder / "kho"
        self._capture = capture
        assert self.type("init", "--code", "H20.LTLS", "--name", "Kho thử")[0] == 0
        self.aip = self.take(sip_hoso(folder / "nop"))

    def type(self, *arguments: str) -> tuple[int, str, str]:
        self._capture.readouterr()
        code = run(["--home", str(self.home), *arguments])
        out, error = self._capture.readouterr()
        return code, out, error

    def ask(self, *arguments: str, code: int = 0) -> Any:
        found, out, error = self.type(*arguments, "--json")
        assert found == code, (found, out, error)
        return json.loads(out)

    def take(self, package: Path) -> str:
        return str(self.ask("ingest", str(package))["packages"][0]["receipt"]["aip"])


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_a_dip_for_a_program(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "Gói của ông Ấn.zip"
    made = desk.ask("dip", desk.aip, *ASKED, "--out", str(out), "--document", "2")
    assert (made["documents"], made["files"], made["written"]) == (1, 1, str(out))
    with zipfile.ZipFile(out) as package:
        assert f"{made['dip']}/representations/rep1/data/File2.pdf" in package.namelist()
        assert b"YC-1" in package.read(f"{made['dip']}/metadata/descriptive/EAD.xml")
    events = desk.ask("show", desk.aip)["events"]
    assert [one["id"] for one in events if one["type"] == "dissemination"] == [made["event"]]


def test_documents_that_are_not_public_are_counted(desk: Desk, tmp_path: Path) -> None:
    secret = [
        SipDocument(f"F{n}", document_fields(n, mode=mode), {f"{n}.pdf": PDF})
        for n, mode in enumerate(["01", "2", "03"], 1)
    ]
    aip = desk.take(sip_hoso(tmp_path / "mật", identity=uuid.uuid4(), contents=secret))
    assert desk.ask("dip", aip, *ASKED, "--out", str(tmp_path / "1.zip"))["restricted"] == 2
    assert desk.ask("dip", aip, *ASKED, "--out", str(tmp_path / "2.zip"), "--document", "1")["restricted"] == 0
    assert "2 tài liệu không phải công khai" in desk.type("dip", aip, *ASKED, "--out", str(tmp_path / "3.zip"))[1]


def test_a_dip_for_a_person(desk: Desk, tmp_path: Path) -> None:
    code, out, error = desk.type("dip", desk.aip, *ASKED, "--out", str(tmp_path / "gói"))
    assert (code, error) == (0, "")
    assert "2 tài liệu, 2 tệp" in out
    (folder,) = (tmp_path / "gói").iterdir()
    assert folder.name in out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--request-id", " ", "--purpose", "01"), 2),
        (("--request-id", "x" * 101, "--purpose", "01"), 2),
        (("--request-id", "YC", "--purpose", "04"), 2),
        (("--request-id", "YC", "--purpose", "01", "--request-date", "hôm qua"), 2),
        (("--purpose", "01"), 2),
        ((*ASKED, "--document", "0"), 2),
        ((*ASKED, "--document", "9"), 5),
    ],
)
def test_what_makes_no_sense_makes_no_package(
    desk: Desk, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:  # fmt: skip
    found, out, error = desk.type("dip", desk.aip, *arguments, "--out", str(tmp_path / "x.zip"))
    assert (found, out) == (code, "")
    assert error and "Traceback" not in error
    assert not (tmp_path / "x.zip").exists()


def test_what_exists_is_left(desk: Desk, tmp_path: Path) -> None:
    for command in (("dip", desk.aip, *ASKED), ("export", desk.aip)):
        (tmp_path / "x.zip").write_bytes(b"mine")
        assert desk.type(*command, "--out", str(tmp_path / "x.zip"))[0] == 6
        assert (tmp_path / "x.zip").read_bytes() == b"mine"
        assert desk.type(*command, "--out", str(tmp_path / "không có" / "x.zip"))[0] == 2
        assert desk.type(command[0], "0" * 8 + desk.aip[8:], *command[2:], "--out", str(tmp_path / "y.zip"))[0] == 5


def test_an_export_for_another_archive(desk: Desk, tmp_path: Path) -> None:
    made = desk.ask("export", desk.aip, "--out", str(tmp_path / "x.zip"))
    with zipfile.ZipFile(tmp_path / "x.zip") as package:
        names = package.namelist()
    assert made["files"] == len(names)
    assert f"{made['folder']}/METS.xml" in names
    assert {name.partition("/")[0] for name in names} == {made["folder"]}


def test_a_plain_package_goes_out_too(desk: Desk, tmp_path: Path) -> None:
    aip = desk.take(write_bag(tmp_path / "bag"))
    assert desk.ask("dip", aip, *ASKED, "--out", str(tmp_path / "x.zip"))["documents"] == len(FILES)
