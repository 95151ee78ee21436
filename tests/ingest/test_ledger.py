"""The ledger gives back what it was told, in the order of the AIP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.ledger import Ledger
from ingest.ledger_rows import Disagreement, fold_name, pack_record, unpack_record
from metadata.dates import RecordDate
from metadata.holdings import Format, Level, Record, Role
from metadata.identifiers import Algorithm, Digest, Puid
from metadata.tt05.records import Fields
from storage.hashing import digest_bytes


@dataclass(frozen=True)
class At:
    number: int
    offset: int = 0
    data: int = 0


def record(number: int) -> Record:
    start = RecordDate.read("1/2/2024")
    fields = {"subject": "Công văn", "docCode": "A"}
    texts = "A", "Công văn", "22", "12/CV", "Sở", "01", "01"
    return Record(number, Level.DOCUMENT, *texts, start, RecordDate.read("Tết"), 3, "k", fields)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger") as opened:
        yield opened


def sha(text: str) -> Digest:
    return Digest(Algorithm.SHA256, hashlib.sha256(text.encode()).digest())


def test_files_come_content_first_then_by_path_bytes(ledger: Ledger) -> None:
    for path in ("top/z/METS.xml", "top/data/b", "top/data/B", "top/data/á", "top/schemas/x.xsd"):
        ledger.add_file(path, 5)
    ledger.settle("top/")
    ledger.declare("data/b", sha("b"), "manifest-sha256.txt", size=5, mime="text/plain")
    ledger.declare("data/b", None, "METS.xml")
    ledger.plan("schemas/x.xsd", "data/p/schemas/x.xsd", Role.SUPPORT)
    ledger.plan_all("data/", "data/p/rep1/", Role.CONTENT)
    ledger.plan_all("", "data/submission/", Role.SUBMISSION)
    files = list(ledger.files())
    assert [f.path for f in files] == ["data/B", "data/b", "data/á", "schemas/x.xsd", "z/METS.xml"]
    assert files[4].target == "data/submission/z/METS.xml"
    assert files[0].target == "data/p/rep1/B"
    assert (files[1].mime, [d.source for d in files[1].declared]) == ("text/plain", ["manifest-sha256.txt"])
    assert files[1].declared[0].digest == sha("b")
    assert ledger.totals().files == 5
    assert (ledger.totals("data/").files, ledger.totals("data/").bytes) == (3, 15)
    assert ledger.tops() == ("data/", "schemas/", "z/")


def test_members_are_files_and_generated_in_order(ledger: Ledger) -> None:
    for path in ("b", "a"):
        ledger.add_file(path, 1)
    ledger.settle()
    ledger.plan_all("", "data/", Role.CONTENT)
    word = Format(Puid("fmt/412"), "Word", "2007", "application/msword", "container", "w")
    for at, file in enumerate(ledger.files(), start=2):
        ledger.record(file.seq, digest_bytes(file.path.encode()), At(at, at * 10, at * 10 + 5))
        if file.path == "a":
            ledger.identified(file.seq, word)
    ledger.add_generated("bagit.txt", Role.TAG, At(1, 0, 30), digest_bytes(b"x"))
    members = list(ledger.members())
    assert [(m.number, m.path, m.role) for m in members] == [
        (1, "bagit.txt", Role.TAG),
        (2, "data/a", Role.CONTENT),
        (3, "data/b", Role.CONTENT),
    ]
    assert (members[1].format, members[2].format) == (word, None)
    assert (members[1].offset, members[1].data, members[1].size) == (20, 25, 1)
    assert members[1].sha256 == hashlib.sha256(b"a").digest()


def test_a_file_only_read_is_no_member(ledger: Ledger) -> None:
    ledger.add_file("a", 1)
    ledger.settle()
    ledger.plan_all("", "data/", Role.CONTENT)
    ledger.record(1, digest_bytes(b"a"), None)
    assert list(ledger.members()) == []
    assert len(ledger.content_digest()) == 32


def test_content_digest_is_that_of_the_sorted_manifest(ledger: Ledger) -> None:
    for path in ("root/é", "root/a\n%"):
        ledger.add_file(path, 1)
    ledger.settle("root/")
    ledger.plan_all("", "data/", Role.CONTENT)
    with pytest.raises(ValueError, match="not read yet"):
        ledger.content_digest()
    for file in ledger.files():
        ledger.record(file.seq, digest_bytes(file.path.encode()), At(file.seq))
    lines = [f"{hashlib.sha256(p.encode()).hexdigest()}  {s}\n" for p, s in (("a\n%", "a%0A%25"), ("é", "é"))]
    assert ledger.content_digest() == hashlib.sha256("".join(lines).encode()).digest()


def test_documents_get_the_members_of_their_files(ledger: Ledger) -> None:
    for path in ("a", "b"):
        ledger.add_file(path, 1)
    ledger.settle()
    ledger.plan_all("", "data/", Role.CONTENT)
    ledger.add_document(record(2), Fields((("docCode", "A"),)), "EAD_doc_2.xml", ("b", "a"), "m/EAD_doc_b.xml")
    ledger.add_document(record(1), Fields(()), "EAD_doc_1.xml", ())
    assert [d.record.members for d in ledger.documents()] == [(), ()]
    for at, file in enumerate(ledger.files(), start=7):
        ledger.record(file.seq, digest_bytes(b""), At(at))
    first, second = ledger.documents()
    assert (first.record, first.paths, first.form.pairs) == (record(1), (), ())
    assert (second.record.members, second.paths, second.origin) == ((8, 7), ("b", "a"), "m/EAD_doc_b.xml")
    assert second.form == Fields((("docCode", "A"),))


def test_a_record_is_packed_without_loss() -> None:
    assert unpack_record(4, pack_record(record(4)), ()) == record(4)


def test_disagreements(ledger: Ledger) -> None:
    for path in ("data/a", "data/b", "data/c", "other"):
        ledger.add_file(path, 1)
    ledger.settle()
    for path in ("data/a", "data/b", "data/x"):
        ledger.declare(path, sha(path), "one", size=1 if path == "data/a" else 2)
    ledger.declare("data/a", sha("otherwise"), "two")
    ledger.declare("data/a", sha("otherwise"), "two")
    assert list(ledger.missing()) == [Disagreement("data/x", "one", "")]
    assert list(ledger.undeclared("data/")) == ["data/c"]
    assert list(ledger.undeclared()) == ["data/c", "other"]
    assert list(ledger.not_in("two", "data/")) == ["data/b"]
    assert list(ledger.sizes_differing()) == [Disagreement("data/b", "one", "2")]
    assert list(ledger.digests_differing()) == [Disagreement("data/a", "one,two", "sha256")]
    assert list(ledger.declared_twice(differing=False)) == [Disagreement("data/a", "two", "sha256")]
    assert list(ledger.declared_twice(differing=True)) == []
    ledger.declare("data/x", sha("otherwise"), "one")
    assert list(ledger.declared_twice(differing=True)) == [Disagreement("data/x", "one", "sha256")]
    assert list(ledger.alike("%/A", "other")) == ["data/a", "other"]
    assert list(ledger.outside("data/")) == ["other"]
    assert list(ledger.outside("x/", "one")) == ["data/c", "other"]
    assert (ledger.is_declared("data/x"), ledger.is_declared("other")) == (True, False)
    assert (ledger.size_of("data/a"), ledger.size_of("data/x")) == (1, None)


def test_names_that_are_one(ledger: Ledger) -> None:
    nfc, nfd = "d/t\u1ebf", "d/te\u0302\u0301"
    for path in (nfc, nfd, "A", "a", "A", "x", "x/y", "D/e\u0301"):
        ledger.add_file(path, 1)
    ledger.settle()
    assert list(ledger.look_alikes()) == [("A", "a"), (nfd, nfc)]
    assert list(ledger.duplicates()) == ["A"]
    assert list(ledger.files_as_folders()) == ["x"]
    assert ledger.twin("D/\u00e9") == "D/e\u0301"
    assert ledger.twin("d/\u00e9") is None
    ledger.declare("D/\u00e9", sha("x"), "one")
    assert list(ledger.respell()) == ["D/\u00e9"]
    assert list(ledger.missing()) == []
    assert fold_name("abc") is None


def test_unplanned_and_unsettled_are_mistakes_of_the_caller(ledger: Ledger) -> None:
    ledger.add_file("a", 1)
    with pytest.raises(ValueError, match="settle"):
        list(ledger.files())
    ledger.settle()
    with pytest.raises(ValueError, match="no plan"):
        list(ledger.files())


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.add_file("a", 1)
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_children_of_a_folder_are_found_without_looking_at_all_files(ledger: Ledger) -> None:
    for path in ("a/x/1", "a/x/2", "a/x-y/1", "a/x.txt", "a/đ", "ab", "b/c"):
        ledger.add_file(path, 1)
    ledger.settle()
    assert ledger.children("") == ["a/", "ab", "b/"]
    assert ledger.children("a/") == ["x-y/", "x.txt", "x/", "đ"]
    assert ledger.children("a/", 2) == ["x-y/", "x.txt"]
    assert ledger.children("none/") == []


def test_files_by_the_end_of_their_names(ledger: Ledger) -> None:
    for path in ("d/a.fetch.txt", "d/b.FETCH.TXT", "d/fetch.txt", "d/c.txt", "e/a.fetch.txt"):
        ledger.add_file(path, 1)
    ledger.settle()
    assert ledger.ending("d/", ".fetch.txt", 10) == ["d/a.fetch.txt", "d/b.FETCH.TXT"]
    assert ledger.ending("d/", ".fetch.txt", 1) == ["d/a.fetch.txt"]


def test_content_of_one_representation_in_member_order(ledger: Ledger) -> None:
    names = ("rep1/b", "rep1/a", "rep1-x/a", "rep2/a")
    for name in names:
        ledger.add_file(name, 1)
    ledger.settle()
    ledger.plan_all("", "data/p/", Role.CONTENT)
    for number, file in enumerate(ledger.files(), 1):
        ledger.record(file.seq, digest_bytes(b"x"), At(number))
    assert [one.path for one in ledger.content()] == ["rep1-x/a", "rep1/a", "rep1/b", "rep2/a"]
    assert [one.path for one in ledger.content("data/p/rep1/")] == ["rep1/a", "rep1/b"]
    assert [one.path for one in ledger.content("data/p/rep3/")] == []


def test_a_document_keeps_its_names_and_a_description_its_label(ledger: Ledger) -> None:
    ledger.settle()
    ledger.describe("#d1", "EAD_doc_1.xml", "D1")
    ledger.describe("#d2", "EAD_doc_2.xml")
    ledger.add_document(record(1), Fields.of({}), "EAD_doc_1.xml", (), identifier="D1", held="aip-v1#2")
    ledger.add_document(record(2), Fields.of({}), "EAD_doc_2.xml", ())
    assert list(ledger.document_names()) == [("D1", "aip-v1#2"), ("", "")]
    assert [(one.identifier, one.held) for one in ledger.documents()] == [("D1", "aip-v1#2"), ("", "")]
    assert (ledger.label_of("EAD_doc_1.xml"), ledger.label_of("EAD_doc_2.xml")) == ("D1", "")
