"""Bags judged by BagIt alone: the public conformance suite, another judge, and what a bag of great size costs."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import bagit
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.check import CheckReport, CheckVerdict, check_package
from ingest.sources import open_source
from metadata.bagit import BAGIT_VERSIONS
from metadata.bagit_profile import tt05_bag_profile
from metadata.findings import Findings, finding_rules
from metadata.package_kinds import PackageKind, PackageProfile
from tests.builders.bags import append, bag, drop_line, replace, write_tag_manifests
from tests.builders.shared_data import shared_data

BAGIT = PackageProfile(PackageKind.BAG)
SUITE = shared_data("bagit-conformance-suite")
FLAWED = {
    "v0.97/warning/special-system-files": "data/.DS_Store",  # is listed and was never put into the suite
    "v0.97/warning/duplicate-file-with-different-case": "data/HELLO.txt",  # is there only where case does not count
}
WARNED = {
    "made-with-md5sum-tools": "BAG-ASTERISK",
    "relative-path": "BAG-DOT-SLASH",
    "same-filename-listed-twice-with-different-normalization": "BAG-SPELLING",
    "same-filename-listed-twice-with-the-same-hash": "BAG-TWICE-SAME",
    "special-system-files": "BAG-SYSTEM-FILE",
    "duplicate-file-with-different-case": "NAME-CASE",
}


def judged(package: Path, work: Path) -> CheckReport:
    work.mkdir(parents=True, exist_ok=True)
    return check_package(package, work, BAGIT)


def of_suite(kind: str) -> list[str]:
    found = sorted(SUITE.glob(f"v*/{kind}/*/")) if SUITE else []
    return [str(path.relative_to(SUITE)) for path in found if path.is_dir()] if SUITE else []


@pytest.mark.parametrize("name", [*of_suite("valid"), *of_suite("warning")])
def test_every_valid_bag_of_the_suite_is_accepted(name: str, tmp_path: Path) -> None:
    assert SUITE
    package = SUITE / name
    if name in FLAWED:
        broken = judged(package, tmp_path / "flawed")
        assert broken.counts["BAG-MISSING"] == 1
        package = shutil.copytree(package, tmp_path / "bag")
        shutil.copyfile(next((package / "data").iterdir()), package / FLAWED[name])
        write_oxum(package)
    report = judged(package, tmp_path / "work")
    assert report.verdict is not CheckVerdict.REFUSED, dict(report.counts)
    if "/warning/" in name:
        assert WARNED[package.name if package.name in WARNED else name.rpartition("/")[2]] in report.counts


def write_oxum(package: Path) -> None:
    """The suite's own count, made before a file was lost, or right only where case does not count."""
    files = [path.stat().st_size for path in (package / "data").rglob("*") if path.is_file()]
    info = package / "bag-info.txt"
    lines = [line for line in info.read_text().splitlines() if not line.startswith("Payload-Oxum")]
    info.write_text("\n".join([*lines, f"Payload-Oxum: {sum(files)}.{len(files)}", ""]))
    for manifest in package.glob("tagmanifest-*.txt"):
        manifest.unlink()


@pytest.mark.parametrize("name", [*of_suite("invalid"), *of_suite("linux-only"), *of_suite("windows-only")])
def test_every_invalid_bag_of_the_suite_is_refused_with_a_code_of_its_own(name: str, tmp_path: Path) -> None:
    assert SUITE
    report = judged(SUITE / name, tmp_path / "work")
    assert report.verdict is CheckVerdict.REFUSED
    assert any(code.startswith(("BAG-", "PASS-")) for code in report.counts)


