"""The same attacks on XML (numbers 57 to 61 and 66) in every document that an AIP or an E-ARK package is read by."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ingest.check import CheckVerdict, check_package
from ingest.receipt import Verdict
from metadata.findings import Severity
from tests.builders.archive import small_archive
from tests.builders.eark import build_eark
from tests.builders.packages import package_of
from tests.builders.tt05 import sip_hoso

CANARY = "CHIM-HOÀNG-YẾN"
AIP = [
    "METS.xml",
    "metadata/descriptive/EAD.xml",
    "metadata/preservation/PREMIS.xml",
    "representations/rep1/METS.xml",
    "representations/rep1/metadata/descriptive/EAD_doc_File1.xml",
    "representations/rep1/metadata/preservation/PREMIS_rep1.xml",
]
EARK = ["METS.xml", "representations/rep1/METS.xml", "representations/rep2/METS.xml"]
DOCUMENTS = [*(("aip", name) for name in AIP), *(("eark", name) for name in EARK)]
LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
BEFORE = {
    "57 an entity of a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "57 an entity of the web": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://169.254.169.254/">]>',
    "58 a DTD elsewhere": '<!DOCTYPE x SYSTEM "http://10.0.0.1/x.dtd">',
    "58 a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    "59 laughs": LAUGHS,
}
INSIDE = {
    "60 levels": ("<a>" * 3000 + "</a>" * 3000, "XML-TOO-DEEP"),
    "60 attributes": ("<a " + " ".join(f"b{n}=''" for n in range(20_000)) + "/>", "XML-TOO-LARGE"),
    "66 NUL": ("\0", "XML-NOT-WELL-FORMED"),
    "66 an entity of nothing": ("<a>&nothing;</a>", "XML-NOT-WELL-FORMED"),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("good")
    with small_archive(folder / "archive") as archive:
        receipt = archive.receive(sip_hoso(folder / "sent"))
        assert receipt.verdict is Verdict.ACCEPTED
        aip = package_of(archive.object(receipt), folder / "aip")
    return {"aip": aip, "eark": build_eark(folder / "eark", "sip")}


def refused_at(package: Path, name: str, folder: Path) -> set[str]:
    """The codes of the errors at the document; the package is refused."""
    report = check_package(package, folder)
    assert report.verdict is CheckVerdict.REFUSED
    assert "CHECK-UNREADABLE" not in report.counts
    return {one.code for one in report.findings if one.place == name and one.severity is Severity.ERROR}


@pytest.mark.parametrize(("kind", "name"), DOCUMENTS)
@pytest.mark.parametrize("attack", BEFORE)
def test_a_doctype(attack: str, kind: str, name: str, packages: dict[str, Path], tmp_path: Path) -> None:
    package = shutil.copytree(packages[kind], tmp_path / packages[kind].name)
    text = (package / name).read_text("utf-8")
    declaration, _, rest = text.partition("?>") if text.startswith("<?xml") else ("", "", text)
    (package / name).write_text(f"{declaration}?>{BEFORE[attack]}{rest}" if declaration else BEFORE[attack] + rest)
    assert "XML-DOCTYPE" in refused_at(package, name, tmp_path)


@pytest.mark.parametrize(("kind", "name"), DOCUMENTS)
@pytest.mark.parametrize("attack", INSIDE)
def test_too_much(attack: str, kind: str, name: str, packages: dict[str, Path], tmp_path: Path) -> None:
    package = shutil.copytree(packages[kind], tmp_path / packages[kind].name)
    more, code = INSIDE[attack]
    before, _, end = (package / name).read_text("utf-8").rpartition("</")
    (package / name).write_text(f"{before}{more}</{end}", "utf-8")
    assert code in refused_at(package, name, tmp_path)


@pytest.mark.parametrize(("kind", "name"), DOCUMENTS)
def test_xinclude(kind: str, name: str, packages: dict[str, Path], tmp_path: Path) -> None:
    package = shutil.copytree(packages[kind], tmp_path / packages[kind].name)
    (tmp_path / "secret.txt").write_text(CANARY)
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{(tmp_path / "secret.txt").as_uri()}"/>'
    before, _, end = (package / name).read_text("utf-8").rpartition("</")
    (package / name).write_text(f"{before}{include}</{end}", "utf-8")
    work = tmp_path / "work"
    work.mkdir()
    assert CANARY not in repr(check_package(package, work))
