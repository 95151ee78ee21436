"""Random TT 05 dossiers and loose documents: SIP, ingest, AIP, DIP, read again: nothing is lost, nothing is changed.

12 packages in every run; TANGTHU_ROUND_TRIPS says otherwise (``make prove``: 500).
"""

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
from metadata.catalogue import Document
from metadata.findings import Severity
from metadata.holdings import AipVersion
from metadata.package_kinds import PackageKind, PackageProfile
from metadata.tt05.profile import DocumentKind, FieldType, default_profile
from metadata.tt05.records import Fields, read_simpledc
from metadata.tt05.sip import SipDocument
from preservation.rebuild import rebuild
from tests.builders.archive import AGENT, ARCHIVE, SmallArchive, small_archive
from tests.builders.giving import REQUEST, dip_of, services_of, version_of
from tests.builders.tt05 import edit, sip_hoso

EXAMPLES = int(os.environ.get("TANGTHU_ROUND_TRIPS", "12"))
REP = "representations/rep1/"
DESCRIPTIVE = f"{REP}metadata/descriptive/"
EAD = "metadata/descriptive/EAD.xml"
CODE = "H20.05.2024.01.TCCB"
AIPS = {PackageKind.SIP_HOSO: PackageKind.AIP_HOSO, PackageKind.SIP_TAILIEU: PackageKind.AIP_TAILIEU}
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
def records(draw: st.DrawFn, package: PackageKind, kind: DocumentKind | None) -> Fields:
    """Fields of the SIP's form in any order: some missing, empty, twice, or of no form; the identity always there."""
    form = default_profile().form(kind, package).fields
    drawn = draw(st.lists(st.sampled_from(sorted(form)), max_size=len(form) + 2))
    pairs = [(name, draw(values_of(name))) for name in drawn if name not in ("fileCode", "title", "docCode")]
    pairs += [(name, draw(texts)) for name in draw(st.lists(st.sampled_from(["nguoiLap", "x-1", "_y"]), max_size=2))]
    if kind is None:
        pairs += [("fileCode", CODE), ("title", draw(titles))]
    else:
        pairs = [(SUBJECTS[kind], draw(titles)), *(pair for pair in pairs if pair[0] != SUBJECTS[kind])]
        pairs += draw(st.sampled_from([[], [("docCode", f"{CODE}.0000007")]]))
    return Fields(tuple(draw(st.permutations(pairs))))


@dataclass(frozen=True)
class Written:
    """What an agency has: a dossier (or a batch of loose documents), its record and its documents."""

    package: PackageKind
    record: Fields
    documents: Sequence[SipDocument]
    zipped: bool

    @property
    def content(self) -> dict[str, bytes]:
        """The content files by their names."""
        return content_of(self.documents)


def content_of(documents: Sequence[SipDocument]) -> dict[str, bytes]:
    return {name: data for one in documents for name, data in one.files.items() if isinstance(data, bytes)}


@st.composite
def submissions(draw: st.DrawFn) -> Written:
    """Documents of all kinds, each with files; no two names that are one to Unicode."""
    package = draw(st.sampled_from(sorted(AIPS)))
    stem = names.map(lambda name: name.replace("/", "_")[:60])
    stems = draw(st.lists(stem, min_size=1, max_size=5, unique_by=one_after_nfc))
    files = draw(st.lists(names, min_size=len(stems), max_size=len(stems) + 4, unique_by=one_after_nfc))
    shares = [[name] for name in files[: len(stems)]]
    for name in files[len(stems) :]:
        draw(st.sampled_from(shares)).append(name)
    made = []
    for stem_, share in zip(stems, shares, strict=True):
        kind = draw(st.sampled_from(DocumentKind))
        held = {name: draw(contents) for name in share}
        made.append(SipDocument(stem_, draw(records(package, kind)), held, kind))
    return Written(package, draw(records(package, None)), made, draw(st.booleans()))


