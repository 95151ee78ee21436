"""Random TT 05 dossiers: SIP, ingest, AIP, DIP, read again. Nothing is lost on the way and nothing changed."""

from __future__ import annotations

import io
import os
import tempfile
import unicodedata
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from access.dissemination.export import export_aip
from access.shelf import Shelf
from ingest.check import check_package
from ingest.place import Submission
from ingest.receipt import Receipt
from metadata.findings import Severity
from metadata.holdings import AipVersion
from metadata.package_kinds import PackageKind, PackageProfile
from metadata.tt05.profile import DocumentKind, default_profile
from metadata.tt05.records import Fields, read_simpledc
from metadata.tt05.sip import SipDocument
from preservation.rebuild import rebuild
from tests.builders.archive import AGENT, ARCHIVE, SmallArchive, small_archive
from tests.builders.giving import REQUEST, dip_of, services_of, version_of
from tests.builders.tt05 import sip_hoso

EXAMPLES = int(os.environ.get("TANGTHU_PROVE_ROUND_TRIPS", "12"))
REP = "representations/rep1/"
DESCRIPTIVE = f"{REP}metadata/descriptive/"
EAD = "metadata/descriptive/EAD.xml"
CODE = "H20.05.2024.01.TCCB"
FORMS = {None: "dossier", DocumentKind.TEXT: "text", DocumentKind.PICTURE: "picture", DocumentKind.MEDIA: "media"}
SUBJECTS = {DocumentKind.TEXT: "subject", DocumentKind.PICTURE: "imageTitle", DocumentKind.MEDIA: "movieTitle"}
OF_DOSSIER = ("maintenance", "riskRecovery", "riskRecoveryStatus")

# What people write: Vietnamese in both Unicode forms, marks that XML, URLs and ZIPs care about, line ends, rare signs.
WORDS = (
    "Hồ sơ", "Quyết định số 12/QĐ-UBND", "ễ", "e\u0302\u0303", "&amp;", "<b>", "]]>", "\"'", "%41", "a\nb", "a\tb",
    "a\rb", "a\u00a0b", "字喃", "\U0001f4dc", "\u200b", "=1+1", "#", "…", "x" * 90,
)  # fmt: skip
texts = st.lists(
    st.one_of(st.sampled_from(WORDS), st.text(st.characters(categories=("L", "N", "P", "S")), max_size=12)), max_size=4
).map(lambda words: " ".join(words).strip())
titles = st.tuples(st.sampled_from(WORDS[:5]), texts).map(lambda parts: " ".join(parts).strip())
DATES = {
    "02/01/2024": "02/01/2024", "2/1/2024": "02/01/2024", "2024-01-02": "02/01/2024", "01/2024": "01/2024",
    "2024": "2024", "2024-01": "01/2024", "Tết Mậu Thân": "Tết Mậu Thân", "31/02/2024": "31/02/2024", "": "",
    "00/00/0000": "00/00/0000", "9999-99-99": "9999-99-99",
}  # fmt: skip
NAMES = (
    "Công văn số 1.pdf", "A.txt", "a.txt", "tệp.fetch.pdf", "e\u0302\u0301.txt", "a%0Ab", "50%.xlsx", "#1 & 2.doc",
    "-rf", "$(id)", "+", "phụ lục/bảng kê.csv", "phụ lục/sâu/hơn/x", ".ẩn", "METS.xml", "EAD_doc_x.xml", "a;b=c,d",
    "(2)'!~@.docx", "x" * 200, "không đuôi", "字.txt", "\U0001f4dc.txt", "a..b", "data/data/data",
)  # fmt: skip
names = st.one_of(
    st.sampled_from(NAMES), st.text(st.characters(categories=("Ll", "Lu", "Nd")), min_size=1, max_size=20)
)
contents = st.one_of(st.just(b""), st.sampled_from([b"%PDF-1.4\n", b"PK\x03\x04", b"x" * 5000]), st.binary(max_size=60))


