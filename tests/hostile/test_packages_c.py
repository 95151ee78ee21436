"""Hostile bags, METS, EAD and PREMIS (numbers 39 to 68): refused, or taken with a remark, never a traceback."""

from __future__ import annotations

import ast
import json
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.check import CheckReport, CheckVerdict, check_package
from ingest.receipt import Verdict
from metadata.dates import RecordDate
from metadata.findings import LIMIT_PER_CODE, Severity
from tests.builders.archive import small_archive
from tests.builders.bags import append, bag, drop_line, replace
from tests.builders.tt05 import documents, dossier_fields, edit, reseal, sip_hoso

INFO = (
    ("Source-Organization", "H20.01"),
    ("Bag-Group-Identifier", "P01"),
    ("External-Identifier", "BAG-1"),
    ("External-Description", "Hồ sơ"),
)
HEX = "ab" * 32
PAYLOAD = "data/Công văn 01.txt"
MANIFEST = "manifest-sha256.txt"
CANARY = "CHIM-HOÀNG-YẾN"
ROOT, REP = "METS.xml", "representations/rep1/METS.xml"
EAD, EAD_DOC = "metadata/descriptive/EAD.xml", "representations/rep1/metadata/descriptive/EAD_doc_File1.xml"
PREMIS = "metadata/preservation/PREMIS.xml"
Change = Callable[[Path], object]
Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Hostile:
    """One hostile package: ``codes`` all must be found, ``error`` says whether it must be refused."""

    number: int
    name: str
    make: Make
    codes: frozenset[str] = frozenset()
    error: bool = True
    place: str = field(default="")

    @property
    def id(self) -> str:
        return f"C{self.number} {self.name}"


def a_bag(number: int, name: str, *codes: str, error: bool = True, **how: object) -> Hostile:
    def make(folder: Path) -> Path:
        return bag(folder / "bag", **({"info": INFO} | how))  # type: ignore[arg-type]

    return Hostile(number, name, make, frozenset(codes), error)


def changed(number: int, name: str, change: Change, *codes: str, error: bool = True, **how: object) -> Hostile:
    return a_bag(number, name, *codes, error=error, before_tag_manifests=change, **how)


def mutated(number: int, name: str, change: Change, *codes: str, error: bool = True, **how: object) -> Hostile:
    return a_bag(number, name, *codes, error=error, mutate=change, **how)


def a_sip(number: int, name: str, change: Change, *codes: str, place: str = "", error: bool = True) -> Hostile:
    return Hostile(number, name, lambda folder: sip_hoso(folder, mutate=change), frozenset(codes), error, place)


def write(name: str, data: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(data)


def link(name: str, target: str) -> Change:
    return lambda folder: (folder / name).symlink_to(target)


def flip(name: str) -> Change:
    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(bytes([data[0] ^ 1]) + data[1:])

    return change


def prologue(name: str, text: str) -> Change:
    """``text`` between the XML declaration and the root of ``name``, and the METS files agree with it."""

    def change(folder: Path) -> None:
        declaration, rest = (folder / name).read_text("utf-8").split("?>", 1)
        (folder / name).write_text(f"{declaration}?>{text}{rest}", "utf-8")
        if "METS" not in name:
            reseal(folder)

    return change


def inside(name: str, text: str) -> Change:
    """``text`` as the last child of the root of ``name``."""

    def change(folder: Path) -> None:
        before, _, end = (folder / name).read_text("utf-8").rpartition("</")
        (folder / name).write_text(f"{before}{text}</{end}", "utf-8")
        if "METS" not in name:
            reseal(folder)

    return change


def href(old: str, new: str) -> Change:
    return lambda folder: edit(folder, REP, old, new)


def checksum(change: Callable[[str], str]) -> Change:
    """The first CHECKSUM of the METS of rep1, changed."""

    def edited(folder: Path) -> None:
        text = (folder / REP).read_text("utf-8")
        before, _, rest = text.partition('CHECKSUM="')
        value, _, after = rest.partition('"')
        (folder / REP).write_text(f'{before}CHECKSUM="{change(value)}"{after}', "utf-8")

    return edited


def encoded(name: str, encode: Callable[[str], bytes]) -> Change:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(encode((folder / name).read_text("utf-8")))
        if "METS" not in name:
            reseal(folder)

    return change


def declared_as(encoding: str, codec: str = "utf-8") -> Callable[[str], bytes]:
    return lambda text: f'<?xml version="1.0" encoding="{encoding}"?>{text.split("?>", 1)[1]}'.encode(codec)


def fetch(url: str) -> bytes:
    return f"{url} - data/x\n".encode()


LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(97 + n)} '{f'&{chr(96 + n)};' * 10}'>" for n in range(1, 10)
) + "]>"  # fmt: skip
QUADRATIC = f"<!DOCTYPE x [<!ENTITY a '{'a' * 50_000}'>]>"
INCLUDE = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{}" parse="text"/>'

