"""BagIt tag files: the declaration, bag-info, manifests."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import bagit
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metadata.bagit import (
    BAGIT_TXT,
    BAGIT_VERSIONS,
    CURRENT,
    LINE_LIMIT,
    TAG_LIMIT,
    BagDeclaration,
    BagSyntax,
    FetchLine,
    ManifestLine,
    decode_path,
    encode_path,
    iter_fetch,
    iter_manifest,
    known_algorithm,
    manifest_algorithm,
    manifest_line,
    read_declaration,
    read_tag_file,
    write_tag_file,
)
from metadata.findings import Findings
from metadata.identifiers import Algorithm
from tests.builders.bags import INFO, bag
from tests.builders.shared_data import shared_data

HEX = "ab" * 32


def manifest(text: str | bytes, **how) -> list[ManifestLine]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(iter_manifest(io.BytesIO(data), "manifest-sha256.txt", **how))


def refused(code: str, act, *arguments, **how) -> None:
    with pytest.raises(BagSyntax) as caught:
        act(*arguments, **how)
    assert caught.value.code == code
    findings = Findings()
    caught.value.note(findings)
    assert findings.refused


def test_the_declaration_we_write_is_read() -> None:
    assert read_declaration(BAGIT_TXT) == BagDeclaration("1.0", "utf-8")
    assert read_declaration(BAGIT_TXT).rules is CURRENT


@pytest.mark.parametrize(
    ("data", "version", "encoding"),
    [
        (b"BagIt-Version: 0.97\r\nTag-File-Character-Encoding: ISO-8859-1\r\n", "0.97", "iso8859-1"),
        (b"BagIt-Version: 0.93\nTag-File-Character-Encoding: UTF-16", "0.93", "utf-16"),
        (b"BagIt-Version: 0.96\n\nTag-File-Character-Encoding:UTF-8\n", "0.96", "utf-8"),
    ],
)
def test_declarations_of_older_bags(data: bytes, version: str, encoding: str) -> None:
    assert read_declaration(data) == BagDeclaration(version, encoding)
    assert read_declaration(data).rules is BAGIT_VERSIONS[version]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "BAG-DECLARATION"),
        (b"BagIt-Version: 1.0\n", "BAG-DECLARATION"),
        (BAGIT_TXT + b"More: x\n", "BAG-DECLARATION"),
        (BAGIT_TXT + b"\n", "BAG-DECLARATION"),
        (BAGIT_TXT.replace(b"Version:", b"Version :"), "BAG-DECLARATION"),
        (BAGIT_TXT.replace(b": 1.0", b":1.0"), "BAG-DECLARATION"),
        (BAGIT_TXT.replace(b": 1.0", b":  1.0"), "BAG-DECLARATION"),
        (b"nonsense\nand more\n", "BAG-DECLARATION"),
        (b"\xff\x00\x01", "BAG-DECLARATION"),
        (BAGIT_TXT.replace(b"\n", "\x85".encode(), 1), "BAG-DECLARATION"),
        (BAGIT_TXT + b"\n" * 1000 + b"More: x\n", "BAG-DECLARATION"),
        (b"\xef\xbb\xbf" + BAGIT_TXT, "BAG-BOM"),
        (BAGIT_TXT.replace(b"1.0", b"9.9"), "BAG-VERSION"),
        (BAGIT_TXT.replace(b"UTF-8", b"rot13"), "BAG-ENCODING"),
        (BAGIT_TXT.replace(b"UTF-8", b"no-such"), "BAG-ENCODING"),
        (BAGIT_TXT.replace(b"UTF-8", b"utf-7"), "BAG-ENCODING"),
    ],
)
def test_declarations_that_are_refused(data: bytes, code: str) -> None:
    refused(code, read_declaration, data)


def test_a_manifest_is_read_line_by_line() -> None:
    text = f"{HEX}  data/Công văn.txt\n\n{HEX.upper()}\tdata/b  c.txt \r\n{HEX} ./data/d"
    assert manifest(text) == [
        ManifestLine("data/Công văn.txt", HEX, 1),
        ManifestLine("data/b  c.txt ", HEX.upper(), 3),
        ManifestLine("data/d", HEX, 4, ("BAG-DOT-SLASH",)),
    ]


def test_the_stream_stays_open_and_other_encodings_are_read() -> None:
    stream = io.BytesIO(f"{HEX} data/é\n".encode("utf-16"))
    assert [line.path for line in iter_manifest(stream, "m", encoding="utf-16")] == ["data/é"]
    assert not stream.closed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{HEX}\n", "BAG-MANIFEST-LINE"),
        ("xyz  data/a\n", "BAG-MANIFEST-LINE"),
        (f" {HEX}  data/a\n", "BAG-MANIFEST-LINE"),
        (f"{HEX}  ../a\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  data/../../a\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  data/./a\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  data//a\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  data/\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  /etc/passwd\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  ~root/x\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  C:\\Windows\\x\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  c:/x\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  \\\\?\\UNC\\server\\x\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  data\\..\\..\\x\n", "BAG-PATH-OUTSIDE"),
        (f"{HEX}  data/a\0b\n", "BAG-PATH-OUTSIDE"),
        (f"\ufeff{HEX}  data/a\n", "BAG-BOM"),
        (b"ab  data/\xff\n", "BAG-UNDECODABLE"),
        (f"{HEX}  data/{'a' * LINE_LIMIT}\n", "BAG-LINE-TOO-LONG"),
    ],
)
def test_manifests_that_are_refused(text: str | bytes, code: str) -> None:
    refused(code, manifest, text)


@pytest.mark.parametrize(
    ("version", "written", "path"),
    [
        ("1.0", "data/a%0Ab", "data/a\nb"),
        ("1.0", "data/a%0db", "data/a\rb"),
        ("1.0", "data/a%250Ab", "data/a%0Ab"),
        ("1.0", "data/%2e%2e/x", "data/%2e%2e/x"),
        ("1.0", "data/100%.pdf", "data/100%.pdf"),
        ("1.0", "*data/a", "data/a"),
        ("1.0", "*other", "*other"),
        ("0.97", "data/a%0Ab", "data/a\nb"),
        ("0.97", "data/a%25b", "data/a%25b"),
        ("0.96", "data/a%0Ab", "data/a%0Ab"),
        ("0.96", "*data/a", "data/a"),
    ],
)
def test_paths_are_decoded_as_the_version_says(version: str, written: str, path: str) -> None:
    assert [line.path for line in manifest(f"{HEX}  {written}\n", rules=BAGIT_VERSIONS[version])] == [path]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=30))
def test_what_we_write_comes_back(name: str) -> None:
    path = "data/x" + name.replace("/", "_") + "x"
    assert decode_path(encode_path(path)) == path
    digest = hashlib.sha256(path.encode()).digest()
    assert manifest(manifest_line(digest, path)) == [ManifestLine(path, digest.hex(), 1)]


@pytest.mark.parametrize(
    ("name", "found", "algorithm"),
    [
        ("manifest-sha256.txt", ("sha256", False), Algorithm.SHA256),
        ("tagmanifest-SHA512.txt", ("sha512", True), Algorithm.SHA512),
        ("manifest-sha-1.txt", ("sha-1", False), Algorithm.SHA1),
        ("manifest-foo.txt", ("foo", False), None),
        ("manifest-s-h-a1.txt", ("s-h-a1", False), None),
        ("manifest.txt", None, None),
        ("bag-info.txt", None, None),
    ],
)
def test_names_of_manifests(name: str, found: tuple[str, bool] | None, algorithm: Algorithm | None) -> None:
    assert manifest_algorithm(name) == found
    assert (known_algorithm(found[0]) if found else None) == algorithm


def test_bag_info_is_read_in_order_with_continuations_and_repeats() -> None:
    data = "A: 1\nB: Sở\n  Nội vụ\n\tĐồng Tháp\n\nA: 2\nEmpty:\nC: x: y\n".encode()
    tags = read_tag_file(io.BytesIO(data))
    assert tags == [("A", "1"), ("B", "Sở Nội vụ Đồng Tháp"), ("A", "2"), ("Empty", ""), ("C", "x: y")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no colon\n", "BAG-TAG-LINE"),
        (b"  begins with a continuation\n", "BAG-TAG-LINE"),
        (b": no label\n", "BAG-TAG-LINE"),
        (b"A : x\n", "BAG-TAG-LINE"),
        (b"A:x\n", "BAG-TAG-LINE"),
        (b"A: x\n" * (TAG_LIMIT + 2), "BAG-TAG-MANY"),
        (b"A: " + (b"x" * 60_000 + b"\nA: ") * 134, "BAG-TAG-MANY"),
        (b"\xff: x\n", "BAG-UNDECODABLE"),
    ],
)
def test_bag_infos_that_are_refused(data: bytes, code: str) -> None:
    refused(code, read_tag_file, io.BytesIO(data))


def test_older_drafts_allow_loose_spaces() -> None:
    assert read_tag_file(io.BytesIO(b"A :x\n"), strict=False) == [("A", "x")]


def test_bag_info_that_we_write_is_read_the_same_by_us_and_by_the_judge(tmp_path: Path) -> None:
    tags = [("Source-Organization", "Sở Nội vụ"), ("Note", "một\nhai"), ("Empty", "")]
    data = write_tag_file(tags)
    assert data == "Source-Organization: Sở Nội vụ\nNote: một\n  hai\nEmpty: \n".encode()
    assert read_tag_file(io.BytesIO(data)) == [tags[0], ("Note", "một hai"), tags[2]]
    made = bag(tmp_path / "b", info=[*INFO, *tags[:1]], mutate=None)
    assert bagit.Bag(str(made)).info["External-Identifier"] == "BAG-2024-0001"
    for label in ("", "a:b", " a", "a\nb"):
        with pytest.raises(ValueError, match="label"):
            write_tag_file([(label, "x")])


def test_the_builder_makes_a_bag_that_the_judge_finds_valid(tmp_path: Path) -> None:
    payload = {"Công văn.txt": b"1", "100%.txt": b"2"}
    made = bag(tmp_path / "b", payload)
    assert bagit.Bag(str(bag(tmp_path / "c"))).validate()
    with (made / "manifest-sha512.txt").open("rb") as stream:
        lines = list(iter_manifest(stream, "manifest-sha512.txt"))
    assert {line.path: line.digest_hex for line in lines} == {
        f"data/{name}": hashlib.sha512(content).hexdigest() for name, content in payload.items()
    }


def test_a_break_is_exactly_one_thing(tmp_path: Path) -> None:
    made = bag(tmp_path / "b", oxum=False, mutate=lambda b: (b / "data" / "Công văn 01.txt").write_bytes(b"other"))
    with pytest.raises(bagit.BagValidationError, match="Công văn 01"):
        bagit.Bag(str(made)).validate()


def test_every_tag_file_of_the_conformance_suite_is_read_or_refused_with_a_code() -> None:
    suite = shared_data("bagit-conformance-suite")
    good = [path.parent for path in sorted(suite.glob("v*/valid/*/bagit.txt"))] if suite else []
    for folder in good:
        declaration = read_declaration((folder / "bagit.txt").read_bytes())
        for path in folder.glob("*manifest-*.txt"):
            with path.open("rb") as stream:
                for line in iter_manifest(stream, path.name, encoding=declaration.encoding, rules=declaration.rules):
                    assert (folder / line.path).is_file(), (folder.name, line)
        info = folder / declaration.rules.info
        if info.exists():
            assert read_tag_file(io.BytesIO(info.read_bytes()), declaration.encoding, strict=False)
    for mark in sorted(suite.glob("v*/invalid/*/bagit.txt")) if suite else []:
        try:
            declaration = read_declaration(mark.read_bytes())
            for path in mark.parent.glob("*manifest-*.txt"):
                with path.open("rb") as stream:
                    list(iter_manifest(stream, path.name, encoding=declaration.encoding, rules=declaration.rules))
        except BagSyntax as error:
            assert error.code.startswith("BAG-")
    assert good or suite is None


# What RFC 8493 says, written down a second time: how a producer may write, and what must be read of it

ENDS = st.sampled_from(["\n", "\r", "\r\n"])
BLANKS = st.text(" \t", min_size=1, max_size=3)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and name[0] not in " \t"
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/".join(["data", *names]))
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=8)
LABELS = WORDS.map(lambda word: word.replace(":", "-"))


def percent(path: str, upper: bool) -> str:
    """RFC 8493 §2.1.3: LF, CR and % are percent-encoded, nothing else is."""
    return "".join((f"%{ord(c):02X}" if upper else f"%{ord(c):02x}") if c in "\n\r%" else c for c in path)


@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), PATHS, BLANKS, st.booleans()), max_size=6), ENDS, ENDS)
def test_a_manifest_is_read_as_the_standard_says(lines, end: str, blank: str) -> None:
    written = "".join(
        f"{digest.hex().upper() if upper else digest.hex()}{gap}{percent(path, upper)}{end}{blank if upper else ''}"
        for digest, path, gap, upper in lines
    )
    read = [(line.path, bytes.fromhex(line.digest_hex), line.remarks) for line in manifest(written)]
    assert read == [(path, digest, ()) for digest, path, *_ in lines]


@given(
    st.lists(
        st.tuples(
            LABELS, st.lists(WORDS, max_size=4), st.lists(st.tuples(st.booleans(), BLANKS), min_size=4, max_size=4)
        ),
        max_size=5,
    ),
    ENDS,
)
def test_a_tag_file_is_read_as_the_standard_says(tags, end: str) -> None:
    """A value may be broken at any blank; what goes on begins with a blank (§2.2.2)."""
    written = ""
    for label, words, breaks in tags:
        written += f"{label}: {words[0] if words else ''}"
        for word, (breaking, blanks) in zip(words[1:], breaks, strict=False):
            written += f"{end}{blanks}{word}" if breaking else f" {word}"
        written += end
    read = read_tag_file(io.BytesIO(written.encode()))
    assert read == [(label, " ".join(words)) for label, words, _ in tags]


@given(st.lists(st.tuples(WORDS, st.none() | st.integers(0, 10**18 - 1), PATHS, BLANKS), max_size=5), ENDS)
def test_a_fetch_file_is_read_as_the_standard_says(lines, end: str) -> None:
    written = "".join(
        f"https://example.org/{word}{gap}{'-' if length is None else length}{gap}{percent(path, True)}{end}"
        for word, length, path, gap in lines
    )
    read = list(iter_fetch(io.BytesIO(written.encode())))
    assert [(line.url, line.length, line.path) for line in read] == [
        (f"https://example.org/{word}", length, path) for word, length, path, _ in lines
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://example.org/a data/a\n", "BAG-FETCH-LINE"),
        ("https://example.org/a x data/a\n", "BAG-FETCH-LINE"),
        ("https://example.org/a -1 data/a\n", "BAG-FETCH-LINE"),
        ("/no/scheme - data/a\n", "BAG-FETCH-LINE"),
        (" https://example.org/a - data/a\n", "BAG-FETCH-LINE"),
        ("gopher://h/ - ../a\n", "BAG-PATH-OUTSIDE"),
        ("file:///etc/passwd - /etc/passwd\n", "BAG-PATH-OUTSIDE"),
        ("https://example.org/a - ~/a\n", "BAG-PATH-OUTSIDE"),
    ],
)
def test_fetch_files_that_are_refused(text: str, code: str) -> None:
    refused(code, lambda: list(iter_fetch(io.BytesIO(text.encode()))))


def test_a_fetch_line_tells_how_its_path_was_written() -> None:
    text = b"https://example.org/a - ./data/a\nhttps://example.org/b 3 data/100%\n"
    assert list(iter_fetch(io.BytesIO(text))) == [
        FetchLine("https://example.org/a", None, "data/a", 1, ("BAG-DOT-SLASH",)),
        FetchLine("https://example.org/b", 3, "data/100%", 2, ("BAG-PERCENT",)),
    ]


@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16", "iso8859-1", "shift_jis", "gb18030", "utf-32"]))
@example(b"\xff\xfe", "utf-16")
@example(b"\x00\xd8", "utf-16")
def test_any_bytes_are_read_or_refused_with_a_code(data: bytes, encoding: str) -> None:
    for read in (
        lambda: read_declaration(data),
        lambda: list(iter_manifest(io.BytesIO(data), "m", encoding=encoding)),
        lambda: list(iter_fetch(io.BytesIO(data), encoding=encoding)),
        lambda: read_tag_file(io.BytesIO(data), encoding),
    ):
        try:
            read()
        except BagSyntax as error:
            assert error.code.startswith("BAG-")