VERSIONS = {
    "0.93": "package-info.txt", "0.94": "package-info.txt", "0.95": "package-info.txt",
    "0.96": "bag-info.txt", "0.97": "bag-info.txt", "1.0": "bag-info.txt",
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
def test_a_bag_of_each_version_in_each_encoding(version: str, encoding: str, tmp_path: Path) -> None:
    info = (("External-Identifier", "É-1"), ("External-Description", "Été"))
    payload = {"é.txt": b"1", "a b.txt": b"2"}
    made = bag(tmp_path / "bag", payload, version=version, encoding=encoding, info=info, tag_manifests=False)
    report = judged(made, tmp_path / "work")
    assert set(report.counts) == ({"BAG-ENCODING-OTHER"} if encoding != "UTF-8" else set())
    assert (report.objid, report.title) == ("É-1", "Été")
    shutil.move(made / VERSIONS[version], made / "other.txt")
    assert judged(made, tmp_path / "work").title == ""


def test_names_in_another_normal_form_are_found_however_many(tmp_path: Path) -> None:
    """A bag made where file names are decomposed, of more files than findings are told of."""
    payload = {unicodedata.normalize("NFC", f"Công văn {n}.txt"): b"x" for n in range(1500)}
    made = bag(tmp_path / "bag", payload, algorithms=("sha256",), tag_manifests=False)
    manifest = made / "manifest-sha256.txt"
    manifest.write_text(unicodedata.normalize("NFD", manifest.read_text("utf-8")), "utf-8")
    report = judged(made, tmp_path / "work")
    assert dict(report.counts) == {"BAG-SPELLING": 1500}
    assert len(report.findings) == 1000


def test_no_manifest_hides_behind_many_names(tmp_path: Path) -> None:
    made = bag(tmp_path / "bag", algorithms=("md5",), tag_manifests=False)
    for number in range(1100):
        (made / f"manifest-n{number:04}").touch()
    (made / "manifest-sha256.txt").write_text(f"{'ab' * 32}  data/none\n")
    assert judged(made, tmp_path / "work").counts["BAG-MISSING"] == 1


# Another judge: bagit, where it is right

logging.getLogger("bagit").setLevel(logging.CRITICAL)
SMALL = {"a.txt": b"1\n", "b/c d.txt": b"2\n", "Ấn.txt": b""}
A = hashlib.sha256(SMALL["a.txt"]).hexdigest()
Change = Callable[[Path], object]


def ignoring_absence(change: Change) -> Change:
    """What an earlier change took away cannot be changed any more."""

    def attempt(folder: Path) -> None:
        try:
            change(folder)
        except (FileNotFoundError, AssertionError):
            return

    return attempt


CHANGES: dict[str, Change] = {
    "a byte of the payload": lambda b: (b / "data/a.txt").write_bytes(b"3\n"),
    "one more file": append("data/more.txt", "x"),
    "one file less": lambda b: (b / "data/a.txt").unlink(),
    "a line less": drop_line("manifest-sha256.txt", "a.txt"),
    "a line twice": append("manifest-sha256.txt", f"{A}  data/a.txt\n"),
    "a line twice, otherwise": append("manifest-sha256.txt", f"{'0' * 64}  data/a.txt\n"),
    "a line for a file that is not there": append("manifest-sha256.txt", f"{A}  data/none\n"),
    "a line outside": append("manifest-sha256.txt", f"{A}  ../../x\n"),
    "upper-case digests": replace("manifest-sha256.txt", A, A.upper()),
    "tabs": replace("manifest-sha256.txt", "  data", "\tdata"),
    "CRLF": replace("manifest-sha256.txt", "\n", "\r\n"),
    "blank lines": append("manifest-sha256.txt", "\n\n"),
    "./": replace("manifest-sha256.txt", "  data/a", "  ./data/a"),
    "NFD": lambda b: (b / "data/Ấn.txt").rename(b / "data" / unicodedata.normalize("NFD", "Ấn.txt")),
    "no tag manifest": lambda b: (b / "tagmanifest-sha256.txt").unlink(),
    "tag manifests anew": lambda b: write_tag_manifests(b, ("sha256",)),
    "one more tag file": append("notes.txt", "x"),
    "one more tag": append("bag-info.txt", "Note: x\n"),
    "a tag that goes on": append("bag-info.txt", "Note: x\n  y\n"),
    "another count": replace("bag-info.txt", "Payload-Oxum: 4.3", "Payload-Oxum: 4.4"),
    "no bag-info": lambda b: (b / "bag-info.txt").unlink(),
    "no declaration": lambda b: (b / "bagit.txt").unlink(),
    "an unknown version": replace("bagit.txt", "BagIt-Version: ", "BagIt-Version: 7"),
    "an unknown encoding": replace("bagit.txt", "UTF-8", "UTF-88"),
    "a list of what is there": append("fetch.txt", "https://example.org/a - data/a.txt\n"),
    "a list that leads outside": append("fetch.txt", "https://example.org/a - ../a.txt\n"),
}


def other_judge(folder: Path) -> bool:
    try:
        return bool(bagit.Bag(str(folder)).validate())
    except bagit.BagError:
        return False


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(sorted(CHANGES)), max_size=3), version=st.sampled_from(["0.96", "0.97", "1.0"]))
def test_another_judge_says_the_same_of_bags_changed_at_random(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], version: str
) -> None:
    folder = tmp_path_factory.mktemp("bags")
    made = bag(folder / "bag", SMALL, version=version, algorithms=("sha256",))
    for name in names:
        ignoring_absence(CHANGES[name])(made)
    if version == "0.96":  # of such a bag the other judge passes over the tag manifests
        (made / "tagmanifest-sha256.txt").unlink(missing_ok=True)
    ours = judged(made, folder / "work")
    theirs = other_judge(made)
    shutil.rmtree(folder)
    assert (ours.verdict is not CheckVerdict.REFUSED) == theirs, (names, version, dict(ours.counts))


def linked_folder(made: Path) -> None:
    (made / "data" / "x").symlink_to("/etc")