def send(written: Written, folder: Path) -> tuple[Path, dict[str, bytes]]:
    """Write the SIP as a folder or a ZIP; its path, and every file of it."""

    def loose(package: Path) -> None:
        if written.package is PackageKind.SIP_TAILIEU:
            edit(package, "METS.xml", 'TYPE="Mixed"', 'TYPE="Collection"')

    path = sip_hoso(
        folder, identity=uuid.uuid4(), dossier=written.record, contents=written.documents,
        documentation={"UserManual.pdf": b"%PDF-1.4\n"}, mutate=loose, then_reseal=True,
    )  # fmt: skip
    files = {one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file()}
    if written.zipped:
        with zipfile.ZipFile(folder / "goi.zip", "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in files.items():
                out.writestr(f"{path.name}/{name}", data)
        path = folder / "goi.zip"
    return path, files


# What must come of it, said in the test's own words

Pairs = list[tuple[str, str]]


def converted(pairs: Iterable[tuple[str, str]], kind: DocumentKind | None, package: PackageKind, **added: str) -> Pairs:
    """Fields of ``package``'s form in its order, ``added`` among them; those of no form at the end."""
    profile, pairs = default_profile(), list(pairs)
    form = profile.form(kind, package).fields
    known = {name for other in profile.packages for name in profile.form(kind, other).fields}
    made: Pairs = []
    for name, rule in form.items():
        texts = [added[name]] if name in added else [text for other, text in pairs if other == name]
        made += [(name, DATES.get(text, text) if rule.type is FieldType.DATE else text) for text in texts]
    return made + [(name, text) for name, text in pairs if name not in known]


def code_of(document: SipDocument) -> dict[str, str]:
    code = document.fields.get("docCode")
    return {"arcDocCode": f"{ARCHIVE}.{code}"} if code else {}


def in_aip(written: Written, document: SipDocument, ordinal: str) -> Pairs:
    added = code_of(document)
    if written.package is PackageKind.SIP_HOSO:
        added = {"arcFileCode": f"{ARCHIVE}.{CODE}", "docOrdinal": ordinal}
    return converted(document.fields, document.kind, AIPS[written.package], **added)


def in_dip(written: Written, document: SipDocument) -> Pairs:
    """The record's own fields stand in for those that a document lacks; there, what is said twice is joined."""
    have = {name for name, _ in document.fields}
    joined = written.record.joined()
    whole = [(name, joined[name]) for name in OF_DOSSIER if name in joined and name not in have]
    return converted([*document.fields, *whole], document.kind, PackageKind.DIP, **code_of(document))


# Reading


def fields(data: bytes) -> Pairs:
    return list(read_simpledc(io.BytesIO(data)))


def members(data: bytes | Path, top: str = "") -> dict[str, bytes]:
    """The files of a ZIP of one folder that lie under ``top`` in it, from there on."""
    with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as found:
        assert found.testzip() is None
        every = {name.partition("/")[2]: found.read(name) for name in found.namelist()}
    return under(every, top)


def under(files: Mapping[str, bytes], top: str) -> dict[str, bytes]:
    return {name.removeprefix(top): content for name, content in files.items() if name.startswith(top)}


def errors_of(package: Path, work: Path, kind: PackageKind) -> list[str]:
    report = check_package(package, work, PackageProfile(kind))
    return [f"{one.code} {one.place}" for one in report.findings if one.severity is Severity.ERROR]


def receive(archive: SmallArchive, path: Path, names: Iterable[str]) -> Receipt:
    """Taken in; judged by outside software too, unless it cannot read such names: bagit 1.9.0 leaves %25 as it is."""
    if any("%" in name for name in names):
        return archive.service.receive("job", Submission(path, None, None))
    return archive.receive(path)


@dataclass(frozen=True)
class Held:
    """A package that an archive holds."""

    archive: SmallArchive
    receipt: Receipt

    @property
    def version(self) -> AipVersion:
        return version_of(self.archive, self.receipt)

    def documents(self) -> list[Document]:
        shelf = Shelf(self.archive.catalogue)
        return [shelf.document(self.version, one.number) for one in shelf.documents(self.version, 1, 100)]


def paths_of(document: Document) -> set[str]:
    return {member.path.partition(f"/{REP}data/")[2] for member in document.members}


# Judging


def judge_aip(held: Held, written: Written, sent: Mapping[str, bytes]) -> dict[str, bytes]:
    """The AIP keeps every byte, describes every document, and has the submission's own metadata as they came."""
    kept = members(held.archive.object(held.receipt), "data/")
    folder = next(name.partition("/")[0] for name in kept if name.startswith("urn_"))
    aip, submission = under(kept, f"{folder}/"), under(kept, "submission/")
    assert under(aip, f"{REP}data/") == written.content
    assert {name: submission.get(name, aip.get(name)) for name in sent} == sent
    record = converted(written.record, None, AIPS[written.package], arcFileCode=f"{ARCHIVE}.{CODE}")
    assert fields(aip[EAD]) == record
    found = held.documents()
    assert len(found) == len(written.documents)
    for document in written.documents:
        (shown,) = [one for one in found if paths_of(one) == set(document.files)]
        assert shown.record.title == document.fields.get(SUBJECTS[document.kind])
        data = aip[f"{DESCRIPTIVE}EAD_{document.kind}_{document.name}.xml"]
        assert fields(data) == in_aip(written, document, str(shown.record.number))
    return aip


def judge_import(held: Held, written: Written, folder: Path, aip: Mapping[str, bytes]) -> None:
    """Another archive of the same system takes the AIP in, and holds the same documents with the same files."""
    export = export_aip(services_of(held.archive), AGENT, held.version, folder / "aip.zip")
    assert members(export.path) == aip
    assert errors_of(export.path, folder, AIPS[written.package]) == []
    with small_archive(folder / "kho khác") as other:
        taken = receive(other, export.path, aip)
        assert taken.aip, taken.findings
        assert told(Held(other, taken)) == told(held)


def told(held: Held) -> list[tuple[object, ...]]:
    """Documents without what belongs to the AIP they are in: what they say, their files and those files' bytes."""
    return [
        (one.record.title, dict(one.record.fields), sorted(paths_of(one)), [member.sha512 for member in one.members])
        for one in held.documents()
    ]


def judge_dip(path: Path, written: Written, chosen: Sequence[SipDocument]) -> None:
    """The DIP has the files and the descriptions of what was asked for, and the request."""
    found = members(path)
    assert under(found, f"{REP}data/") == content_of(chosen)
    described = under(found, DESCRIPTIVE)
    expected = {f"EAD_{one.kind}_{one.name}.xml": in_dip(written, one) for one in chosen}
    assert {name: fields(data) for name, data in described.items()} == expected
    assert fields(found[EAD]) == list(REQUEST.fields())


# Not shrunk: an example takes a second, and says well enough what it was.
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)
@given(written=submissions(), data=st.data())
def test_prove_that_what_was_sent_comes_back(written: Written, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as made, small_archive(Path(made) / "kho") as archive:
        folder = Path(made)
        path, sent = send(written, folder / "nop")
        assert errors_of(path, folder, written.package) == []
        held = Held(archive, receive(archive, path, sent))
        assert held.receipt.aip, held.receipt.findings
        aip = judge_aip(held, written, sent)
        judge_import(held, written, folder, aip)
        whole = dip_of(archive, held.receipt, folder / "dip.zip")
        judge_dip(whole.path, written, written.documents)
        assert errors_of(whole.path, folder, PackageKind.DIP) == []
        chosen = data.draw(st.lists(st.sampled_from(held.documents()), min_size=1, unique_by=id), label="chosen")
        some = dip_of(archive, held.receipt, folder / "some.zip", [one.record.number for one in chosen])
        paths = set().union(*map(paths_of, chosen))
        judge_dip(some.path, written, [one for one in written.documents if set(one.files) <= paths])
        with small_archive(folder / "mới", stores=archive.stores) as anew:
            assert rebuild(anew.catalogue, archive.stores, archive.clock).rebuilt == 1
            assert Held(anew, held.receipt).documents() == held.documents()