def one_after_nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def values_of(name: str) -> st.SearchStrategy[str]:
    profile = default_profile()
    if name in profile.lists:
        return st.one_of(st.sampled_from(sorted(profile.lists[name])), texts)
    return st.sampled_from(sorted(DATES)) if name.lower().endswith(("date", "time")) and name != "playTime" else texts


@st.composite
def records(draw: st.DrawFn, kind: DocumentKind | None) -> Fields:
    """Fields of the SIP's form in any order: some missing, empty, twice, or of no form; the identity always there."""
    form = default_profile().form(kind, "sip").fields
    given_fields = draw(st.lists(st.sampled_from(sorted(form)), max_size=len(form) + 2))
    pairs = [(name, draw(values_of(name))) for name in given_fields if name not in ("fileCode", "title", "docCode")]
    pairs += [(name, draw(texts)) for name in draw(st.lists(st.sampled_from(["nguoiLap", "x-1", "_y"]), max_size=2))]
    if kind is None:
        pairs += [("fileCode", CODE), ("title", draw(titles))]
    else:
        pairs = [(SUBJECTS[kind], draw(titles)), *(pair for pair in pairs if pair[0] != SUBJECTS[kind])]
        pairs += draw(st.sampled_from([[], [("docCode", f"{CODE}.0000007")]]))
    return Fields(tuple(draw(st.permutations(pairs))))


@st.composite
def dossiers(draw: st.DrawFn) -> list[SipDocument]:
    """Documents of all kinds, each with files; no two names that are one to Unicode or to a folder."""
    stems = draw(st.lists(names.map(lambda name: name.replace("/", "_")[:60]), min_size=1, max_size=5,
                          unique_by=one_after_nfc))  # fmt: skip
    files = draw(st.lists(names, min_size=len(stems), max_size=len(stems) + 4,
                          unique_by=one_after_nfc))  # fmt: skip
    shares = [[name] for name in files[: len(stems)]]
    for name in files[len(stems) :]:
        draw(st.sampled_from(shares)).append(name)
    made = []
    for stem, share in zip(stems, shares, strict=True):
        kind = draw(st.sampled_from(DocumentKind))
        made.append(SipDocument(stem, draw(records(kind)), {name: draw(contents) for name in share}, kind))
    return made


# What must come of it, said in the test's own words


def dated(name: str, text: str, form: Mapping[str, object]) -> str:
    return DATES.get(text, text) if "date" in str(getattr(form[name], "type", "")) else text


