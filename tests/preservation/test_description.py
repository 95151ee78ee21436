"""An AIP describes itself exactly as its writer did."""

from __future__ import annotations

from dataclasses import replace as replaced

import pytest

from metadata.characteristics import Characteristics
from metadata.errors import Damaged, NotFound, Unreadable
from metadata.examination import FILES as EXAMINED
from metadata.examination import ExaminedFile
from metadata.holdings import Member, Role
from metadata.refusal import DocumentRefused
from preservation.description import ChunkStream, describe_stored, role_of
from storage.stores.memory import MemoryStore
from tests.builders.aips import build_aip
from tests.builders.kept import FILES, SIGNED, File, flip, keep, raw, replace


def test_everything_as_it_was_registered(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    found = describe_stored(stores[1], kept.key)
    assert found.version == kept.version
    assert tuple(found.members()) == kept.members
    assert tuple(found.records()) == kept.records
    assert found.events == kept.events


def test_documents_know_their_files(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    records = list(describe_stored(stores[0], kept.key).records())
    assert [record.members for record in records] == [(), (2, 4), (3,)]
    assert records[1].title == "Báo cáo <số> 1"


@pytest.mark.parametrize("documents", [0, 1, 12])
def test_any_number_of_documents(stores: list[MemoryStore], documents: int) -> None:
    files = [File(f"{number:02}.pdf", b"x" * number, document=number) for number in range(1, documents + 1)]
    kept = keep(None, stores, files=files, documents=documents)
    found = describe_stored(stores[0], kept.key)
    assert tuple(found.records()) == kept.records
    assert tuple(found.members()) == kept.members
    assert len(kept.records) == documents + 1


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("bagit.txt", Role.TAG),
        ("manifest-sha256.txt", Role.TAG),
        ("data/findings.json", Role.METADATA),
        ("data/examination/files.jsonl", Role.METADATA),
        ("data/examination/signatures/12.json", Role.METADATA),
        ("data/submission/METS.xml", Role.SUBMISSION),
        ("data/submission/findings.json", Role.SUBMISSION),
        ("data/u/METS.xml", Role.METADATA),
        ("data/u/metadata/descriptive/EAD.xml", Role.METADATA),
        ("data/u/representations/rep1/METS.xml", Role.METADATA),
        ("data/u/representations/rep1/data/a", Role.CONTENT),
        ("data/u/representations/rep1/data/data/b/c", Role.CONTENT),
        ("data/u/representations/rep1/data", Role.METADATA),
        ("data/u/representations/rep1/metadata/descriptive/EAD_doc_1.xml", Role.METADATA),
        ("data/u/representations/rep1/documentation/a", Role.SUPPORT),
        ("data/u/schemas/METS.xsd", Role.SUPPORT),
        ("data/u/documentation/a/b", Role.SUPPORT),
        ("data/u/schemas", Role.METADATA),
    ],
)
def test_role_of(path: str, role: Role) -> None:
    assert role_of(path) is role


