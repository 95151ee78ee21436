"""The judge of TT 05 packages: whatever bytes come, it says what is wrong and goes on, flat in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata.findings import Findings
from metadata.mets import CSIP_PROFILE, MetsAgent, MetsEntry, MetsPackage, write_representation_mets
from metadata.package_kinds import PackageKind
from metadata.tt05.judge import judge_tt05
from metadata.tt05.profile import default_profile, parse_profile, profile_text
from metadata.tt05.writing import representation_identity
from tests.builders.trees import FolderTree
from tests.builders.tt05 import BUILDERS, aip_hoso, dip, sip_hoso

REP = "representations/rep1/"


class BytesTree(FolderTree):
    """A package of which some files have other bytes."""

    def __init__(self, root: Path, others: dict[str, bytes]) -> None:
        super().__init__(root)
        self._others = others

    def open(self, path: str) -> BinaryIO:
        return BytesIO(self._others[path]) if path in self._others else super().open(path)


def judged(tree: FolderTree, kind: PackageKind) -> Findings:
    findings = Findings()
    judge_tt05(tree, findings, kind)
    return findings


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[PackageKind, Path]:
    made = {kind: build(tmp_path_factory.mktemp("goi")) for kind, build in BUILDERS.items()}
    return made | {PackageKind.DIP: dip(tmp_path_factory.mktemp("dip"), events=True)}


def metadata_files(folder: Path) -> list[str]:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.xml"))
    return [path for path in paths if not path.startswith(f"{REP}data/")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_in_a_metadata_file_make_it_raise(data: st.DataObject, packages: dict[PackageKind, Path]) -> None:
    kind = data.draw(st.sampled_from(list(packages)))
    folder = packages[kind]
    path = data.draw(st.sampled_from(metadata_files(folder)))
    original = (folder / path).read_bytes()
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(changed)))
        end = min(len(changed), begin + data.draw(st.integers(0, 60)))
        piece = data.draw(
            st.binary(max_size=20) | st.sampled_from([b'"', b"<", b"<x/>", b"&#0;", "ệ".encode(), b"uuid-"])
        )
        changed[begin:end] = piece
    findings = judged(BytesTree(folder, {path: bytes(changed)}), kind)
    for one in findings.kept():
        assert one.code != "CHECK-UNREADABLE", one.message.en
        assert one.message.vi and one.message.en


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_words_in_the_places_of_others_make_it_raise(data: st.DataObject, packages: dict[PackageKind, Path]) -> None:
    """Well-formed documents in which one quoted value or one text is another."""
    kind = data.draw(st.sampled_from(list(packages)))
    folder = packages[kind]
    path = data.draw(st.sampled_from(metadata_files(folder)))
    parts = (folder / path).read_text(encoding="utf-8").split('"')
    at = data.draw(st.integers(0, len(parts) // 2 - 1)) * 2 + 1 if len(parts) > 2 else 0
    alphabet = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='<&"')
    parts[at] = data.draw(
        st.text(alphabet, max_size=60) | st.sampled_from(["", " ", "9" * 400, "2026-13-45T99:99:99Z"])
    )
    findings = judged(BytesTree(folder, {path: '"'.join(parts).encode()}), kind)
    assert "CHECK-UNREADABLE" not in findings.counts


class MemoryTree:
    """A package as a mapping of paths to bytes, in which anything may be missing, misnamed or too much."""

    def __init__(self, name: str, files: dict[str, bytes]) -> None:
        self.name = name
        self._files = files

    def size_of(self, path: str) -> int | None:
        return len(self._files[path]) if path in self._files else None

    def has_folder(self, folder: str) -> bool:
        return any(path.startswith(folder) for path in self._files)

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        inside = (path[len(folder) :] for path in self._files if path.startswith(folder))
        return sorted({part + slash for part, slash, _ in (path.partition("/") for path in inside)})[:limit]

    def paths(self, folder: str = "") -> Iterator[str]:
        return iter(sorted(path for path in self._files if path.startswith(folder)))

    def open(self, path: str) -> BinaryIO:
        return BytesIO(self._files[path])


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20)
_FOLDERS = ("", "metadata/", "metadata/preservation/", "representations/", REP, f"{REP}data/", "schemas/",
            f"{REP}metadata/descriptive/", f"{REP}metadata/preservation/", "representations/rep2/data/")  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_tree_makes_it_raise(data: st.DataObject, packages: dict[PackageKind, Path]) -> None:
    """Files taken away, put elsewhere, added under odd names; judged as any kind of package."""
    folder = packages[data.draw(st.sampled_from(list(packages)))]
    kind = data.draw(st.sampled_from(list(packages)))
    files = {path: (folder / path).read_bytes() for path in FolderTree(folder).paths()}
    for path in data.draw(st.lists(st.sampled_from(sorted(files)), max_size=6, unique=True)):
        content = files.pop(path)
        if data.draw(st.booleans()):
            files[data.draw(st.sampled_from(_FOLDERS)) + data.draw(_NAMES | st.just(path.rpartition("/")[2]))] = content
    tree = MemoryTree(data.draw(_NAMES | st.just(folder.name)), files)
    findings = Findings()
    judge_tt05(tree, findings, kind, zip_name=data.draw(_NAMES | st.just(f"1{folder.name}.zip")))
    assert "CHECK-UNREADABLE" not in findings.counts


@pytest.mark.parametrize("kind", BUILDERS, ids=str)
def test_one_file_that_cannot_be_read_does_not_stop_the_others(
    kind: PackageKind, packages: dict[PackageKind, Path]
) -> None:
    folder = packages[kind]
    for path in metadata_files(folder):
        others = {path: b"\x00not xml"}
        findings = judged(BytesTree(folder, others), kind)
        assert [one.place for one in findings.kept() if one.code == "XML-NOT-WELL-FORMED"] == [path]
        last = f"{REP}metadata/descriptive/EAD_doc_File2.xml"
        if path != last:
            both = judged(BytesTree(folder, {**others, last: b"<ead/>"}), kind)
            assert "TT05-ROOT" in both.counts


def test_all_that_is_wrong_with_every_file_is_told_at_once(packages: dict[PackageKind, Path]) -> None:
    folder = packages[PackageKind.AIP_HOSO]
    files = metadata_files(folder)
    findings = judged(BytesTree(folder, dict.fromkeys(files, b"<x/>")), PackageKind.AIP_HOSO)
    told = {one.place for one in findings.kept() if one.code in ("METS-ROOT", "PREMIS-ROOT", "TT05-ROOT")}
    assert told == set(files)


def test_another_judge_may_have_told_the_same(packages: dict[PackageKind, Path]) -> None:
    findings = Findings()
    tree = BytesTree(packages[PackageKind.SIP_HOSO], {"METS.xml": b"<x/>"})
    for _ in range(2):
        judge_tt05(tree, findings, PackageKind.SIP_HOSO)
    assert findings.counts["METS-ROOT"] == 1


def test_a_package_of_another_circular_is_not_judged(packages: dict[PackageKind, Path]) -> None:
    with pytest.raises(ValueError, match="TT 05"):
        judge_tt05(FolderTree(packages[PackageKind.DIP]), Findings(), PackageKind.BAG)


def test_nothing_at_all_is_judged_too(tmp_path: Path) -> None:
    for kind in BUILDERS:
        findings = judged(FolderTree(tmp_path), kind)
        assert "TT05-TREE-LACKS" in findings.counts


@pytest.mark.parametrize(("weight", "count", "refused"), [("error", 1, True), ("note", 1, False), ("off", 0, False)])
def test_an_archivist_weighs_a_deviation(weight: str, count: int, refused: bool, tmp_path: Path) -> None:
    profile = parse_profile(profile_text().replace('TT05-REP-OBJID = "warning"', f'TT05-REP-OBJID = "{weight}"'))
    findings = Findings()
    judge_tt05(FolderTree(sip_hoso(tmp_path, sample=True)), findings, PackageKind.SIP_HOSO, profile)
    assert findings.counts.get("TT05-REP-OBJID", 0) == count
    assert findings.refused is refused
    assert all(one.severity == weight for one in findings.kept() if one.code == "TT05-REP-OBJID")


def test_forms_of_objid_that_an_aip_may_have(tmp_path: Path) -> None:
    uuid = "9C13E70E-08B2-4C54-8BAF-979B35D01B4D"
    objid = default_profile().packages[PackageKind.AIP_HOSO].root_mets.objid
    assert objid.fullmatch(f"urn:uuid:{uuid}")
    assert objid.fullmatch(f"urn:Phong_BNV:uuid-{uuid}")
    folder = aip_hoso(tmp_path)
    mets = (folder / "METS.xml").read_text(encoding="utf-8")
    for begin, codes in (("urn:uuid:", set()), ("urn:P_SNV:uuid-", set()), ("urn:P_SNV:uuid:", {"TT05-OBJID-COLON"})):
        text = mets.replace(' OBJID="urn:P_SNV:uuid-', f' OBJID="{begin}').encode()
        assert set(judged(BytesTree(folder, {"METS.xml": text}), PackageKind.AIP_HOSO).counts) == codes


# Size


class LargeTree(FolderTree):
    """A package whose rep1 METS is written while it is read, so that only the judge's memory is measured."""

    def __init__(self, root: Path, mets: Path) -> None:
        super().__init__(root)
        self._mets = mets

    def open(self, path: str) -> BinaryIO:
        return self._mets.open("rb") if path == f"{REP}METS.xml" else super().open(path)


