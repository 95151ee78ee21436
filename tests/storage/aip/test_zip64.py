"""Where 32 and 16 bits end: one object with a member of 4 GiB, one beyond it, and over 65,535 members."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest

from metadata.holdings import Member, Role
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from storage.aip import zip64
from storage.aip.reader import AipReader
from storage.aip.verify import verify_object
from storage.aip.writer import AipWriter
from storage.aip.zip64 import Directory, ZipSyntaxError
from storage.hashing import MemberDigests, digest_bytes
from storage.port import Bytes, ObjectInfo
from storage.stores.memory import MemoryStore
from tests.builders.aips import KEY, VERSION

ZEROS = bytes(1 << 22)
BIG = 1 << 32
BIG_CRC = 0xD202EF8D
BIG_SHA256 = bytes.fromhex("8479e43911dc45e89f934fe48d01297e16f51d17aa561d4d1c216b1ae0fcddca")
"""Of 4 GiB of zeros."""
MANY = 65_540


class SparseSink:
    """Writes to a file, leaving out zeros."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @property
    def position(self) -> int:
        return self._file.tell()

    def write(self, data: Bytes) -> None:
        if data is ZEROS:
            self._file.seek(len(ZEROS), 1)
        else:
            self._file.write(data)

    def hold(self, size: int) -> int:
        offset = self.position
        self.write(bytes(size))
        return offset

    def patch(self, offset: int, data: Bytes) -> None:
        end = self.position
        self._file.seek(offset)
        self._file.write(data)
        self._file.seek(end)