BAGS = [
    a_bag(39, "fetch.txt of the cloud's own address", "BAG-FETCH", fetch=fetch("http://169.254.169.254/latest/")),
    a_bag(39, "fetch.txt of a local file", "BAG-FETCH", fetch=fetch("file:///etc/passwd")),
    a_bag(39, "fetch.txt of gopher", "BAG-FETCH", fetch=fetch("gopher://10.0.0.1:70/x")),
    a_bag(
        39,
        "fetch.txt of what is there",
        "BAG-PROFILE-FETCH-FORBIDDEN",
        fetch=f"http://169.254.169.254/x - {PAYLOAD}\n".encode(),
    ),
    a_bag(40, "fetch.txt that climbs out", "BAG-PATH-OUTSIDE", fetch=b"http://example.org/ - ../../x\n"),
    *(
        changed(41, f"a manifest that leads to {path}", append(MANIFEST, f"{HEX}  {path}\n"), "BAG-PATH-OUTSIDE")
        for path in ("../x", "data/../../x", "/etc/passwd", "~/x", "~root/x", "data/./x", "data//x")
    ),
    changed(42, "dots that are percent-encoded", append(MANIFEST, f"{HEX}  data/%2e%2e/%2E%2E/x\n"), "BAG-MISSING"),
    a_bag(43, "a name that looks encoded", payload={"a%0Ab": b"x"}, error=False),
    changed(
        43, "a name that looks encoded, listed as it is", replace(MANIFEST, "%250A", "%0A"), "BAG-MISSING",
        payload={"a%0Ab": b"x"},
    ),
    mutated(44, "a file too many", write("data/x", b"x"), "BAG-EXTRA"),
    mutated(44, "a file too few", lambda b: (b / PAYLOAD).unlink(), "BAG-MISSING"),
    mutated(45, "a file that is a link", link("data/x", "/etc/passwd"), "SOURCE-LINK"),
    mutated(46, "a folder that is a link", link("data/x", "/etc"), "SOURCE-LINK"),
    mutated(46, "data itself a link", lambda b: ((b / "data").rename(b / "d"), link("data", "d")(b)), "SOURCE-LINK"),
    a_bag(47, "MD5 alone", "PACKAGE-WEAK-DIGEST", algorithms=("md5",), error=False),
    a_bag(47, "SHA-1 alone", "PACKAGE-WEAK-DIGEST", algorithms=("sha1",), error=False),
    a_bag(48, "an unknown algorithm", "BAG-ALGORITHM", tags={"manifest-foo.txt": b"00  data/x\n"}),
    a_bag(48, "an unknown algorithm of tags", "BAG-ALGORITHM", tags={"tagmanifest-foo.txt": b"00  bagit.txt\n"}),
    changed(49, "two manifests that list other files", drop_line("manifest-sha512.txt", "Công"), "BAG-NOT-IN-MANIFEST"),
    changed(
        49, "two manifests that say other digests",
        append("manifest-sha-256.txt", f"{HEX}  {PAYLOAD}\n"), "PASS-CHECKSUM",
    ),
    changed(50, "a line twice with two digests", append(MANIFEST, f"{HEX}  {PAYLOAD}\n"), "BAG-TWICE"),
    changed(
        50, "a line twice", lambda b: append(MANIFEST, (b / MANIFEST).read_bytes().split(b"\n")[0])(b), "BAG-TWICE"
    ),
    a_bag(51, "a version of tomorrow", "BAG-VERSION", version="9.9"),
    a_bag(51, "a version that is none", "BAG-VERSION", version="1.0.0"),
    mutated(52, "rot13", replace("bagit.txt", "UTF-8", "rot13"), "BAG-ENCODING"),
    mutated(52, "punycode", replace("bagit.txt", "UTF-8", "punycode"), "BAG-ENCODING"),
    mutated(52, "a codec for bytes", replace("bagit.txt", "UTF-8", "zlib"), "BAG-ENCODING"),
    mutated(52, "a name without end", replace("bagit.txt", "UTF-8", "x" * 900), "BAG-ENCODING"),
    a_bag(53, "Payload-Oxum that lies", "BAG-OXUM", info=(*INFO, ("Payload-Oxum", "1.1")), oxum=False),
    mutated(54, "a tag manifest that is wrong", append("bag-info.txt", "Note: x\n"), "PASS-CHECKSUM"),
    mutated(54, "a tag file that is missing", lambda b: (b / "notes.txt").unlink(), "BAG-MISSING-TAG",
            tags={"notes.txt": b"x"}),
    mutated(56, "a byte of the payload turned", flip(PAYLOAD), "PASS-CHECKSUM"),
]  # fmt: skip
SIPS = [
    *(
        a_sip(57, f"an entity of {url} in {name}", prologue(name, f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>'),
              "XML-DOCTYPE", place=name)
        for url in ("file:///etc/passwd", "http://169.254.169.254/")
        for name in (ROOT, REP, EAD, EAD_DOC)
    ),
    a_sip(58, "a DTD elsewhere", prologue(ROOT, '<!DOCTYPE mets SYSTEM "http://10.0.0.1/x.dtd">'), "XML-DOCTYPE"),
    a_sip(58, "a parameter entity", prologue(ROOT, '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>'),
          "XML-DOCTYPE"),
    a_sip(59, "a billion laughs", prologue(ROOT, LAUGHS), "XML-DOCTYPE"),
    a_sip(59, "quadratic blow-up", prologue(EAD, QUADRATIC), "XML-DOCTYPE"),
    a_sip(60, "300,000 levels", inside(ROOT, "<a>" * 300_000 + "</a>" * 300_000), "XML-TOO-DEEP"),
    a_sip(60, "300,000 levels of a record", inside(EAD, "<a>" * 300_000 + "</a>" * 300_000), "XML-TOO-DEEP"),
    a_sip(60, "200,000 attributes", inside(ROOT, "<a " + " ".join(f"b{n}=''" for n in range(200_000)) + "/>"),
          "XML-TOO-LARGE"),
    a_sip(60, "a text of 30 MB", inside(EAD, f"<a>{'x' * 30_000_000}</a>"), "XML-TOO-LARGE"),
    a_sip(62, "a schema on the web", lambda s: edit(s, ROOT, "http://www.loc.gov/METS/ ", "http://10.0.0.1/METS/ "),
          error=False),
    *(
        a_sip(64, f"a file at {new}", href("data/File1.pdf", new))
        for new in ("file:///etc/passwd", "http://10.0.0.1/x", "data/none.pdf", "../../../x/File1.pdf",
                    "/etc/passwd", "data/%2e%2e/%2e%2e/%2e%2e/x", "//10.0.0.1/x", "data/File1.pdf%00.txt", "")
    ),
    a_sip(65, "a digest that is another's", checksum(lambda value: HEX)),
    a_sip(65, "a digest cut short", checksum(lambda value: value[:-2])),
    a_sip(65, "a digest of odd length", checksum(lambda value: value[:-1])),
    a_sip(65, "a digest that is no number", checksum(lambda value: "g" * 64)),
    a_sip(65, "a digest of another kind", lambda s: edit(s, REP, 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="SHA-512"')),
    a_sip(65, "a kind that is none", lambda s: edit(s, REP, 'CHECKSUMTYPE="SHA-256"', 'CHECKSUMTYPE="rot13"')),
    a_sip(66, "UTF-7", encoded(ROOT, declared_as("UTF-7", "utf-7")), "XML-ENCODING"),
    a_sip(66, "UTF-16 that does not say so", encoded(ROOT, lambda text: text.encode("utf-16-be")[:-1])),
    a_sip(66, "UTF-16 declared, UTF-8 written", encoded(ROOT, declared_as("UTF-16")), "XML-ENCODING"),
    a_sip(66, "ASCII declared, UTF-8 written", encoded(EAD, declared_as("US-ASCII")), "XML-ENCODING"),
    a_sip(66, "an encoding that is none", encoded(ROOT, declared_as("KLINGON")), "XML-ENCODING"),
    a_sip(66, "a codec for bytes", encoded(ROOT, declared_as("zlib")), "XML-ENCODING"),
    a_sip(66, "NUL", inside(ROOT, "\0"), "XML-NOT-WELL-FORMED"),
    a_sip(66, "a control character", inside(ROOT, "<a>\x01</a>"), "XML-NOT-WELL-FORMED"),
    a_sip(66, "a reference to a control character", inside(ROOT, "<a>&#1;</a>"), "XML-NOT-WELL-FORMED"),
    a_sip(66, "control characters of C1", lambda s: (edit(s, EAD, "tuyển dụng", "tuyển\x85 \x9bdụng"), reseal(s)),
          error=False),
]  # fmt: skip
CASES = [*BAGS, *SIPS]


def checked(package: Path, work: Path, **how: object) -> CheckReport:
    work.mkdir(parents=True, exist_ok=True)
    return check_package(package, work, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_hostile_package(case: Hostile, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.mkdir()
    package = case.make(sent)
    report = checked(package, tmp_path / "work")
    assert case.codes <= set(report.counts), dict(report.counts)
    assert "CHECK-UNREADABLE" not in report.counts, "a judge fell"
    assert (report.verdict is CheckVerdict.REFUSED) is case.error, dict(report.counts)
    if case.place:
        assert case.place in {one.place for one in report.findings if one.severity is Severity.ERROR}
    assert all(one.message.vi.isprintable() and len(one.message.vi) < 2000 for one in report.findings)
    with small_archive(tmp_path / "archive") as archive:
        if case.error:
            assert archive.receive(package).verdict is Verdict.REFUSED
            assert archive.keys() == [[] for _ in archive.stores]
        assert archive.leftovers() == []
    assert not list((tmp_path / "work").iterdir())


def test_c46_a_link_in_a_folder_above_is_followed_no_more_than_one_within(tmp_path: Path) -> None:
    """What appears after the names were judged is not followed either."""
    made = bag(tmp_path / "bag", info=INFO)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "bảng kê.csv").write_text(CANARY)

    def swap(done: int, total: int) -> None:
        if not (made / "data/phụ lục").is_symlink():
            (made / "data/phụ lục").rename(tmp_path / "gone")
            (made / "data/phụ lục").symlink_to(outside)

    report = checked(made, tmp_path / "work", on_progress=swap)
    assert report.verdict is CheckVerdict.REFUSED
    assert "PASS-UNREADABLE" in report.counts


def test_c47_a_weak_bag_is_kept_with_strong_digests(tmp_path: Path) -> None:
    made = bag(tmp_path / "bag", info=INFO, algorithms=("md5",))
    with small_archive(tmp_path / "archive") as archive:
        receipt = archive.receive(made)
        assert receipt.verdict is Verdict.ACCEPTED
        assert "PACKAGE-WEAK-DIGEST" in {one.code for one in receipt.findings}
        assert b"manifest-sha512.txt" in archive.object(receipt)


def test_c8_names_in_another_normal_form_only_when_there_is_one(tmp_path: Path) -> None:
    nfc, nfd = "Ấn.txt", unicodedata.normalize("NFD", "Ấn.txt")
    made = bag(tmp_path / "one", {nfc: b"x"}, info=INFO, mutate=lambda b: (b / "data" / nfc).rename(b / "data" / nfd))
    assert checked(made, tmp_path / "work").verdict is CheckVerdict.NOTED


def test_c55_a_manifest_of_500000_lines_for_files_that_are_not_there(tmp_path: Path) -> None:
    made = bag(tmp_path / "bag", info=INFO, algorithms=("sha256",), tag_manifests=False)
    with (made / MANIFEST).open("a") as manifest:
        manifest.writelines(f"{HEX}  data/{n:08d}.pdf\n" for n in range(500_000))
    assert (made / MANIFEST).stat().st_size > 40_000_000
    grown = memory_of(made, tmp_path)
    assert grown["missing"] == 500_000
    assert grown["told"] <= LIMIT_PER_CODE + 10
    assert grown["mib"] < 150


def test_c60_a_text_of_a_gigabyte_costs_no_memory(tmp_path: Path) -> None:
    made = sip_hoso(tmp_path)
    text = (made / ROOT).read_text("utf-8")
    before, _, end = text.rpartition("</")
    with (made / ROOT).open("w", encoding="utf-8") as mets:
        mets.write(f"{before}<a>")
        for _ in range(1000):
            mets.write("x" * 1_000_000)
        mets.write(f"</a></{end}")
    assert memory_of(made, tmp_path)["mib"] < 150


MEASURE = """
import json, resource, sys
from pathlib import Path
from ingest.check import check_package
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report = check_package(Path(sys.argv[1]), Path(sys.argv[2]))
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(json.dumps({"mib": grown, "missing": report.counts.get("BAG-MISSING", 0), "told": len(report.findings)}))
"""


def memory_of(package: Path, folder: Path) -> dict[str, float]:
    """What a check in a process of its own needs beyond what it needs for nothing, and what it says."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(package), str(work)], capture_output=True, check=True, cwd=root, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", [ROOT, REP, EAD, EAD_DOC])
def test_c61_xinclude_is_not_processed(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    made = sip_hoso(tmp_path, mutate=inside(name, INCLUDE.format(secret.as_uri())))
    report = checked(made, tmp_path / "work")
    assert CANARY not in repr(report)
    with small_archive(tmp_path / "archive") as archive:
        receipt = archive.receive(made)
        if receipt.verdict is Verdict.ACCEPTED:
            assert CANARY.encode() not in archive.object(receipt)


_HOUSE = Path(__file__).parents[2]
_TREES = ("preservation/formats/", "preservation/signatures/")
"""Only here, in children of the workshop, may XML become a tree: XMP and signatures are judged as trees."""
_LOADS_NOTHING = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("administration", "ingest", "access", "preservation", "storage", "metadata"):
        for path in (_HOUSE / folder).rglob("*.py"):
            yield path.relative_to(_HOUSE).as_posix(), ast.parse(path.read_text("utf-8"))


def test_c62_and_c63_nothing_of_the_house_can_transform_or_load_a_schema_from_outside() -> None:
    """No XML reader but the house's own: expat with handlers. Where trees are needed, only lxml makes them."""
    used = []
    for name, module in _modules():
        for node in ast.walk(module):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used += [
                f"{name}: {one}"
                for one in names
                if (one.partition(".")[0] == "lxml" and not name.startswith(_TREES))
                or one.partition(".")[0] in ("requests", "httpx")
                or one.startswith(("xml.sax", "xml.dom", "xml.etree", "urllib.request"))
            ]
    assert used == []


def test_c57_to_c63_parsers_of_trees_load_nothing_and_nothing_transforms() -> None:
    """Every lxml parser is made with what keeps it from loading; none is left to its defaults; XSLT is nowhere."""
    parsers, loose = 0, []
    for name, module in _modules():
        for node in (one for one in ast.walk(module) if isinstance(one, ast.Call)):
            function = ast.unparse(node.func)
            if not function.startswith("etree."):
                continue
            if function == "etree.XMLParser":
                parsers += 1
                given = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg in _LOADS_NOTHING}
                loose += [f"{name}: {ast.unparse(node)}"] if given != _LOADS_NOTHING else []
            reads = function in ("etree.fromstring", "etree.parse", "etree.XML", "etree.iterparse")
            if "XSLT" in function or "XInclude" in function or (reads and len(node.args) + len(node.keywords) < 2):
                loose.append(f"{name}: {ast.unparse(node)}")
    assert parsers
    assert loose == []


@pytest.mark.parametrize("kind", ["bag", "old bag", "sip"])
def test_c67_an_identifier_that_is_held_with_other_content(kind: str, tmp_path: Path) -> None:
    place = {"bag": "bag-info.txt", "old bag": "package-info.txt", "sip": "METS.xml"}[kind]
    if kind != "sip":
        version = "1.0" if kind == "bag" else "0.93"
        first = bag(tmp_path / "1", info=INFO, version=version)
        second = bag(tmp_path / "2", {"x": b"y"}, info=INFO, version=version)
    else:
        first, second = sip_hoso(tmp_path / "1"), sip_hoso(tmp_path / "2", contents=documents(3))
    with small_archive(tmp_path / "archive") as archive:
        assert archive.receive(first).verdict is Verdict.ACCEPTED
        before = archive.keys()
        refused = archive.receive(second, "next")
        assert refused.verdict is Verdict.REFUSED
        assert ("HELD-DIFFERENT", place) in {(one.code, one.place) for one in refused.findings}
        assert archive.keys() == before


DATES = [
    "0000", "9999-99-99", "30 Tết Nhâm Dần", "1009", "-0044-03-15", "1985~", "2004-06-XX",
    "mùng 1 tháng 5 năm Giáp Thìn",
    "29/02/2023", "1/1/1", "２０２４", "2024-13", "", " ", "99/99/9999", "00/00/2024",
]  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_c68_dates_of_any_kind_are_kept_as_text(text: str, tmp_path: Path) -> None:
    read = RecordDate.read(text)
    assert read.text == text
    assert read.iso is None or text == "1009"
    made = bag(tmp_path / "bag", info=(*INFO, ("Start-Date", text), ("End-Date", text)))
    with small_archive(tmp_path / "archive") as archive:
        receipt = archive.receive(made)
        assert receipt.verdict is Verdict.ACCEPTED, receipt.findings
    dossier = dossier_fields(startDate=text or None)
    checked(sip_hoso(tmp_path / "sip", dossier=dossier), tmp_path / "work")


def test_c68_a_year_before_all_other_sorts_before_them() -> None:
    assert RecordDate.read("1009").iso == "1009"
    assert str(RecordDate.read("2024-01-02").iso) > "1009"


def test_the_guard_on_the_network_guards(no_network: list[str]) -> None:
    with pytest.raises(OSError, match="hostile"):
        socket.create_connection(("127.0.0.1", 9))
    with socket.socket() as made, pytest.raises(OSError, match="hostile"):
        made.connect(("127.0.0.1", 9))
    assert len(no_network) == 2
    no_network.clear()


def test_every_number_has_its_test() -> None:
    shown = {case.number for case in CASES}
    named = {int(name[6:8]) for name in globals() if name.startswith("test_c") and name[6:8].isdigit()}
    assert set(range(39, 69)) <= shown | named | {63}
