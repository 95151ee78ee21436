"""What checks find at ingest is in the AIP, in the catalogue, and back again after a rebuild."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import ingest.describing.signatures as describing
from ingest.describing.events import _named
from ingest.receipt import Receipt, Verdict
from metadata.catalogue import Catalogue
from metadata.characteristics import Characteristics, Facts
from metadata.events import Event, EventType
from metadata.examination import FILES, TEXT, ExaminedFile, FileText
from metadata.holdings import Member, Role
from metadata.identifiers import AipId, VersionId
from metadata.outcomes import SignatureOutcome, Validity, Virus
from metadata.premis import PremisObject, iter_premis
from preservation.antivirus.memory import NoScanner
from preservation.checks import Schedule
from preservation.rebuild import rebuild
from preservation.signatures.answering import Answerer
from preservation.signatures.port import Question, SignatureReport
from preservation.signatures.trust import TrustStore
from tests.builders import signatures as signed
from tests.builders.archive import PERIOD, START, SmallArchive, small_archive
from tests.builders.bags import bag
from tests.builders.checking import FACTS, MemoryChecker, MemoryInspector, pdf
from tests.builders.tt05 import documents, sip_hoso

CONTENTS = {
    "1.pdf": pdf("Quyết định giao đất", pages=3, width=595, encrypted=False),
    "2.pdf": pdf(signed="%signed OK SIG-SHA1-LEGACY", pages=1),
    "3.pdf": pdf(signed="%signed OK SIG-ALTERED", validity="INVALID", application="Máy <in>"),
    "4.pdf": pdf(signed="%broken", validity="UNREADABLE", encrypted=True),
    "5.txt": b"plain",
}


def _open(folder: Path) -> Iterator[SmallArchive]:
    with small_archive(folder) as made:
        object.__setattr__(made.place, "inspector", MemoryInspector())
        object.__setattr__(made.place, "signatures", MemoryChecker())
        yield made


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    yield from _open(tmp_path / "archive")


def sent(folder: Path) -> Path:
    info = (
        ("Source-Organization", "H20.01"),
        ("Bag-Group-Identifier", "P01"),
        ("External-Identifier", "BAG-2026-0001"),
    )
    return bag(folder, CONTENTS, info=info)


def version_of(receipt: Receipt) -> VersionId:
    return VersionId(AipId.parse(receipt.aip), receipt.version)


def taken(archive: SmallArchive, source: Path) -> VersionId:
    receipt = archive.receive(source)
    assert receipt.verdict is Verdict.ACCEPTED, receipt.findings
    return version_of(receipt)


def inside(archive: SmallArchive, version: VersionId, path: str) -> bytes:
    held = archive.catalogue.holdings.version(version)
    assert held is not None
    with archive.stores[0].open(held.key) as stream:
        data = stream.read(held.size)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return opened.read(f"{version}/{path}")


def content(archive: SmallArchive, version: VersionId) -> list[Member]:
    return [one for one in archive.catalogue.holdings.members(version) if one.role is Role.CONTENT]


def events(archive: SmallArchive, version: VersionId, kind: EventType) -> list[Event]:
    return [one for one in archive.catalogue.events.of(version) if one.type is kind]


def test_the_catalogue_tells_of_each_file(archive: SmallArchive, tmp_path: Path) -> None:
    version = taken(archive, sent(tmp_path / "bag"))
    clean = Virus.CLEAN
    assert [one.characteristics for one in content(archive, version)] == [
        Characteristics(Validity.VALID, clean, facts=Facts(pages=3, width=595, encrypted=False)),
        Characteristics(Validity.VALID, clean, "", SignatureOutcome.VALID_WITH_NOTES, 2, Facts(pages=1)),
        Characteristics(Validity.INVALID, clean, "", SignatureOutcome.INVALID, 2, Facts(application="Máy <in>")),
        Characteristics(Validity.UNREADABLE, clean, "", SignatureOutcome.UNREADABLE, 0, Facts(encrypted=True)),
        Characteristics(Validity.VALID, clean),
    ]
    counts = archive.catalogue.holdings.check_counts()
    assert (counts.signature[SignatureOutcome.INVALID], counts.validity[Validity.VALID]) == (1, 3)


def test_the_aip_tells_it_all(archive: SmallArchive, tmp_path: Path) -> None:
    version = taken(archive, sent(tmp_path / "bag"))
    members = {one.number: one for one in archive.catalogue.holdings.members(version)}
    told = [ExaminedFile.read(line) for line in inside(archive, version, FILES).splitlines()]
    assert {one.number: (one.path, one.characteristics) for one in told} == {
        number: (one.path, one.characteristics) for number, one in members.items() if one.characteristics
    }
    assert [one.number for one in told] == sorted(one.number for one in told)
    by_name = {Path(one.path).name: one for one in told}
    assert by_name["3.pdf"].remarks == ("SIGNATURE-INVALID",)
    (text,) = [FileText.read(line) for line in inside(archive, version, TEXT).splitlines()]
    assert (text.number, text.text) == (by_name["1.pdf"].number, "Quyết định giao đất")
    kept = json.loads(inside(archive, version, f"data/examination/signatures/{by_name['3.pdf'].number}.json"))
    assert (kept["path"], kept["outcome"], kept["reasons"]) == (by_name["3.pdf"].path, "INVALID", [])
    assert kept["format"] == "tangthu-signature-evidence/1"
    assert [one["outcome"] for one in kept["signatures"]] == ["VALID", "INVALID"]
    broken = json.loads(inside(archive, version, f"data/examination/signatures/{by_name['4.pdf'].number}.json"))
    assert (broken["outcome"], [one["code"] for one in broken["reasons"]]) == ("UNREADABLE", ["SIG-ENCRYPTED"])
    signed = [one.path for one in members.values() if one.path.startswith("data/examination/signatures/")]
    assert len([path for path in signed if path.endswith(".json")]) == 3
    assert inside(archive, version, f"data/examination/signatures/{by_name['3.pdf'].number}.xml") == b"<report/>"
    assert f"data/examination/signatures/{by_name['4.pdf'].number}.xml" not in signed


def test_premis_tells_of_the_files(archive: SmallArchive, tmp_path: Path) -> None:
    version = taken(archive, sent(tmp_path / "bag"))
    (path,) = [one.path for one in archive.catalogue.holdings.members(version) if one.path.endswith("PREMIS_rep1.xml")]
    objects = list(iter_premis(io.BytesIO(inside(archive, version, path))))
    assert all(isinstance(one, PremisObject) for one in objects)
    assert [one.validity for one in objects] == ["VALID", "VALID", "INVALID", "UNREADABLE", "VALID"]
    assert [one.facts for one in objects] == [one.characteristics.facts for one in content(archive, version)]
    assert [len(one.signatures) for one in objects] == [0, 2, 2, 0, 0]
    signature = objects[2].signatures[1]
    assert (signature.signer, signature.method, signature.value) == (FACTS["signer"], "RSA-SHA256", "QUJDRA==")
    assert "policy=p1" in signature.rules
    properties = dict(signature.properties)
    assert (properties["outcome"], properties["reason"], properties["level"]) == ("INVALID", "SIG-ALTERED", "B-LTA")


def test_events_tell_what_was_done(archive: SmallArchive, tmp_path: Path) -> None:
    version = taken(archive, sent(tmp_path / "bag"))
    (scan,) = events(archive, version, EventType.VIRUS_CHECK)
    assert (scan.outcome, scan.agent.name) == ("CLEAN", "MemoryScanner 1")
    assert scan.note.startswith("CLEAN ")
    formats = events(archive, version, EventType.VALIDATION)[1]
    assert (formats.outcome, formats.agent.name) == ("warning", "MemoryInspector 1")
    assert "VALID 3" in formats.note
    assert "not valid: data/3.pdf (INVALID), data/4.pdf (UNREADABLE)" in formats.note
    (facts,) = events(archive, version, EventType.METADATA_EXTRACTION)
    assert facts.note == "4 files with facts, 1 files with text"
    *each, together = events(archive, version, EventType.DIGITAL_SIGNATURE_VALIDATION)
    assert [one.outcome for one in each] == ["VALID_WITH_NOTES", "INVALID", "UNREADABLE"]
    assert (together.outcome, together.note) == (
        "warning",
        "3 files with signatures: VALID_WITH_NOTES 1, UNREADABLE 1, INVALID 1",
    )
    bad, number = each[1], content(archive, version)[2].number
    assert bad.links == (
        ("File", f"{version}/data/3.pdf"),
        ("member", f"data/examination/signatures/{number}.json"),
        ("member", f"data/examination/signatures/{number}.xml"),
    )
    assert bad.detail.startswith("Digital signatures of data/3.pdf were judged by ETSI EN 319 102-1; ")
    assert "Signature2: INVALID (SIG-ALTERED)" in bad.note
    assert FACTS["signer"] in bad.note
    assert FACTS["signature_value"] not in bad.note
    assert len({one.id for one in archive.catalogue.events.of(version)}) == len(archive.catalogue.events.of(version))


def test_events_of_files_are_bounded(archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describing, "EVENTS", 2)
    version = taken(archive, sent(tmp_path / "bag"))
    found = events(archive, version, EventType.DIGITAL_SIGNATURE_VALIDATION)
    assert len(found) == 3
    assert found[-1].note.startswith("3 files with signatures")


def test_a_rebuilt_catalogue_equals_the_lost_one(archive: SmallArchive, tmp_path: Path) -> None:
    taken(archive, sent(tmp_path / "bag"))
    taken(archive, sip_hoso(tmp_path / "sip", contents=documents(3)))
    with Catalogue(f"sqlite:///{tmp_path / 'again.sqlite'}") as again:
        again.upgrade()
        report = rebuild(again, archive.stores, archive.clock, Schedule(PERIOD))
        assert (report.rebuilt, report.problems) == (2, [])
        assert list(again.dump()) == list(archive.catalogue.dump())


def test_the_same_submission_gives_the_same_bytes(tmp_path: Path) -> None:
    source, objects = sent(tmp_path / "bag"), []
    for name in ("one", "two"):
        for archive in _open(tmp_path / name):
            objects.append(archive.object(archive.receive(source)))
    assert objects[0] == objects[1]


def test_names_in_a_note_are_bounded() -> None:
    assert _named("infected", iter(["a", "b"]), 2) == "; infected: a, b"
    assert _named("infected", iter(str(n) for n in range(50)), 50).endswith("19, and 30 more")
    assert _named("infected", iter(()), 0) == ""


def test_without_checkers_the_aip_says_nothing_of_checks(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        object.__setattr__(archive.place, "scanner", NoScanner())
        version = taken(archive, sent(tmp_path / "bag"))
        kinds = {one.type for one in archive.catalogue.events.of(version)}
        assert not kinds & {
            EventType.VIRUS_CHECK,
            EventType.DIGITAL_SIGNATURE_VALIDATION,
            EventType.METADATA_EXTRACTION,
        }
        assert TEXT not in {one.path for one in archive.catalogue.holdings.members(version)}


class RealChecker:
    """Judges signatures by one trust store, in this process."""

    def __init__(self, store: TrustStore) -> None:
        self._answerer = Answerer.of(store)

    def check(self, question: Question) -> SignatureReport:
        return self._answerer.answer(question)

    def close(self) -> None:
        pass


def test_a_signature_is_still_valid_ten_years_later_by_what_the_aip_keeps(
    archive: SmallArchive, tmp_path: Path
) -> None:
    day, later = timedelta(days=1), START + timedelta(days=3653)
    document = signed.sign(signed.pdf())
    people = signed.authority()
    store = people.store(crls=people.crls(START - day, START + day))
    object.__setattr__(archive.place, "signatures", RealChecker(store))
    info = (("Source-Organization", "H20.01"), ("Bag-Group-Identifier", "P01"), ("External-Identifier", "B"))
    version = taken(archive, bag(tmp_path / "bag", {"a.pdf": document}, info=info))
    (member,) = content(archive, version)
    assert member.characteristics is not None
    assert member.characteristics.signature is SignatureOutcome.VALID
    kept = json.loads(inside(archive, version, f"data/examination/signatures/{member.number}.json"))
    then = people.store(crls=people.crls(later - day, later + day))
    file = io.BytesIO(inside(archive, version, member.path))
    assert RealChecker(then).check(Question(file, later, later)).outcome is SignatureOutcome.INDETERMINATE
    again = RealChecker(then).check(Question(file, later, later, evidence=kept))
    assert again.outcome is SignatureOutcome.VALID
    assert again.verdicts[0].facts["signer"] == kept["signatures"][0]["facts"]["signer"]