WRONG: dict[str, tuple[Change, str]] = {
    "a folder that is a link": (linked_folder, "SOURCE-LINK"),
    "an unknown algorithm": (append("manifest-foo.txt", "00  data/a.txt\n"), "BAG-ALGORITHM"),
    "a tag manifest that leaves out a manifest": (
        drop_line("tagmanifest-sha256.txt", " manifest-sha256.txt"),
        "BAG-MANIFEST-UNLISTED",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_where_the_other_judge_is_wrong(name: str, tmp_path: Path) -> None:
    change, code = WRONG[name]
    made = bag(tmp_path / "bag", SMALL, algorithms=("sha256",), mutate=change)
    assert other_judge(made)
    report = judged(made, tmp_path / "work")
    assert code in report.counts
    assert report.verdict is CheckVerdict.REFUSED


def test_where_the_other_judge_says_nothing_or_falls(tmp_path: Path) -> None:
    weak = bag(tmp_path / "weak", SMALL, algorithms=("md5",))
    assert other_judge(weak)
    assert "PACKAGE-WEAK-DIGEST" in judged(weak, tmp_path / "work").counts
    rot13 = bag(tmp_path / "rot13", SMALL, mutate=replace("bagit.txt", "UTF-8", "rot13"))
    with pytest.raises((TypeError, LookupError)):
        other_judge(rot13)
    assert dict(judged(rot13, tmp_path / "work").counts) == {"BAG-ENCODING": 1}
    percent = bag(tmp_path / "percent", {"a%0Ab": b"x"})
    assert not other_judge(percent)
    assert judged(percent, tmp_path / "work").counts == {}


def test_the_guide_tells_of_every_code_and_version_and_of_no_other() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "bagit.md").read_text("utf-8")
    told = set(re.findall(r"\b(?:BAG|PASS|PACKAGE|SOURCE|NAME)-[A-Z-]+[A-Z]", guide))
    assert told <= set(finding_rules())
    own = {code for code in finding_rules() if code.startswith("BAG-")} - {"BAG-NO-TITLE"}
    assert own <= told
    assert all(version in guide for version in BAGIT_VERSIONS)
    assert all(f"`{name}`" in guide for name in FLAWED)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("", ""),
        ("zip", "application/zip"),
        ("tar", "application/x-tar"),
        ("gztar", "application/gzip"),
        ("bztar", "application/x-bzip2"),
        ("xztar", "application/x-xz"),
    ],
)
def test_a_source_says_what_it_is_packed_as(kind: str, media_type: str, tmp_path: Path) -> None:
    made = bag(tmp_path / "bag", SMALL)
    path = Path(shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path, "bag")) if kind else made
    findings = Findings()
    source = open_source(path, tmp_path / "q", findings)
    assert source is not None
    assert source.media_type == media_type
    source.close()
    assert judged(path, tmp_path / "work").counts == {}


DELIVERY = (
    ("Agency-Code", "H20.05"),
    ("Fonds-Code", "P1"),
    ("External-Identifier", "B-1"),
    ("External-Description", "Hồ sơ"),
    ("Mode", "02"),
)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ((), ""),
        ((("external-identifier", "B-2"),), "BAG-PROFILE-TAG-REPEATED"),
        ((("Fonds-Code", "P2"),), "BAG-PROFILE-TAG-REPEATED"),
        ((("Contact-Name", "A"), ("Contact-Name", "B")), ""),
    ],
)
def test_a_delivery_is_judged_by_the_archives_own_profile(
    more: tuple[tuple[str, str], ...], code: str, tmp_path: Path
) -> None:
    made = bag(tmp_path / "bag", SMALL, info=(*DELIVERY, *more))
    assert dict(check_package(made, tmp_path).counts) == ({code: 1} if code else {})
    assert judged(made, tmp_path / "work").counts == {}


def test_a_delivery_has_no_other_access_than_the_circular_knows(tmp_path: Path) -> None:
    made = bag(tmp_path / "bag", SMALL, info=(*DELIVERY[:4], ("Mode", "công khai")))
    (found,) = check_package(made, tmp_path).findings
    assert (found.code, found.place) == ("BAG-PROFILE-TAG-VALUE", "bag-info.txt")
    assert "công khai" in found.message.vi and "01, 02, 03" in found.message.vi


def test_what_the_caller_knows_need_not_be_in_the_bag(tmp_path: Path) -> None:
    """Only what is there is judged by the archive's own profile; the whole of it only when it is asked for."""
    made = bag(tmp_path / "bag", SMALL, info=DELIVERY[2:4], oxum=False)
    own = tt05_bag_profile()
    asked = check_package(made, tmp_path, bag_profile=own)
    assert {"BAG-PROFILE-IDENTIFIER", "BAG-PROFILE-TAG-ADVISED"} == set(asked.counts)
    told = set(check_package(made, tmp_path).counts)
    assert not any(code.startswith("BAG-PROFILE") for code in told)