class FileStore(MemoryStore):
    """One object, which is a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(StoreId("file"))
        self._path = path

    def head(self, key: str) -> ObjectInfo | None:
        return ObjectInfo(key, self._path.stat().st_size, datetime.now(UTC))

    @contextmanager
    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[BinaryIO]:  # type: ignore[override]
        with self._path.open("rb", buffering=0) as file:
            file.seek(start)
            yield file if length is None else io.BytesIO(file.read(length))


@dataclass(frozen=True)
class Big:
    path: Path
    members: list[Member]


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Big]:
    folder = tmp_path_factory.mktemp("big")
    path = folder / "big.zip"
    digests = MemberDigests(BIG, BIG_SHA256, bytes(64), BIG_CRC)
    members = []
    with path.open("wb") as file, AipWriter(SparseSink(file), VERSION.root, folder) as writer:
        small = writer.begin("data/big", BIG)
        for _ in range(BIG // len(ZEROS)):
            small.write(ZEROS)
        placed = small.end(digests)
        members.append(
            Member(2, "data/big", Role.CONTENT, placed.offset, placed.data, BIG, BIG_CRC, BIG_SHA256, digests.sha512)
        )
        tiny = digest_bytes(b"x")
        for number in range(MANY):
            placed = writer.add(f"data/{number:05d}", b"x", tiny)
            members.append(
                Member(
                    placed.number, f"data/{number:05d}", Role.CONTENT, placed.offset, placed.data, 1,
                    tiny.crc32, tiny.sha256, tiny.sha512,
                )
            )  # fmt: skip
        tags = writer.seal([]).members
    yield Big(path, [tags[0], *members, *tags[1:]])
    path.unlink()


def test_unzip_takes_it(big: Big) -> None:
    """All but the big member, over which unzip would be long: Python reads that one."""
    command = ["unzip", "-tq", str(big.path), "-x", f"{VERSION.root}/data/big"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_python_takes_it(big: Big) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zipfile", "-t", str(big.path)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, "Done testing")
    with zipfile.ZipFile(big.path) as judged:
        assert len(judged.infolist()) == MANY + 7
        assert judged.getinfo(f"{VERSION.root}/data/big").file_size == BIG
        assert judged.getinfo(f"{VERSION.root}/data/{MANY - 1:05d}").header_offset > BIG


def test_our_reader_takes_it(big: Big) -> None:
    reader = AipReader(FileStore(big.path), KEY)
    entries = list(reader.entries())
    assert [(e.path, e.offset, e.data, e.size, e.crc32) for e in entries] == [
        (m.path, m.offset, m.data, m.size, m.crc32) for m in big.members
    ]
    assert reader.read(f"data/{MANY - 1:05d}", 1) == b"x"


def test_all_of_it_verifies_but_a_flip_beyond_4_gib(big: Big) -> None:
    store = FileStore(big.path)
    last = big.members[MANY]
    with big.path.open("r+b") as file:
        file.seek(last.data)
        file.write(b"y")
    verdict = verify_object(store, KEY, big.members)
    with big.path.open("r+b") as file:
        file.seek(last.data)
        file.write(b"x")
    assert verdict.outcome is Fixity.MISMATCH
    assert [damage.place for damage in verdict.damages] == [last.path]


@pytest.mark.parametrize("size", [0, 1, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32, 1 << 50])
@pytest.mark.parametrize("offset", [0, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 45])
def test_structures_are_read_back(size: int, offset: int) -> None:
    name = "r/data/ề".encode()
    local = zip64.local_header(name, size, 7)
    assert len(local) == zip64.local_header_size(name, size)
    read = zip64.parse_local(local + b"more")
    assert read is not None
    assert (read.name, read.size, read.crc32, read.length) == (name, size, 7, len(local))
    record = zip64.central_record(name, size, 7, offset)
    told = zip64.parse_central(b"before" + record + b"more", 6)
    assert told is not None
    assert (told.name, told.size, told.crc32, told.offset, told.length) == (name, size, 7, offset, len(record))
    assert int.from_bytes(local[4:6], "little") == (45 if size >= 0xFFFFFFFF else 20)
    for cut in (0, 10, len(local) - 1):
        assert zip64.parse_local(local[:cut]) is None
    for cut in (0, 10, len(record) - 1):
        assert zip64.parse_central(record[:cut]) is None


@pytest.mark.parametrize("count", [0, 0xFFFE, 0xFFFF, 1_000_000])
@pytest.mark.parametrize("size", [0, 0xFFFFFFFE, 0xFFFFFFFF])
@pytest.mark.parametrize("offset", [0, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 45])
def test_the_end_is_read_back(count: int, size: int, offset: int) -> None:
    directory = Directory(offset, size, count)
    records = zip64.end_records(directory)
    small = count < 0xFFFF and size < 0xFFFFFFFF and offset < 0xFFFFFFFF
    assert len(records) == (22 if small else 98)
    tail = (b"\0" * 98 + records)[-98:]
    assert zip64.parse_end(tail, offset + size + len(records)) == directory
    with pytest.raises(ZipSyntaxError):
        zip64.parse_end(tail, offset + size + len(records) + 1)


@pytest.mark.parametrize("tail", [b"", b"PK\x05\x06", bytes(22), b"PK\x05\x06" + b"\xff" * 16 + bytes(2)])
def test_no_end_is_no_end(tail: bytes) -> None:
    with pytest.raises(ZipSyntaxError):
        zip64.parse_end(tail, len(tail))


def test_a_zip64_mark_without_its_record_is_no_end() -> None:
    tail = bytes(98 - 22) + b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2)
    with pytest.raises(ZipSyntaxError, match="ZIP64"):
        zip64.parse_end(tail, 98)


@pytest.mark.parametrize("position", range(30 + 6 + 20))
def test_a_local_header_in_another_form_is_refused(position: int) -> None:
    header = bytearray(zip64.local_header(b"r/data", 1 << 33, 7))
    header[position] ^= 0x10
    try:
        read = zip64.parse_local(bytes(header) + bytes(70_000))
    except ZipSyntaxError:
        return
    assert read is not None
    assert zip64.local_header(read.name, read.size, read.crc32) == bytes(header)
    assert (read.name, read.size, read.crc32) != (b"r/data", 1 << 33, 7)


def test_extra_fields_of_others_are_refused() -> None:
    record = bytearray(zip64.central_record(b"r/data", 1, 7, 1 << 33))
    assert zip64.parse_central(bytes(record)) is not None
    record[30] = 11
    with pytest.raises(ZipSyntaxError, match="extra"):
        zip64.parse_central(bytes(record))
    local = bytearray(zip64.local_header(b"r/data", 1 << 33, 7))
    local[28] = 19
    with pytest.raises(ZipSyntaxError, match="ZIP64"):
        zip64.parse_local(bytes(local))
