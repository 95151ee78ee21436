"""The check of one package: everything at once, nothing kept, no fault of a judge or of a package ends it."""

from __future__ import annotations

import errno
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import check as module
from ingest.advice import action_of, actions
from ingest.check import CheckedFile, CheckReport, CheckVerdict, check_package
from ingest.formats_said import agree
from ingest.guards import GuardLimits
from ingest.packages.examined import Subject
from ingest.packages.reading import reading
from metadata.errors import NoSpace, NotFound
from metadata.findings import Findings, Severity, finding_rules, judging
from metadata.holdings import Format
from metadata.identifiers import ArchiveCode
from metadata.package_kinds import PackageProfile
from metadata.refusal import DocumentRefused
from preservation.identification.port import Sample
from tests.builders.identifier import PDF as PDF_FORMAT
from tests.builders.identifier import MemoryIdentifier
from tests.builders.small_bags import FILES, write_bag
from tests.builders.tt05 import sip_hoso
from tests.builders.watching import watching

BAD = "02 Báo cáo.txt"
PDF = b"%PDF-1.4 x"


def checked(package: Path, tmp_path: Path, profile: str = "", **named: Any) -> CheckReport:
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    report = check_package(package, work, PackageProfile.parse(profile) if profile else None, **named)
    assert list(work.iterdir()) == [], "temporary files are left"
    return report


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                made.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    return target


def test_a_good_package_is_good(tmp_path: Path) -> None:
    report = checked(write_bag(tmp_path / "bag"), tmp_path)
    assert (report.verdict, report.findings, report.counts) == (CheckVerdict.GOOD, (), {})
    assert (report.name, report.profile, report.objid, report.title) == ("bag", "bagit", "bag-1", "Hồ sơ sen")
    assert report.files == 5
    assert report.bytes == sum(path.stat().st_size for path in (tmp_path / "bag").rglob("*") if path.is_file())
    assert [one.path for one in report.tree if one.worst] == []
    assert [one.path for one in report.tree][2:4] == [f"data/{name}" for name in sorted(FILES)]


