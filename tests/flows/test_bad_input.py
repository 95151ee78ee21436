"""Every kind of bad input through the whole ingest and through the command: what is said of it, what stays of it."""

from __future__ import annotations

import errno
import json
import os
import resource
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import pytest

from administration.cli import run
from ingest.own_disk import own_disk
from ingest.place import Submission
from ingest.receipt import Verdict
from ingest.sources.folder import FolderSource
from metadata.errors import NoSpace, StoreUnavailable, TemporaryError
from metadata.findings import Severity
from metadata.identifiers import StoreId
from storage.port import Store
from storage.stores.memory import MemoryStore
from storage.stores.s3 import S3Account, S3Store
from storage.wrappers.fault import Fault, FaultStore
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.bags import bag
from tests.builders.hostile import TarMember, ZipMember, raw_tar, raw_zip, with_, write
from tests.builders.tt05 import documents, edit, sip_hoso

INFO = (
    ("Source-Organization", "H20.01"),
    ("Bag-Group-Identifier", "P01"),
    ("External-Identifier", "BAG-BAD"),
    ("External-Description", "Hồ sơ hỏng"),
)
GOOD = (*INFO[:2], ("External-Identifier", "BAG-GOOD"), ("External-Description", "Hồ sơ tốt"))
DOCTYPE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Bad:
    """A bad package: how to make it in a folder, the finding that it must get, and the place that this must name."""

    make: Make
    code: str
    place: str


def members(folder: Path) -> list[ZipMember]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [ZipMember(path.relative_to(folder).as_posix().encode(), path.read_bytes()) for path in files]


def zipped(*more: ZipMember) -> Make:
    return lambda folder: write(folder / "p.zip", raw_zip([*members(bag(folder / "bag", info=INFO)), *more]))


def tarred(*more: TarMember) -> Make:
    def make(folder: Path) -> Path:
        held = [TarMember(one.name, one.data) for one in members(bag(folder / "bag", info=INFO))]
        return write(folder / "p.tar", raw_tar([*held, *more]))

    return make


