"""Judging E-ARK packages: recognition, versions, references, hostile METS, memory. The rules are in tests/rules."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.eark import eark_kind, eark_profile, judge_eark
from metadata.eark.fingerprints import Fingerprints
from metadata.eark.line_ends import digest_of
from metadata.eark.references import resolve
from metadata.eark.requirements import requirements
from metadata.eark.vocabularies import is_date_time, is_media_type
from metadata.findings import LIMIT_PER_CODE, Findings, Severity, finding_rules
from metadata.package_kinds import EARK_VERSIONS, PackageKind, PackageProfile
from tests.builders.eark import build_eark, swap, write
from tests.builders.shared_data import shared_data
from tests.builders.trees import FolderTree

CSIP = PackageProfile(PackageKind.EARK_CSIP, "2.2.0")
EARK_KINDS = [kind for kind in PackageKind if kind.is_eark]


class MemoryTree:
    """A package of a few documents with bytes and any number of files that only have a size."""

    name = "p"

    def __init__(self, documents: dict[str, bytes], files: int = 0) -> None:
        self._documents = documents
        self._files = files

    def size_of(self, path: str) -> int | None:
        if path in self._documents:
            return len(self._documents[path])
        number = path.removeprefix("representations/r/data/")
        return 0 if number.isdigit() and int(number) < self._files else None

    def has_folder(self, folder: str) -> bool:
        return next(self.paths(folder), None) is not None

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        return sorted({"".join(path[len(folder) :].partition("/")[:2]) for path in self.paths(folder)})[:limit]

    def paths(self, folder: str = "") -> Iterator[str]:
        yield from (path for path in sorted(self._documents) if path.startswith(folder))
        if "representations/r/data/".startswith(folder) or folder.startswith("representations/r/data/"):
            yield from (f"representations/r/data/{number}" for number in range(self._files))

    def open(self, path: str) -> BinaryIO:
        return BytesIO(self._documents.get(path, b""))


def judged(tree, profile: PackageProfile = CSIP, **how) -> Findings:
    findings = Findings()
    judge_eark(tree, findings, profile, **how)
    return findings


def mets(text: str) -> MemoryTree:
    return MemoryTree({"METS.xml": text.encode()})


@pytest.mark.parametrize("kind", ["csip", "sip", "dip", "aip"])
@pytest.mark.parametrize("version", EARK_VERSIONS)
def test_a_good_package_has_nothing_against_it(tmp_path: Path, kind: str, version: str) -> None:
    root = build_eark(tmp_path, kind, version)
    found = judged(FolderTree(root), PackageProfile.parse(f"eark-{kind}@{version}"))
    assert [one.message.en for one in found.kept()] == []


@pytest.mark.parametrize(
    ("url", "package_type", "expected"),
    [
        ("https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml", "SIP", "eark-csip"),
        ("https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-1-0.xml", "SIP", "eark-csip@2.1.0"),
        ("https://earksip.dilcis.eu/profile/E-ARK-SIP.xml", "SIP", "eark-sip@2.1.0"),
        ("https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml", "SIP", "eark-sip@2.2.0"),
        ("https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml", "DIP", "eark-dip@2.2.0"),
        ("https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml", "AIP", "eark-aip@2.2.0"),
        ("http://www.eark-project.com/METS/IP.xml", "AIP", "eark-aip"),
        ("http://www.eark-project.com/METS/IP.xml", "AIU", "eark-csip"),
        ("https://example.vn/profile.xml", "SIP", None),
        ("", "SIP", None),
    ],
)
def test_kind_and_version_are_what_profile_tells(url: str, package_type: str, expected: str | None) -> None:
    text = (
        f'<mets xmlns="http://www.loc.gov/METS/" xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"'
        f' PROFILE="{url}"><metsHdr csip:OAISPACKAGETYPE="{package_type}"/>'
    )
    found = eark_profile(mets(text))
    assert (str(found) if found else None) == expected
    assert eark_kind(mets(text)) == (found.kind if found else None)


def test_what_is_no_mets_is_no_e_ark_package() -> None:
    assert eark_profile(MemoryTree({})) is None
    assert eark_profile(mets("<simpledc/>")) is None
    assert eark_profile(mets("nothing")) is None


def test_without_a_version_the_one_of_profile_counts(tmp_path: Path) -> None:
    root = build_eark(tmp_path, "sip", "2.1.0")
    swap('<fptr FILEID="grp-doc"/>', "")(root)
    assert "EARK-CSIP96-MUST" in judged(FolderTree(root), PackageProfile(PackageKind.EARK_SIP)).counts
    assert "EARK-CSIP96" in judged(FolderTree(root), PackageProfile(PackageKind.EARK_SIP, "2.2.0")).counts


def test_levels_and_versions_are_those_of_the_profiles() -> None:
    """Against the published METS profiles, where they are here."""
    folder = shared_data("eark", "profiles")
    if folder is None:
        pytest.skip("the METS profiles are not here")
    from lxml import etree

    graver = {"MUST": Severity.ERROR, "SHOULD": Severity.WARNING}
    for path in sorted(folder.glob("E-ARK-*-v*.xml")):
        name, version = path.stem.removeprefix("E-ARK-").lower().split("-v")
        table = requirements(PackageKind(f"eark-{name}"), version.replace("-", "."))
        for one in etree.parse(str(path)).iter("{*}requirement"):
            id_, level = one.get("ID") or "REF", one.get("REQLEVEL")
            if id_.startswith("REF") or id_ == "CSIP45":  # they refer elsewhere, or allow something
                assert id_ not in table
            elif level in graver:
                assert finding_rules()[table[id_]].severity is graver[level], (path.name, id_)
            else:
                assert id_ in table, (path.name, id_)


@pytest.mark.parametrize("kind", EARK_KINDS)
def test_a_requirement_has_one_code_in_each_version(kind: PackageKind) -> None:
    for version in EARK_VERSIONS:
        table = requirements(kind, version)
        assert set(table.values()) <= set(finding_rules())
        assert not {f"{name}-MUST" for name in table if f"{name}-MUST" in table} & set(requirements(kind, "2.2.0"))


@given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5)))
def test_fingerprints_are_a_set(put: list[str], asked: list[str]) -> None:
    kept = Fingerprints()
    seen: set[str] = set()
    for text in put:
        assert kept.add(text) is (text not in seen)
        seen.add(text)
    assert len(kept) == len(seen)
    assert [text in kept for text in put + asked] == [text in seen for text in put + asked]


def test_fingerprints_grow_and_stay_small() -> None:
    tracemalloc.start()
    kept = Fingerprints()
    for number in range(20_000):
        kept.add(f"uuid-{number:036}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(kept) == 20_000
    assert all(f"uuid-{number:036}" in kept for number in range(0, 20_000, 97))
    assert peak < 40 * 20_000


@pytest.mark.parametrize(
    ("folder", "href", "path"),
    [
        ("", "data/a.txt", "data/a.txt"),
        ("r/", "./data/a.txt", "r/data/a.txt"),
        ("representations/r/", "../../schemas/a.xsd", "schemas/a.xsd"),
        ("", "file:./data/a.txt", "data/a.txt"),
        ("", "file://./data/a.txt", "data/a.txt"),
        ("", "t%E1%BA%ADp%201.txt", "tập 1.txt"),
        ("", "a..b/c.", "a..b/c."),
        ("", "../a", None),
        ("r/", "../../a", None),
        ("", "%2e%2e/a", None),
        ("", "file:///etc/passwd", None),
        ("", "/etc/passwd", None),
        ("", "http://example.org/a", None),
        ("", "C:\\a", None),
        ("", "a//b", None),
        ("", "a%00b", None),
        ("", "%ff", None),
        ("", "", None),
    ],
)
def test_a_reference_means_a_path_in_the_package_or_nothing(folder: str, href: str, path: str | None) -> None:
    assert resolve(folder, href) == path


@given(st.text(alphabet="a./%2e\\:\0fil é", max_size=20), st.sampled_from(["", "r/", "representations/r/"]))
def test_no_reference_leads_outside(href: str, folder: str) -> None:
    path = resolve(folder, href)
    if path is not None:
        assert not path.startswith("/")
        assert not {"..", ""} & set(path.rstrip("/").split("/")) or path == ""
        assert "\0" not in path
        path.encode()


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
        ("SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("CRC32", "352441c2"),
        ("Adler-32", "024d0127"),
    ],
)
def test_digests_by_the_names_of_mets(kind: str, digest: str) -> None:
    """RFC 1321, FIPS 180-4, RFC 1952, RFC 1950, of "abc"."""
    assert digest_of(iter((b"ab", b"c")), kind) == digest


@pytest.mark.parametrize("text", ["2025-01-31T08:30:00", "2025-01-31T08:30:00.123+07:00", "2024-02-29T00:00:00Z"])
def test_dates_with_time(text: str) -> None:
    assert is_date_time(text)


@pytest.mark.parametrize("text", ["2025-01-31", "2025-02-29T00:00:00", "2025-1-31T08:30:00", "31/01/2025", "٢٠٢٥", ""])
def test_dates_that_are_none(text: str) -> None:
    assert not is_date_time(text)


@pytest.mark.parametrize(
    "text", ["text/plain", "application/vnd.oasis.opendocument.text", "text/xml; charset=UTF-8", "x-a/b"]
)
def test_media_types(text: str) -> None:
    assert is_media_type(text)


@pytest.mark.parametrize("text", ["tif", "other/siard", "text/", "/plain", "text/a b", "application/" + "x" * 300, ""])
def test_media_types_that_are_none(text: str) -> None:
    assert not is_media_type(text)


def test_digests_can_be_left_to_the_callers_pass(tmp_path: Path) -> None:
    root = build_eark(tmp_path)
    write("representations/rep1/data/a.txt", "b\n")(root)
    assert set(judged(FolderTree(root)).counts) == {"EARK-CSIP71"}
    assert not judged(FolderTree(root), digests=False).counts


def test_a_file_with_other_line_ends_is_told_apart_from_a_damaged_one(tmp_path: Path) -> None:
    root = build_eark(tmp_path)
    write("metadata/descriptive/ead.xml", "<ead/>\r\n")(root)
    assert set(judged(FolderTree(root)).counts) == {"EARK-LINE-ENDINGS"}
    write("metadata/descriptive/ead.xml", "<EAD/>\r\n")(root)
    assert set(judged(FolderTree(root)).counts) == {"EARK-CSIP27", "EARK-CSIP29"}


HOSTILE = {
    "XML-DOCTYPE": '<!DOCTYPE mets SYSTEM "http://example.org/a.dtd"><mets/>',
    "XML-NOT-WELL-FORMED": '<mets xmlns="http://www.loc.gov/METS/"><metsHdr>',
    "XML-ENCODING": '<?xml version="1.0" encoding="no-such"?><mets/>',
    "XML-TOO-DEEP": '<mets xmlns="http://www.loc.gov/METS/">' + "<div>" * 200,
    "METS-ROOT": "<simpledc/>",
}


@pytest.mark.parametrize("code", sorted(HOSTILE))
@pytest.mark.parametrize("place", ["METS.xml", "representations/r/METS.xml"])
def test_a_document_that_cannot_be_read_is_a_finding_and_the_others_are_judged(code: str, place: str) -> None:
    good = b'<mets xmlns="http://www.loc.gov/METS/" OBJID="x"/>'
    documents = {"METS.xml": good, "representations/r/METS.xml": good} | {place: HOSTILE[code].encode()}
    found = judged(MemoryTree(documents))
    assert [one.place for one in found.kept() if one.code == code] == [place]
    assert {one.place for one in found.kept() if one.code == "EARK-CSIP117"} == set(documents) - {place}


def test_mets_inside_wrapped_metadata_is_not_the_packages() -> None:
    inner = (
        '<mdWrap MDTYPE="OTHER"><xmlData><mets><fileSec><fileGrp><file/></fileGrp></fileSec><mdRef/></mets></xmlData>'
    )
    text = f'<mets xmlns="http://www.loc.gov/METS/" OBJID="p"><dmdSec ID="d">{inner}</mdWrap></dmdSec></mets>'
    found = judged(mets(text)).counts
    assert not {"EARK-CSIP59", "EARK-CSIP65", "EARK-CSIP67", "EARK-CSIP22"} & set(found)


@settings(deadline=None)
@given(
    st.recursive(
        st.sampled_from(["<metsHdr/>", "<fptr/>", "<mptr/>", "<mdRef/>", "<file/>", "<FLocat/>", "text", "<!--c-->"]),
        lambda inner: st.builds(
            lambda name, id_, parts: f'<{name} ID="{id_}" LABEL="{id_}" USE="{id_}">{"".join(parts)}</{name}>',
            st.sampled_from(
                [
                    "dmdSec",
                    "amdSec",
                    "digiprovMD",
                    "rightsMD",
                    "techMD",
                    "fileSec",
                    "fileGrp",
                    "file",
                    "div",
                    "structMap",
                ]
            ),
            st.sampled_from(["", "a", "CSIP", "Metadata", "Representations/", "Representations/r", "1", ".."]),
            st.lists(inner, max_size=4),
        ),
        max_leaves=20,
    )
)
def test_no_order_of_elements_crashes_the_judge(body: str) -> None:
    text = f'<mets xmlns="http://www.loc.gov/METS/">{body}</mets>'
    for kind in EARK_KINDS:
        assert judged(mets(text), PackageProfile(kind)).counts


@cache
def good_sip() -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        root = build_eark(Path(folder), "sip")
        return {path: (root / path).read_bytes() for path in FolderTree(root).paths()}


@settings(deadline=None)
@given(st.data())
def test_no_damage_crashes_the_judge(data: st.DataObject) -> None:
    documents = dict(good_sip())
    place = data.draw(st.sampled_from(["METS.xml", "representations/rep1/METS.xml"]))
    content = bytearray(documents[place])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 60))
        content[at : at + length] = data.draw(
            st.sampled_from([b"", b'"', b"<", b">", b"/>", b"&#10;", b"%ff", b"..", b"\xff"])
        )
    documents[place] = bytes(content)
    judged(MemoryTree(documents), PackageProfile(PackageKind.EARK_SIP))


def many(files: int) -> MemoryTree:
    """A package whose one METS lists very many files, each of which is there."""
    parts = [
        '<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" OBJID="p"><fileSec ID="s">',
        '<fileGrp ID="g" USE="Representations/r">',
        *(
            f'<file ID="f{n}" MIMETYPE="text/plain" SIZE="0" CREATED="2025-01-31T08:30:00"'
            f' CHECKSUM="d41d8cd98f00b204e9800998ecf8427e" CHECKSUMTYPE="MD5">'
            f'<FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="representations/r/data/{n}"/></file>'
            for n in range(files)
        ),
        "</fileGrp></fileSec></mets>",
    ]
    return MemoryTree({"METS.xml": "".join(parts).encode()}, files)


def test_memory_stays_flat() -> None:
    """At most the fingerprints of IDs and paths, two of 12 to 24 bytes a file, doubled while they grow."""

    def peak(files: int) -> int:
        tree = many(files)
        tracemalloc.start()
        found = judged(tree, digests=False)
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not {"EARK-CSIP67", "EARK-CSIP79", "EARK-CSIP58"} & set(found.counts)
        return memory

    peak(10)
    assert (peak(6000) - peak(1000)) / 5000 < 100


def test_findings_about_very_many_files_are_bounded() -> None:
    tree = many(3000)
    tree._files = 0  # they are all missing
    found = judged(tree)
    assert found.counts["EARK-CSIP79"] == 3000
    assert sum(one.code == "EARK-CSIP79" for one in found.kept()) == LIMIT_PER_CODE