def test_a_flip_in_any_metadata_is_never_believed(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    good, key = raw(stores[0], kept.key), kept.key
    metadata = [m for m in kept.members if m.role in (Role.METADATA, Role.TAG) and m.size]
    for member in metadata:
        for at in (member.data, member.data + member.size - 1):
            replace(stores[0], key, good)
            flip(stores[0], key, at)
            found = describe_stored(stores[0], key)
            try:
                told = (found.version, tuple(found.members()), tuple(found.records()), found.events)
            except (Damaged, Unreadable, DocumentRefused):
                continue
            assert told == (kept.version, kept.members, kept.records, kept.events), member.path


def test_a_missing_object_is_not_found(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    stores[0].delete(kept.key)
    with pytest.raises(NotFound):
        _ = describe_stored(stores[0], kept.key).version


def test_a_bag_that_is_no_aip_is_unreadable(stores: list[MemoryStore]) -> None:
    built = build_aip(stores)
    with pytest.raises(Unreadable, match=r"bag-info\.txt"):
        _ = describe_stored(stores[0], built.key).version


def test_an_object_under_anothers_key_is_unreadable(stores: list[MemoryStore]) -> None:
    one, other = keep(None, stores, "1"), keep(None, stores, "2")
    replace(stores[0], one.key, raw(stores[0], other.key))
    with pytest.raises(Unreadable, match="not a whole AIP"):
        _ = describe_stored(stores[0], one.key).version


def test_an_object_under_another_dossiers_key_is_unreadable(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    moved = kept.key.replace("LT-DT/P01/", "LT-DT/P02/")
    stores[0].put(moved, raw(stores[0], kept.key))
    with pytest.raises(Unreadable, match="does not agree with the key"):
        _ = describe_stored(stores[0], moved).version


def test_premis_must_tell_what_the_manifests_tell(stores: list[MemoryStore], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(None, stores)
    premis = kept.member("PREMIS_rep1.xml")
    other = keep(None, stores, "2", files=[*FILES[:-1], File("khác.pdf", b"other")])
    found = describe_stored(stores[0], kept.key)
    stream = describe_stored(stores[0], other.key).stream
    monkeypatch.setattr(found, "stream", lambda member: stream(other.member("PREMIS_rep1.xml")))
    assert premis.path != other.member("PREMIS_rep1.xml").path
    with pytest.raises(Unreadable, match="PREMIS"):
        list(found.members())


def test_premis_must_not_tell_more(stores: list[MemoryStore], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(None, stores, files=FILES[:1])
    other = keep(None, stores, "2", files=FILES[:2])
    found = describe_stored(stores[0], kept.key)
    stream = describe_stored(stores[0], other.key).stream
    monkeypatch.setattr(found, "stream", lambda member: stream(other.member("PREMIS_rep1.xml")))
    with pytest.raises(Unreadable, match="PREMIS"):
        list(found.members())


def _told(member: Member, found: Characteristics = SIGNED) -> bytes:
    return ExaminedFile(member.number, member.path, member.format, found).line()


def test_an_aip_that_is_older_than_the_checks_is_read(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores, files=[File("a.pdf", b"1"), File("b.pdf", b"2")])
    assert all(member.characteristics is None for member in kept.members)
    assert tuple(describe_stored(stores[0], kept.key).members()) == kept.members


@pytest.mark.parametrize(
    "what", ["another path", "another number", "one more", "twice", "no json", "no number", "array"]
)
def test_what_checks_found_must_be_of_the_members_that_there_are(
    stores: list[MemoryStore], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    kept = keep(None, stores)
    first, second = kept.member("số 1.pdf"), kept.member("trống.txt")
    changed = {
        "another path": _told(replaced(first, path=f"{first.path}x")),
        "another number": _told(replaced(first, number=1)),
        "one more": _told(first) + _told(replaced(first, number=999)),
        "twice": _told(first) + _told(first) + _told(second),
        "no json": b"{\n",
        "no number": b"{}",
        "array": b"[1]",
    }[what]
    found = describe_stored(stores[0], kept.key)
    plain = found.open
    monkeypatch.setattr(found, "open", lambda one: iter([changed]) if one.path == EXAMINED else plain(one))
    with pytest.raises(Unreadable, match="examination"):
        list(found.members())


def test_mets_must_link_files_in_their_order(stores: list[MemoryStore], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(None, stores, files=FILES[:1])
    other = keep(None, stores, "2", files=FILES[1:2])
    found = describe_stored(stores[0], kept.key)
    plain, foreign = found.stream, describe_stored(stores[0], other.key).stream
    mets = other.member("rep1/METS.xml")
    monkeypatch.setattr(
        found, "stream", lambda member: foreign(mets) if member.path.endswith("rep1/METS.xml") else plain(member)
    )
    with pytest.raises(Unreadable, match="links to"):
        list(found.records())


def test_a_key_of_another_kind_is_unreadable(stores: list[MemoryStore]) -> None:
    kept = keep(None, stores)
    stores[0].put("somewhere.zip", raw(stores[0], kept.key))
    with pytest.raises(Unreadable, match="not one of an AIP"):
        _ = describe_stored(stores[0], "somewhere.zip").version


def test_a_package_without_metadata_has_no_records_and_no_events(stores: list[MemoryStore]) -> None:
    built = build_aip(stores, {"data/x/representations/r/data/a": b"1"})
    found = describe_stored(stores[0], built.key)
    assert (found.events, list(found.records())) == ((), [])
    with pytest.raises(Unreadable, match="PREMIS"):
        list(found.members())


def test_chunks_as_a_stream() -> None:
    stream = ChunkStream(iter([b"abc", b"", b"de"]))
    assert [stream.read(2), stream.read(2), stream.read(9), stream.read(1)] == [b"ab", b"c", b"de", b""]