def half(folder: Path) -> Path:
    path = zipped()(folder)
    return write(path, path.read_bytes()[: path.stat().st_size // 2])


def a_bag(change: Callable[[Path], object]) -> Make:
    return lambda folder: bag(folder / "bag", info=INFO, mutate=change)


def a_sip(change: Callable[[Path], object]) -> Make:
    return lambda folder: sip_hoso(folder, mutate=change)


def flip(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def doctype(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        declaration, rest = path.read_text("utf-8").split("?>", 1)
        path.write_text(f"{declaration}?>{DOCTYPE}{rest}", "utf-8")

    return change


def broken_large(folder: Path) -> Path:
    """More large members with a wrong CRC than the pass has buffers."""
    held = members(bag(folder / "bag", {f"{n:02}.bin": bytes([n]) * (1100 << 10) for n in range(10)}, info=INFO))
    return write(folder / "p.zip", raw_zip([with_(one, crc=1) if one.name.endswith(b".bin") else one for one in held]))


def two_forms(*names: str) -> Make:
    payload = {unicodedata.normalize("NFD" if n else "NFC", name): b"x" for n, name in enumerate(names)}
    return lambda folder: bag(folder / "bag", payload, info=INFO)


def deep(folder: Path) -> Path:
    """Far more levels than are gone into: each of them would cost an open file."""
    made = bag(folder / "bag", info=INFO)
    handle = os.open(made / "data", os.O_RDONLY)
    for _ in range(200):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)
    return made


def titled(title: str, rest: str = "") -> Make:
    def long(made: Path) -> None:
        with (made / "bag-info.txt").open("a", encoding="utf-8") as info:
            info.write(rest)

    info = (*INFO[:3], ("External-Description", title))
    return lambda folder: bag(folder / "bag", info=info, oxum=False, before_tag_manifests=long)


EAD = "metadata/descriptive/EAD.xml"
REP = "representations/rep1/METS.xml"
PAYLOAD = "data/Công văn 01.txt"
BAD = {
    "not a package": Bad(lambda f: write(f / "x" / "y", b"z").parent, "PACKAGE-UNKNOWN", "x"),
    "not even an archive": Bad(lambda f: write(f / "x.zip", b"MZ\x90\0 no archive"), "SOURCE-UNKNOWN", "x.zip"),
    "no bytes": Bad(lambda f: write(f / "x.zip", b""), "SOURCE-UNKNOWN", "x.zip"),
    "half a ZIP": Bad(half, "ZIP-CUT-SHORT", "p.zip"),
    "an empty folder": Bad(lambda f: f / "x", "SOURCE-EMPTY", "x"),
    "a wrong digest": Bad(a_bag(lambda b: flip(b / PAYLOAD)), "PASS-CHECKSUM", PAYLOAD),
    "a missing file": Bad(a_bag(lambda b: (b / PAYLOAD).unlink()), "BAG-MISSING", PAYLOAD),
    "an extra file": Bad(a_bag(lambda b: (b / "data" / "x").touch()), "BAG-EXTRA", "data/x"),
    "two names, one after NFC": Bad(two_forms("Ấn.txt", "Ấn.txt"), "NAME-ONE-AFTER-NFC", "data/Ấn.txt"),
    "two folders, one after NFC": Bad(two_forms("Ấn/1.txt", "Ấn/2.txt"), "NAME-ONE-AFTER-NFC", "data/Ấn"),
    "a ZIP that climbs out": Bad(zipped(ZipMember(b"../../evil")), "NAME-ESCAPES", "../../evil"),
    "a ZIP with an absolute name": Bad(zipped(ZipMember(b"/evil")), "NAME-ABSOLUTE", "/evil"),
    "a tar that climbs out": Bad(tarred(TarMember(b"data/../../evil")), "NAME-ESCAPES", "data/../../evil"),
    "a link in a folder": Bad(a_bag(lambda b: (b / "data/x").symlink_to("/etc/passwd")), "SOURCE-LINK", "data/x"),
    "a folder that is a link": Bad(a_bag(lambda b: (b / "data/x").symlink_to("/etc")), "SOURCE-LINK", "data/x"),
    "a link in a ZIP": Bad(zipped(ZipMember(b"data/x", b"/etc/passwd", mode=0o120777)), "SOURCE-LINK", "data/x"),
    "a link in a tar": Bad(tarred(TarMember(b"data/x", b"", b"2", link=b"/etc/passwd")), "SOURCE-LINK", "data/x"),
    "a pipe": Bad(a_bag(lambda b: os.mkfifo(b / "data" / "x")), "SOURCE-SPECIAL", "data/x"),
    "very deep folders": Bad(deep, "NAME-DEEP", "data" + "/d" * 64),
    "large members that are broken": Bad(broken_large, "ZIP-CRC", "data/00.bin"),
    "a METS that points outside": Bad(
        a_sip(lambda s: edit(s, REP, "data/File1.pdf", "../../../File1.pdf")), "SIP-OUTSIDE", "../../../File1.pdf"
    ),
    "a METS that points to a host": Bad(
        a_sip(lambda s: edit(s, REP, "data/File1.pdf", "http://10.0.0.1/x")), "SIP-OUTSIDE", "http://10.0.0.1/x"
    ),
    "a DOCTYPE in METS": Bad(a_sip(doctype("METS.xml")), "XML-DOCTYPE", "METS.xml"),
    "a DOCTYPE in EAD": Bad(
        lambda f: sip_hoso(f, mutate=doctype(EAD), then_reseal=True), "XML-DOCTYPE", EAD
    ),
    "a title of control characters": Bad(titled("Hồ sơ\x1b]0;x\x07"), "PACKAGE-TITLE", "bag-info.txt"),
    "a title without end": Bad(titled("x", f"  {'y' * 60_000}\n" * 200), "BAG-LINE-TOO-LONG", "bag-info.txt"),
    "a title too long to write": Bad(titled("x" * 60_000), "PACKAGE-TITLE", "bag-info.txt"),
    "a name from no alphabet": Bad(a_bag(lambda b: (b / "data" / "\udcff").touch()), "NAME-ENCODING", "data/\udcff"),
}  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    with small_archive(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    folder = tmp_path / "sent"
    (folder / "x").mkdir(parents=True)
    return folder


def good(folder: Path) -> Path:
    return bag(folder / "good", info=GOOD)


def nothing(archive: SmallArchive) -> bool:
    """No object, no row, no upload, no claim, no temporary file."""
    assert archive.leftovers() == []
    assert archive.keys() == [[] for _ in archive.stores]
    return archive.catalogue.holdings.counts().aips == 0


@pytest.mark.parametrize("name", BAD)
def test_bad_package_is_refused_with_code_place_and_sentence_and_leaves_nothing(
    archive: SmallArchive, sent: Path, name: str
) -> None:
    bad = BAD[name]
    receipt = archive.receive(bad.make(sent))
    assert receipt.verdict is Verdict.REFUSED
    found = {(one.code, unicodedata.normalize("NFC", one.place)): one for one in receipt.findings}
    assert (bad.code, bad.place) in found
    one = found[bad.code, bad.place]
    assert one.severity is Severity.ERROR
    assert one.message.vi != one.message.en
    assert one.message.vi.isprintable() and one.message.en.isprintable()
    assert one.message.vi.encode() and "{" not in one.message.vi + one.message.en
    assert nothing(archive)
    assert archive.receive(good(sent), "next").verdict is Verdict.ACCEPTED
    assert archive.leftovers() == []


@pytest.mark.parametrize("kind", ["bag", "sip"])
def test_identifier_held_with_other_bytes_is_refused_where_it_stands(
    archive: SmallArchive, sent: Path, kind: str
) -> None:
    if kind == "bag":
        first, second = bag(sent / "one", info=INFO), bag(sent / "two", {"x": b"y"}, info=INFO)
    else:
        first, second = sip_hoso(sent / "one"), sip_hoso(sent / "two", contents=documents(3))
    receipt = archive.receive(first)
    before = archive.keys(), archive.object(receipt)
    other = archive.receive(second)
    assert other.verdict is Verdict.REFUSED
    places = [one.place for one in other.findings if one.code == "HELD-DIFFERENT"]
    assert places == ["bag-info.txt" if kind == "bag" else "METS.xml"]
    assert (archive.keys(), archive.object(receipt)) == before
    assert archive.leftovers() == []


def test_the_same_identifier_in_another_fonds_is_held_too(archive: SmallArchive, sent: Path) -> None:
    """The key is another one, the AIP is not: nothing may be written beside it."""
    made = bag(sent / "one", info=INFO)
    first = archive.receive(made)
    keys = archive.keys()
    other = archive.receive(bag(sent / "two", {"x": b"y"}, info=(INFO[0], ("Fonds-Code", "P02"), *INFO[2:])))
    assert "HELD-DIFFERENT" in dict(other.counts)
    assert archive.receive(made) == first
    assert archive.keys() == keys


# What changes while it is taken in


def whole(folder: Path) -> Path:
    return bag(folder / "bag", {"a.txt": b"a" * 100, "b.bin": bytes(3 << 20)}, info=INFO)


def to_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def grown(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def folder_to_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("away"))
    path.parent.symlink_to("away")


@pytest.mark.parametrize("name", ["a.txt", "b.bin"])
@pytest.mark.parametrize("change", [to_pipe, to_link, grown, flip, Path.unlink, folder_to_link])
def test_file_that_changes_after_the_first_look_is_refused(
    archive: SmallArchive, sent: Path, change: Callable[[Path], object], name: str
) -> None:
    source = whole(sent)
    object.__setattr__(archive.place, "at", lambda step: step == "pass begun" and change(source / "data" / name))
    receipt = archive.receive(source)
    assert receipt.verdict is Verdict.REFUSED
    refusals = {one.code for one in receipt.findings if one.severity is Severity.ERROR}
    assert refusals <= {"PASS-CHANGED", "PASS-CHECKSUM", "PASS-UNREADABLE"}
    assert nothing(archive)


def test_file_that_never_ends_is_read_no_further_than_it_was_long(archive: SmallArchive, sent: Path) -> None:
    """A writer that appends for as long as we read."""
    source = whole(sent)
    over = threading.Event()

    def write_on() -> None:
        with (source / "data" / "b.bin").open("ab") as file:
            while not over.wait(0.0005):
                file.write(bytes(1 << 16))

    writer = threading.Thread(target=write_on)
    object.__setattr__(archive.place, "at", lambda step: step == "pass begun" and writer.start())
    try:
        receipt = archive.receive(source)
    finally:
        over.set()
        writer.join()
    assert receipt.verdict in (Verdict.REFUSED, Verdict.ACCEPTED)
    if receipt.verdict is Verdict.REFUSED:
        assert [one.code for one in receipt.findings if one.severity is Severity.ERROR] == ["PASS-CHANGED"]
        assert nothing(archive)


def test_what_becomes_a_pipe_before_it_is_copied_makes_nobody_wait(
    archive: SmallArchive, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(sent / "p.zip", b"PK")
    monkeypatch.setattr(Path, "is_file", lambda self: to_pipe(self) is None)
    receipt = archive.receive(path)
    assert [one.code for one in receipt.findings] == ["SOURCE-UNREADABLE"]


# Disks and stores


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file of this process may become larger: for who writes it is the same as a full disk."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def container(folder: Path) -> Path:
    """Files that are spooled for identification, more of them than there are buffers."""
    return bag(folder / "bag", {f"{n}.docx": b"PK\3\4" + bytes(3 << 20) for n in range(10)}, info=INFO)


def large_zip(folder: Path) -> Path:
    return zipped(ZipMember(b"x", bytes(3 << 20)))(folder)


@pytest.mark.parametrize(("make", "size"), [(container, 2 << 20), (large_zip, 2 << 20), (whole, 40_000)])
def test_full_work_folder_is_a_reason_to_try_again(tmp_path: Path, sent: Path, make: Make, size: int) -> None:
    """Its quarantine, its spools."""
    stores: list[Store] = [MemoryStore(StoreId("a")), MemoryStore(StoreId("b"))]
    submission = Submission(make(sent))
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        with small_disk(size), pytest.raises(NoSpace) as raised:
            archive.service.receive("job", submission)
        assert raised.value.exit_code == 4
        assert nothing(archive)


def test_full_disk_under_a_ledger_is_a_reason_to_try_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        ledger.execute("CREATE TABLE t (x)")
        with small_disk(100_000), pytest.raises(NoSpace), own_disk():
            ledger.execute("INSERT INTO t VALUES (zeroblob(1000000))")
            ledger.commit()


@pytest.mark.parametrize("lack", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
@pytest.mark.parametrize("path", ["bagit.txt", "data/a.txt", "data/b.bin"])
def test_too_many_open_files_is_nobodys_fault(
    archive: SmallArchive, sent: Path, monkeypatch: pytest.MonkeyPatch, path: str, lack: int
) -> None:
    source = whole(sent)
    open_ = FolderSource.open

    def scarce(self: FolderSource, wanted: str) -> BinaryIO:
        if wanted == path:
            raise OSError(lack, "none left")
        return open_(self, wanted)

    with monkeypatch.context() as patched:
        patched.setattr(FolderSource, "open", scarce)
        with pytest.raises(TemporaryError):
            archive.receive(source)
    assert nothing(archive)
    assert archive.receive(source).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("operation", ["put", "begin", "put_part", "complete"])
@pytest.mark.parametrize("fault", [Fault.FULL, Fault.BEFORE])
def test_store_that_is_full_or_silent_is_a_reason_to_try_again(
    tmp_path: Path, sent: Path, operation: str, fault: Fault
) -> None:
    ill = [True]
    plan = lambda call: fault if ill[0] and call.operation == operation else None  # noqa: E731
    stores: list[Store] = [MemoryStore(StoreId("a")), FaultStore(MemoryStore(StoreId("b")), plan)]
    source = bag(sent / "bag", {"big.bin": bytes(17 << 20)}, info=INFO) if operation != "put" else good(sent)
    with small_archive(tmp_path / "archive", stores=stores) as archive:
        with pytest.raises(NoSpace if fault is Fault.FULL else StoreUnavailable) as raised:
            archive.receive(source)
        assert raised.value.exit_code == 4 and raised.value.retry
        assert raised.value.sentence.vi != raised.value.sentence.en
        ill[0] = False
        assert nothing(archive)
        assert archive.receive(source).verdict is Verdict.ACCEPTED


class _Refuses(BaseHTTPRequestHandler):
    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _refuse  # noqa: N815  the names that the server looks for

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_bucket_that_answers_500_is_a_reason_to_try_again(tmp_path: Path, sent: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refuses) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        account = S3Account(f"http://127.0.0.1:{server.server_address[1]}", "key", "secret")
        far = S3Store(StoreId("b"), account, "bucket", sleep=lambda _: None)
        near = MemoryStore(StoreId("a"))
        try:
            with small_archive(tmp_path / "archive", stores=[near, far]) as archive:
                with pytest.raises(StoreUnavailable):
                    archive.receive(good(sent))
                assert list(near.list()) == [] and list(near.uploads()) == []
                assert list(archive.catalogue.intake.open()) == []
                assert list((archive.folder / "work").iterdir()) == []
                assert archive.catalogue.holdings.counts().aips == 0
        finally:
            far.close()
            server.shutdown()
            thread.join()


# The command


def test_command_refuses_the_bad_and_takes_the_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["half a ZIP", "a wrong digest", "a ZIP that climbs out", "a DOCTYPE in METS", "a name from no alphabet",
             "a title of control characters", "large members that are broken", "an empty folder"]  # fmt: skip
    paths = []
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        (folder / "x").mkdir(parents=True)
        paths.append(BAD[name].make(folder))
    odd = bag(tmp_path / "gói \x1b[2J\udcff", info=(*INFO[:3], ("External-Description", "Hồ sơ \u202etốt\x9b2J")))
    paths += [odd, good(tmp_path)]
    home = tmp_path / "kho"
    assert run(["--home", str(home), "init", "--code", "H20", "--name", "Kho"]) == 0
    capsys.readouterr()
    assert run(["--home", str(home), "ingest", "--json", *map(str, paths)]) == 3
    answers = {one["path"]: one["receipt"] for one in json.loads(capsys.readouterr().out)["packages"]}
    assert len(answers) == len(paths)
    for name, path in zip(names, paths, strict=False):
        receipt = answers[str(path)]
        assert receipt["verdict"] == "refused"
        assert BAD[name].code in {one["code"] for one in receipt["findings"]}
        assert all(one["vi"] and one["en"] and one["place"] for one in receipt["findings"])
    assert [answers[str(path)]["verdict"] for path in paths[-2:]] == ["accepted", "accepted"]
    for store in ("kho-a", "kho-b"):
        assert len(list((home / store).rglob("v1.zip"))) == 2
    assert list((home / "tmp").iterdir()) == []
    assert run(["--home", str(home), "ingest", str(odd)]) == 0
    shown = capsys.readouterr().out
    assert "Hồ sơ" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_command_that_meets_a_full_disk_says_to_try_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "kho"
    assert run(["--home", str(home), "init", "--code", "H20", "--name", "Kho"]) == 0
    (tmp_path / "sent").mkdir()
    source = large_zip(tmp_path / "sent")
    capsys.readouterr()
    with small_disk(2 << 20):
        code = run(["--home", str(home), "ingest", "--json", str(source), str(good(tmp_path))])
    bad, fine = json.loads(capsys.readouterr().out)["packages"]
    assert (code, bad["error"]["retry"], bad["error"]["exit_code"]) == (4, True, 4)
    assert fine["receipt"]["verdict"] == "accepted"
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize("option", ["--agency", "--fonds"])
@pytest.mark.parametrize("code", [" ", "x\ny", "x" * 256])
def test_code_that_is_none_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, code: str
) -> None:
    home = tmp_path / "kho"
    assert run(["--home", str(home), "init", "--code", "H20", "--name", "Kho"]) == 0
    assert run(["--home", str(home), "ingest", option, code, str(tmp_path)]) == 2
    assert "✗" in capsys.readouterr().err
