"""What is written is a bag in a ZIP: unzip, Python's zipfile and bagit are the judges."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import bagit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.outcomes import Fixity
from storage.aip.parts import PartFanout
from storage.aip.reader import AipReader
from storage.aip.verify import verify_object
from storage.aip.writer import AipWriter
from storage.hashing import digest_bytes
from tests.builders.aips import KEY, VERSION, build_aip, memory_store, object_bytes

NAMES = st.text(st.sampled_from("aZ9 %\n\rđĐềộẤ.~'\"\\&é\u0301漢😀"), min_size=1, max_size=12).map(
    lambda name: f"data/{name}"
)


def test_the_bytes_are_these() -> None:
    store = memory_store()
    built = build_aip([store], {"data/a": b"hello"})
    data = object_bytes(store)
    root = VERSION.root.encode()
    first = b"PK\x03\x04\x14\x00\x00\x08\x00\x00\x00\x00\x21\x00"
    assert data.startswith(first)
    member = built.members[1]
    header = first + digest_bytes(b"hello").crc32.to_bytes(4, "little") + b"\x05\0\0\0\x05\0\0\0"
    header += len(root + b"/data/a").to_bytes(2, "little") + b"\0\0" + root + b"/data/a"
    assert data[member.offset : member.data + 5] == header + b"hello"
    assert [m.path for m in built.members] == [
        "bagit.txt", "data/a", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt",
        "tagmanifest-sha256.txt", "tagmanifest-sha512.txt",
    ]  # fmt: skip
    assert [m.number for m in built.members] == list(range(1, 8))
    contents = {m.path: data[m.data : m.data + m.size] for m in built.members}
    assert contents["bag-info.txt"] == "Source-Organization: Sở Nội vụ\nPayload-Oxum: 5.1\n".encode()
    assert contents["manifest-sha512.txt"] == hashlib.sha512(b"hello").hexdigest().encode() + b"  data/a\n"
    listed = [line.split("  ")[1] for line in contents["tagmanifest-sha256.txt"].decode().splitlines()]
    assert listed == ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt"]
    for m in built.members:
        assert (m.sha256, m.sha512) == (
            hashlib.sha256(contents[m.path]).digest(), hashlib.sha512(contents[m.path]).digest(),
        )  # fmt: skip
    assert built.sealed.size == len(data)
    assert (built.sealed.payload_bytes, built.sealed.payload_files) == (5, 1)


def test_the_same_input_gives_the_same_bytes_streamed_or_not() -> None:
    payload = {"data/a": b"x" * 250_000, "data/b": b"", "data/ở đâu": b"y"}
    stores = [memory_store(name) for name in "abc"]
    build_aip([stores[0]], payload)
    build_aip([stores[1]], payload)
    build_aip([stores[2]], payload, streamed=payload)
    assert object_bytes(stores[0]) == object_bytes(stores[1]) == object_bytes(stores[2])


def test_judges_from_outside_agree(tmp_path: Path) -> None:
    payload = {
        "data/Quyết định số 15.pdf": b"x" * 300_000,
        "data/trống.txt": b"",
        "data/sâu/hơn/nữa/a b'c.xml": b"<a/>",
    }
    store = memory_store()
    build_aip([store], payload, streamed=["data/Quyết định số 15.pdf"])
    path = tmp_path / "aip.zip"
    path.write_bytes(object_bytes(store))
    subprocess.run(["unzip", "-tq", str(path)], check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "zipfile", "-t", str(path)], check=True, capture_output=True)
    with zipfile.ZipFile(path) as judged:
        assert judged.testzip() is None
        assert {info.compress_type for info in judged.infolist()} == {zipfile.ZIP_STORED}
        assert all(info.flag_bits & 0x0800 and not info.flag_bits & 0x0008 for info in judged.infolist())
        judged.extractall(tmp_path)
    bagit.Bag(str(tmp_path / VERSION.root)).validate()


@settings(deadline=None, max_examples=150)
@given(
    payload=st.dictionaries(NAMES, st.integers(0, 200), max_size=6),
    streamed=st.sets(st.integers(0, 5)),
    first_part=st.integers(5, 300),
)
def test_any_names_sizes_and_parts_come_back(payload: dict[str, int], streamed: set[int], first_part: int) -> None:
    """Parts are cut everywhere, in CRC fields too; all that is written verifies and is read back."""
    contents = {path: bytes([index]) * size for index, (path, size) in enumerate(payload.items(), start=65)}
    store = memory_store()
    with (
        tempfile.TemporaryDirectory() as work,
        PartFanout([store], KEY, first_part=first_part) as out,
        AipWriter(out, VERSION.root, Path(work)) as writer,
    ):
        for index, (path, data) in enumerate(contents.items()):
            if index in streamed:
                member = writer.begin(path, len(data))
                member.write(data)
                member.end(digest_bytes(data))
            else:
                writer.add(path, data, digest_bytes(data))
        writer.seal([])
        out.complete()
    assert verify_object(store, KEY, None).outcome is Fixity.MATCH
    reader = AipReader(store, KEY)
    manifest = dict(reader.manifest())
    assert list(manifest) == list(contents)
    for entry in reader.entries():
        if entry.path in contents:
            assert b"".join(reader.open(entry, manifest[entry.path])) == contents[entry.path]


def writer_into(store_work: Path) -> AipWriter:
    return AipWriter(PartFanout([memory_store()], KEY), VERSION.root, store_work)


def test_wrong_use_is_refused(tmp_path: Path) -> None:
    writer = writer_into(tmp_path)
    with pytest.raises(ValueError, match="begins with data/"):
        writer.add("manifest-md5.txt", b"", digest_bytes(b""))
    with pytest.raises(ValueError, match="has 1 bytes"):
        writer.add("data/a", b"x", digest_bytes(b""))
    with pytest.raises(ValueError, match="65,535"):
        writer.add("data/" + "x" * 70_000, b"", digest_bytes(b""))
    member = writer.begin("data/a", 3)
    with pytest.raises(ValueError, match="still open"):
        writer.add("data/b", b"", digest_bytes(b""))
    with pytest.raises(ValueError, match="still open"):
        writer.seal([])
    member.write(b"ab")
    with pytest.raises(ValueError, match="1 are missing"):
        member.end(digest_bytes(b"ab"))
    with pytest.raises(ValueError, match="more than 3"):
        member.write(b"cd")


@pytest.mark.parametrize("field", [("", "x"), ("a:b", "x"), (" a", "x"), ("a", "x\ny"), ("a\r", "x")])
def test_bag_info_is_one_line_a_field(tmp_path: Path, field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not one line"):
        writer_into(tmp_path).seal([field])


def test_a_given_oxum_is_not_doubled(tmp_path: Path) -> None:
    store = memory_store()
    with PartFanout([store], KEY) as out, AipWriter(out, VERSION.root, tmp_path) as writer:
        writer.seal([("Payload-Oxum", "0.0")])
        out.complete()
    assert AipReader(store, KEY).read("bag-info.txt", 100) == b"Payload-Oxum: 0.0\n"


def test_spools_leave_nothing_behind(tmp_path: Path) -> None:
    store = memory_store()
    with PartFanout([store], KEY) as out, AipWriter(out, VERSION.root, tmp_path) as writer:
        digests = digest_bytes(b"x")
        for number in range(6_000):
            writer.add(f"data/{number:06d}", b"x", digests)
        writer.seal([])
        out.complete()
    assert list(tmp_path.iterdir()) == []
    assert verify_object(store, KEY, None).outcome is Fixity.MATCH