def entries(count: int, folder: str, end: str) -> Iterator[MetsEntry]:
    for number in range(count):
        document = f"metadata/descriptive/EAD_doc_{number}.xml" if folder == "data/" else ""
        mime = "application/pdf" if folder == "data/" else "text/xml"
        yield MetsEntry(f"{folder}{number}{end}", 1234, mime, b"\xab" * 32, document=document)


def large_mets(path: Path, count: int) -> Path:
    """METS.xml of a representation of so many documents of one file each."""
    agents = (MetsAgent("CREATOR", "ORGANIZATION", "Sở Nội vụ", "", (("IDENTIFICATIONCODE", "P_SNV"),)),)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    package = MetsPackage("", "uuid-X", "rep1", "SIP", CSIP_PROFILE, "Hồ sơ", when, agents, schemas="../../schemas")
    with path.open("wb") as out:
        write_representation_mets(
            out,
            representation_identity(package),
            files=lambda: entries(count, "data/", ".pdf"),
            documents=lambda: entries(count, "metadata/descriptive/EAD_doc_", ".xml"),
            representation_type="ORIGINAL",
        )
    return path


def test_a_mets_of_a_hundred_thousand_files_is_judged_fast(tmp_path: Path) -> None:
    tree = LargeTree(sip_hoso(tmp_path / "goi"), large_mets(tmp_path / "METS.xml", 100_000))
    begin = process_time()
    assert judged(tree, PackageKind.SIP_HOSO).kept() == ()
    assert process_time() - begin < 50  # 2,000 files a second


def test_memory_hardly_grows_with_a_mets(tmp_path: Path) -> None:
    tree = LargeTree(sip_hoso(tmp_path / "goi"), large_mets(tmp_path / "METS.xml", 10_000))
    tracemalloc.start()
    judged(tree, PackageKind.SIP_HOSO)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