def test_folder_and_zip_are_one_package(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag")
    one, other = checked(bag, tmp_path), checked(zipped(bag, tmp_path / "b.zip"), tmp_path)
    assert one.content == other.content
    assert len(one.content) == 64
    assert one.tree == other.tree
    assert other.name == "b.zip"


def test_errors_of_structure_and_of_bytes_are_told_in_one_go(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", flip=BAD)
    (bag / "data" / "thừa.txt").write_text("x")
    (bag / "data" / "01 Công văn về việc kiểm tra.txt").unlink()
    report = checked(bag, tmp_path)
    assert report.verdict is CheckVerdict.REFUSED
    assert report.counts == {"BAG-EXTRA": 1, "BAG-MISSING": 1, "PASS-CHECKSUM": 1}
    marks = {one.path: (one.size, one.worst) for one in report.tree if one.worst}
    assert marks == {
        f"data/{BAD}": (8800, Severity.ERROR),
        "data/thừa.txt": (1, Severity.ERROR),
        "data/01 Công văn về việc kiểm tra.txt": (None, Severity.ERROR),
    }


def test_remarks_alone_refuse_nothing(tmp_path: Path) -> None:
    report = checked(write_bag(tmp_path / "bag", files={"a.txt": b"1", "A.txt": b"2"}), tmp_path)
    assert report.verdict is CheckVerdict.NOTED
    assert report.counted(Severity.ERROR) == 0
    assert report.counted(Severity.NOTE) == 1


def test_names_judged_with_the_top_folder_are_marked_in_the_tree(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", files={"a?.txt": b"1"})
    report = checked(zipped(bag, tmp_path / "b.zip"), tmp_path)
    assert report.counts == {"NAME-PORTABILITY": 1}
    assert CheckedFile("data/a?.txt", 1, Severity.NOTE) in report.tree


def test_what_is_refused_as_such_is_not_read(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", flip=BAD)
    (bag / "data" / "link").symlink_to("/etc/passwd")
    read: list[tuple[int, int]] = []
    report = checked(bag, tmp_path, on_progress=lambda done, total: read.append((done, total)))
    assert report.counts == {"SOURCE-LINK": 1}
    assert read == []
    assert report.tree == (CheckedFile("data/link", None, Severity.ERROR),)
    assert report.content == ""


@pytest.mark.parametrize(
    ("limits", "code"), [(GuardLimits(files=2), "SOURCE-MANY"), (GuardLimits(bytes=100), "SOURCE-LARGE")]
)
def test_amounts_are_bounded(tmp_path: Path, limits: GuardLimits, code: str) -> None:
    report = checked(write_bag(tmp_path / "bag"), tmp_path, limits=limits)
    assert (set(report.counts), report.files) == ({code}, 0)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x1f\x8b", b"text"])
def test_what_is_no_package_at_all(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(data)
    report = checked(file, tmp_path)
    assert report.verdict is CheckVerdict.REFUSED
    assert report.name == "x.zip"
    assert report.findings


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        checked(tmp_path / "none", tmp_path)


def test_a_profile_that_was_asked_for_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("x")
    assert checked(folder, tmp_path, "bagit").profile == "bagit"
    assert checked(folder, tmp_path).verdict is CheckVerdict.REFUSED


def test_progress_is_of_bytes(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    report = checked(write_bag(tmp_path / "bag"), tmp_path, on_progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, report.bytes)
    assert told[-1] == (report.bytes, report.bytes)
    assert sorted(told) == told


@pytest.mark.parametrize("error", [KeyboardInterrupt, NoSpace])
def test_a_check_can_be_ended_in_the_middle_of_a_large_file(tmp_path: Path, error: type[BaseException]) -> None:
    bag = write_bag(tmp_path / "bag", files={"a.txt": b"x", "b.bin": bytes(30_000_000), "c.txt": b"y"})

    def stop(done: int, total: int) -> None:
        if done > 5_000_000:
            raise error(None)

    with pytest.raises(error):
        checked(bag, tmp_path, on_progress=stop)
    assert list((tmp_path / "work").iterdir()) == []


def test_the_tree_is_bounded_and_files_with_findings_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TREE_LIMIT", 4)
    bag = write_bag(tmp_path / "bag", files={f"{number:02}.txt": b"x" for number in range(9)}, flip="08.txt")
    (bag / "data" / "a?").write_text("x")
    report = checked(bag, tmp_path)
    assert [one.path for one in report.tree] == ["bag-info.txt", "bagit.txt", "data/08.txt", "data/a?"]
    assert report.files == 13


# Judges that fail


def test_a_judge_that_fails_costs_what_it_would_have_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.inspect

    def inspect(*arguments: Any) -> None:
        real(*arguments)
        raise KeyError("/secret")

    monkeypatch.setattr(module, "inspect", inspect)
    report = checked(write_bag(tmp_path / "bag", flip=BAD), tmp_path)
    assert report.counts == {"CHECK-UNREADABLE": 1, "PASS-CHECKSUM": 1}
    told = next(one for one in report.findings if one.code == "CHECK-UNREADABLE")
    assert "KeyError, test_check.py:" in told.message.en
    assert "/secret" not in told.message.en
    assert report.verdict is CheckVerdict.REFUSED, "could not look is not good"


def test_a_refusal_that_nobody_took_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def inspect(*_: Any) -> None:
        raise DocumentRefused("XML-DOCTYPE", "METS.xml", line=2)

    monkeypatch.setattr(module, "inspect", inspect)
    assert checked(write_bag(tmp_path / "bag"), tmp_path).counts == {"XML-DOCTYPE": 1}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), _full := sqlite3.OperationalError("full")])
def test_our_own_disk_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    if error is _full:
        _full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def inspect(*_: Any) -> None:
        raise error

    monkeypatch.setattr(module, "inspect", inspect)
    with pytest.raises(NoSpace):
        checked(write_bag(tmp_path / "bag"), tmp_path)
    assert list((tmp_path / "work").iterdir()) == []


class OneFile:
    """A source with one file, for a judge to read."""

    name = "x"

    def open(self, path: str) -> Any:
        import io

        return io.BytesIO(b"data")


@pytest.mark.parametrize("path", ["bag-info.txt", "metadata/EAD.xml"])
def test_a_judge_of_one_file_that_fails_is_a_finding_of_that_file(path: str) -> None:
    findings = Findings()
    subject = Subject(OneFile(), "", None, findings, ArchiveCode("A"), None, None)  # type: ignore[arg-type]

    def judge(stream: Any) -> None:
        stream.read()
        raise RecursionError

    assert reading(subject, path, judge) is None
    (told,) = findings.kept()
    assert (told.code, told.place) == ("CHECK-UNREADABLE", path)
    assert subject.seen == {}


def test_only_a_judge_is_forgiven() -> None:
    for error in (MemoryError(), OSError(5, "x"), sqlite3.OperationalError(), NotFound(None), KeyboardInterrupt()):  # type: ignore[arg-type]
        with pytest.raises(type(error)), judging(Findings(), "x"):
            raise error


# Formats


def test_files_are_what_the_mets_and_their_names_say(tmp_path: Path) -> None:
    files = {"1.pdf": PDF, "2.jpg": PDF, "3.tiff": b"II", "4": PDF, "5.docx": PDF, "6.txt": b"text", "7.PDF": PDF}
    bag = write_bag(tmp_path / "bag", files=files)
    looking = MemoryIdentifier()
    report = checked(bag, tmp_path, watch=watching(looking))
    assert {one.place for one in report.findings} == {"data/2.jpg"}, "an extension that the table lacks says nothing"
    (told,) = report.findings
    assert (told.code, told.severity) == ("CHECK-FORMAT", Severity.WARNING)
    assert "image/jpeg (.jpg)" in told.message.vi and "application/pdf, fmt/18" in told.message.vi
    assert {f"data/{name}" for name in files} <= set(looking.asked)
    assert checked(bag, tmp_path).findings == ()


def test_the_mets_is_believed_before_the_name(tmp_path: Path) -> None:
    folder = sip_hoso(tmp_path)
    mets = folder / "representations" / "rep1" / "METS.xml"
    text = mets.read_text(encoding="utf-8")
    assert text.count('MIMETYPE="application/pdf"') >= 2
    mets.write_text(text.replace('MIMETYPE="application/pdf"', 'MIMETYPE="image/tiff"', 1), encoding="utf-8")
    report = checked(folder, tmp_path, watch=watching(Everything()))
    (told,) = [one for one in report.findings if one.code == "CHECK-FORMAT"]
    assert "image/tiff (METS)" in told.message.en


class Everything(MemoryIdentifier):
    """Takes every PDF for PDF 1.4."""

    def identify(self, sample: Sample) -> Format:
        return PDF_FORMAT if sample.head.startswith(b"%PDF") else super().identify(sample)


@pytest.mark.parametrize(
    ("said", "found", "same"),
    [
        ("application/pdf", "application/pdf", True),
        ("Application/PDF; version=1.4", "application/pdf", True),
        ("text/xml", "application/xml", True),
        ("audio/x-wav", "audio/vnd.wave", True),
        ("image/jpg", "image/jpeg", True),
        ("", "application/pdf", True),
        ("application/octet-stream", "application/pdf", True),
        ("text/plain", "text/csv", True),
        ("application/pdf", "application/octet-stream", True),
        ("application/pdf", "application/msword", False),
        ("image/tiff", "image/jpeg", False),
        ("text/plain", "application/pdf", False),
        ("nonsense", "application/pdf", False),
    ],
)
def test_types_that_mean_the_same(said: str, found: str, same: bool) -> None:
    assert agree(said, found) is agree(found, said) is same


# What to do


def test_findings_are_grouped_by_what_to_do(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", files={**FILES, "a?.txt": b"1"}, flip=BAD)
    (bag / "data" / "thừa 1.txt").write_text("x")
    (bag / "data" / "thừa 2.txt").write_text("x")
    report = checked(bag, tmp_path)
    found = actions(report.findings, report.counts)
    assert [(one.name, one.count, one.severity) for one in found] == [
        ("originals", 1, Severity.ERROR),
        ("files", 2, Severity.ERROR),
        ("names", 1, Severity.NOTE),
    ]
    (kind,) = found[1].kinds
    assert (kind.code, kind.count, kind.unlisted) == ("BAG-EXTRA", 2, 0)


def test_what_is_not_listed_is_counted(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag")
    for number in range(1005):
        (bag / "data" / f"thừa {number}").touch()
    report = checked(bag, tmp_path)
    (action,) = actions(report.findings, report.counts)
    (kind,) = action.kinds
    assert (kind.count, len(kind.findings), kind.unlisted) == (1005, 1000, 5)


def test_every_code_has_something_to_do() -> None:
    names = {code: action_of(code) for code in finding_rules()}
    assert set(names.values()) == {"originals", "files", "formats", "names", "describing", "archive", "packing"}
    assert names["TT05-REQUIRED"] == "describing"
    assert names["NAME-CONTROL"] == "names"
    assert names["XML-DOCTYPE"] == "packing"
    assert names["CHECK-UNREADABLE"] == "archive"
    assert names["SOURCE-UNREADABLE"] == "originals"
    assert names["EARK-CSIP1"] == "packing"


@given(st.lists(st.tuples(st.sampled_from(sorted(finding_rules())), st.integers(0, 3)), max_size=30))
def test_no_finding_is_lost_by_grouping(drawn: list[tuple[str, int]]) -> None:
    class Words(dict[str, object]):
        def __missing__(self, key: str) -> object:
            return "x"

    findings = Findings()
    for code, number in drawn:
        rule = finding_rules()[code]
        names = {part.split("}")[0] for text in (rule.template.vi, rule.template.en) for part in text.split("{")[1:]}
        findings.add(code, f"tệp {number}", **dict.fromkeys(names - {"place"}, "x"))
    found = actions(findings.kept(), findings.counts)
    listed = [one for action in found for kind in action.kinds for one in kind.findings]
    assert sorted(map(repr, listed)) == sorted(map(repr, findings.kept()))
    assert sum(action.count for action in found) == len(drawn)
    graves = [list(Severity).index(action.severity) for action in found]
    assert graves == sorted(graves)


def test_a_report_is_plain_values(tmp_path: Path) -> None:
    assert json.dumps(dict(checked(write_bag(tmp_path / "bag"), tmp_path).counts)) == "{}"