def converted(
    pairs: Sequence[tuple[str, str]], kind: DocumentKind | None, package: str, added: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Fields of ``package``'s form in its order, ``added`` among them; those of no form at the end."""
    profile = default_profile()
    form = profile.form(kind, package).fields
    known = {name for other in ("sip", "aip", "dip") if f"{FORMS[kind]}_{other}" in profile.forms
             for name in profile.form(kind, other).fields} if kind else (
        {*profile.form(kind, "sip").fields, *profile.form(kind, "aip").fields})  # fmt: skip
    made = []
    for name in form:
        if name in added:
            made += [(name, added[name])]
        else:
            made += [(name, dated(name, text, form)) for other, text in pairs if other == name]
    return made + [(name, text) for name, text in pairs if name not in known and name not in added]


def in_dip(sent: Sequence[tuple[str, str]], dossier: Sequence[tuple[str, str]], kind: DocumentKind):
    code = next((text for name, text in sent if name == "docCode" and text), "")
    pairs = [pair for pair in sent if pair[0] != "docCode"]
    have = {name for name, _ in pairs}
    joined: dict[str, str] = {}
    for name, text in dossier:
        joined[name] = f"{joined[name]}; {text}" if joined.get(name) and text else joined.get(name, "") or text
    pairs += [(name, text) for name, text in joined.items() if name in OF_DOSSIER and name not in have]
    return converted(pairs, kind, "dip", {"arcDocCode": f"{ARCHIVE}.{code}"} if code else {})


# Reading


def fields(data: bytes) -> list[tuple[str, str]]:
    return list(read_simpledc(io.BytesIO(data)))


def members(data: bytes | Path, *tops: str) -> dict[str, bytes]:
    """The files of a ZIP that lie under ``tops``, from there on."""
    with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as found:
        assert found.testzip() is None
        every = {name.partition("/")[2]: found.read(name) for name in found.namelist()}
    for top in tops:
        every = {name.removeprefix(top): content for name, content in every.items() if name.startswith(top)}
    return every


def errors_of(package: Path, work: Path, kind: PackageKind) -> list[str]:
    report = check_package(package, work, PackageProfile(kind))
    return [f"{one.code} {one.place}" for one in report.findings if one.severity is Severity.ERROR]


@dataclass(frozen=True)
class Sent:
    """A SIP as it was written, and what is expected of it."""

    path: Path
    files: dict[str, bytes]
    dossier: Fields
    documents: Sequence[SipDocument]

    def content(self) -> dict[str, bytes]:
        return {name: data for document in self.documents for name, data in document.files.items()}  # type: ignore[misc]


def sent_to(folder: Path, dossier: Fields, documents: Sequence[SipDocument], zipped: bool) -> Sent:
    path = sip_hoso(folder, identity=uuid.uuid4(), dossier=dossier, contents=documents,
                    documentation={"UserManual.pdf": b"%PDF-1.4\n"})  # fmt: skip
    files = {one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file()}
    if zipped:
        with zipfile.ZipFile(folder / "goi.zip", "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in files.items():
                out.writestr(f"{path.name}/{name}", data)
        path = folder / "goi.zip"
    return Sent(path, files, dossier, documents)


def receive(archive: SmallArchive, path: Path, names: Iterable[str]) -> Receipt:
    """Taken in; judged by outside software too, unless it cannot read such names: bagit 1.9.0 leaves %25 as it is."""
    if any("%" in name for name in names):
        return archive.service.receive("job", Submission(path, None, None))
    return archive.receive(path)


def judge_aip(archive: SmallArchive, receipt: Receipt, sent: Sent) -> dict[str, bytes]:
    """The AIP keeps every byte, describes every document, and has the submission's own metadata as they came."""
    kept = members(archive.object(receipt), "data/")
    folder = next(name.partition("/")[0] for name in kept if name.startswith("urn_"))
    aip = {name.removeprefix(f"{folder}/"): data for name, data in kept.items() if name.startswith(f"{folder}/")}
    content = {name.removeprefix(f"{REP}data/"): data for name, data in aip.items() if name.startswith(f"{REP}data/")}
    assert content == sent.content()
    submission = {n.removeprefix("submission/"): d for n, d in kept.items() if n.startswith("submission/")}
    for name, data in sent.files.items():
        found = submission.get(name, aip.get(name))
        assert found == data, name
    expected = converted(list(sent.dossier), None, "aip", {"arcFileCode": f"{ARCHIVE}.{CODE}"})
    assert fields(aip[EAD]) == expected
    ordinals = set()
    for document in sent.documents:
        found = fields(aip[f"{DESCRIPTIVE}EAD_{document.kind}_{document.name}.xml"])
        ordinal = dict(found)["docOrdinal"]
        ordinals.add(ordinal)
        added = {"arcFileCode": f"{ARCHIVE}.{CODE}", "docOrdinal": ordinal}
        assert found == converted(list(document.fields), document.kind, "aip", added)
        judge_record(archive, receipt, document, int(ordinal))
    assert ordinals == {str(number) for number in range(1, len(sent.documents) + 1)}
    return aip


def judge_import(archive: SmallArchive, receipt: Receipt, folder: Path, aip: Mapping[str, bytes]) -> None:
    """Another archive of the same system takes the AIP in, and holds the same documents with the same files."""
    version = version_of(archive, receipt)
    export = export_aip(services_of(archive), AGENT, version, folder / "aip.zip")
    assert members(export.path) == aip
    assert errors_of(export.path, folder, PackageKind.AIP_HOSO) == []
    with small_archive(folder / "kho khác") as other:
        taken = receive(other, export.path, aip)
        assert taken.aip, taken.findings
        shelves = [(Shelf(one.catalogue), version_of(one, what)) for one, what in ((archive, receipt), (other, taken))]
        here, there = (
            [told(shelf, held, n) for n in range(1, 100) if n <= count(shelf, held)] for shelf, held in shelves
        )
        assert here == there


def count(shelf: Shelf, held: AipVersion) -> int:
    return len(shelf.documents(held, 1, 100))


def told(shelf: Shelf, held: AipVersion, number: int) -> tuple[object, ...]:
    """A document without what belongs to the AIP it is in: what its description says, its files and their bytes."""
    shown = shelf.document(held, number)
    files = [(one.path.partition(f"/{REP}")[2], one.size, one.sha256, one.sha512) for one in shown.members]
    return shown.record.title, dict(shown.record.fields), files


def judge_record(archive: SmallArchive, receipt: Receipt, document: SipDocument, number: int) -> None:
    """What people search and see: the document under its number, with its own files."""
    shown = Shelf(archive.catalogue).document(version_of(archive, receipt), number)
    assert shown.record.title == document.fields.get(SUBJECTS[document.kind])
    assert {member.path.partition(f"{REP}data/")[2] for member in shown.members} == set(document.files)


def judge_dip(path: Path, sent: Sent, chosen: Sequence[SipDocument]) -> None:
    """The DIP has the files and the descriptions of what was asked for, and the request."""
    found = members(path)
    content = {name.removeprefix(f"{REP}data/"): data for name, data in found.items() if name.startswith(f"{REP}data/")}
    assert content == {name: data for document in chosen for name, data in document.files.items()}
    described = {name: data for name, data in found.items() if name.startswith(DESCRIPTIVE)}
    assert set(described) == {f"{DESCRIPTIVE}EAD_{one.kind}_{one.name}.xml" for one in chosen}
    for document in chosen:
        data = described[f"{DESCRIPTIVE}EAD_{document.kind}_{document.name}.xml"]
        assert fields(data) == in_dip(list(document.fields), list(sent.dossier), document.kind)
    assert fields(found[EAD]) == list(REQUEST.fields())


# Not shrunk: an example takes a second, and says well enough what it was.
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)
@given(dossier=records(None), documents=dossiers(), zipped=st.booleans(), data=st.data())
def test_prove_a_dossier_comes_back_as_it_was_sent(
    dossier: Fields, documents: list[SipDocument], zipped: bool, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sent = sent_to(folder / "nop", dossier, documents, zipped)
        assert errors_of(sent.path, folder, PackageKind.SIP_HOSO) == []
        with small_archive(folder / "kho") as archive:
            receipt = receive(archive, sent.path, sent.files)
            assert receipt.aip, receipt.findings
            aip = judge_aip(archive, receipt, sent)
            judge_import(archive, receipt, folder, aip)
            everything = dip_of(archive, receipt, folder / "dip.zip")
            judge_dip(everything.path, sent, documents)
            assert errors_of(everything.path, folder, PackageKind.DIP) == []
            numbers = data.draw(st.sets(st.integers(1, len(documents)), min_size=1), label="chosen documents")
            some = dip_of(archive, receipt, folder / "some.zip", sorted(numbers))
            shelf, version = Shelf(archive.catalogue), version_of(archive, receipt)
            titles_of = {shelf.document(version, number).record.fields["docOrdinal"] for number in numbers}
            assert titles_of == {str(number) for number in numbers}
            judge_dip(some.path, sent, chosen_of(archive, receipt, sent, numbers))
            with small_archive(folder / "mới", stores=archive.stores) as anew:
                assert rebuild(anew.catalogue, archive.stores, archive.clock).rebuilt == 1
                before, after = (list(one.catalogue.holdings.records(version.id)) for one in (archive, anew))
                assert before == after


def chosen_of(archive: SmallArchive, receipt: Receipt, sent: Sent, numbers: set[int]) -> list[SipDocument]:
    """The documents that these numbers mean, told by their files."""
    shelf, version = Shelf(archive.catalogue), version_of(archive, receipt)
    paths = {
        member.path.partition(f"{REP}data/")[2]
        for number in numbers
        for member in shelf.document(version, number).members
    }
    return [document for document in sent.documents if set(document.files) <= paths]
