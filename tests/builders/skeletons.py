"""Skeleton files: the least bytes that a PRONOM signature asks for, made from the signature file itself.

Reads expressions with a small reader of its own, so that a mistake in the one under test does not make its own proof.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.builders.compound import compound_file

FILL = 0xA4  # even: signatures ask for lowest bits
_N = "{http://www.nationalarchives.gov.uk/pronom/SignatureFile}"
_PART = re.compile(
    r"\s+|'(?P<t>[^']*)'|(?P<h>[0-9A-Fa-f]{2})|\[(?P<c>[^\]]*)\]|\((?P<a>[^()]*(?:\([^()]*\)[^()]*)*)\)"
    r"|\{(?P<lo>\d+)[^}]*\}|(?P<w>\*)|(?P<q>\?\?)"
)


@dataclass(frozen=True)
class Skeleton:
    """A file of which the format is known: by which signature, and what it must be told as."""

    signature: str
    puid: str
    data: bytes
    extension: str


def sample_of(expression: str) -> bytes:
    """The first bytes that an expression allows."""
    out, at = b"", 0
    while at < len(expression):
        part = _PART.match(expression, at)
        assert part, (expression, at)
        at = part.end()
        if part["t"] is not None:
            out += part["t"].encode()
        elif part["h"]:
            out += bytes.fromhex(part["h"])
        elif part["c"] is not None:
            out += _one_of(part["c"].strip())
        elif part["a"] is not None:
            out += sample_of(_first_option(part["a"]))
        elif part["lo"]:
            out += bytes([FILL]) * int(part["lo"])
        elif part["q"]:
            out += bytes([FILL])
    return out


def _first_option(text: str) -> str:
    depth = 0
    for at, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "|" and not depth:
            return text[:at]
    return text


def _value(text: str) -> bytes:
    text = text.strip()
    return text.strip("'").encode() if text.startswith("'") else bytes.fromhex(text)


def _one_of(text: str) -> bytes:
    negated = text.startswith("!")
    text = text.lstrip("!").strip()
    if text[0] in "&~":
        mask = int(text[1:], 16)
        return bytes([0 if negated else mask])
    low = _value(re.split(r"[:\-]", text)[0] if re.search(r"[:\-]", text) else text.split()[0])
    high = _value(re.split(r"[:\-]", text)[-1]) if re.search(r"[:\-]", text) else low
    if not negated:
        return low
    inside = int.from_bytes(low), int.from_bytes(high)
    other: int = next(v for v in (FILL, *range(1 << 16)) if not inside[0] <= v <= inside[1])
    return other.to_bytes(len(low))


def sequences_to_bytes(sequences: list[ET.Element], ns: str) -> bytes:
    """One file that has all the sequences of a signature."""
    head, laid, tail = bytearray(), bytearray(), b""
    for sequence in sequences:
        reference = sequence.get("Reference") or "Variable"
        if sequence.get("Sequence"):
            parts = [(0, sample_of(sequence.get("Sequence") or ""))]
        else:
            subs = sorted(sequence.findall(f"{ns}SubSequence"), key=lambda s: int(s.get("Position") or 1))
            parts = [(int(s.get("SubSeqMinOffset") or 0), _sub(s, ns)) for s in subs]
        if reference == "EOFoffset":
            data = b""
            for at, (offset, body) in enumerate(parts):
                data += (bytes([FILL]) * offset if at else b"") + body
            tail += data + bytes([FILL]) * parts[-1][0]
        elif reference == "BOFoffset":
            _lay(head, laid, parts, int(sequence[0].get("SubSeqMaxOffset") or parts[0][0]) if len(sequence) else 0)
        else:
            body = b"".join(bytes([FILL]) * (offset if at else 3) + body for at, (offset, body) in enumerate(parts))
            head += body
            laid += b"\1" * len(body)
    return bytes(head) + tail


def _lay(head: bytearray, laid: bytearray, parts: list[tuple[int, bytes]], most: int) -> None:
    """Put the parts where they may stand and nothing else stands."""
    first = parts[0][0]
    for start in range(first, max(first, most) + 1):
        moved = [(start, parts[0][1]), *parts[1:]]
        data = b"".join(bytes([FILL]) * offset + body for offset, body in moved)
        mask = b"".join(b"\0" * offset + b"\1" * len(body) for offset, body in moved)
        taken = laid[: len(mask)]
        if not any(a and b and data[at] != head[at] for at, (a, b) in enumerate(zip(taken, mask, strict=False))):
            break
    head.extend(bytes([FILL]) * max(0, len(data) - len(head)))
    laid.extend(b"\0" * max(0, len(data) - len(laid)))
    for at, wanted in enumerate(mask):
        if wanted:
            head[at], laid[at] = data[at], 1


def _sub(element: ET.Element, ns: str) -> bytes:
    def fragments(tag: str, left: bool) -> bytes:
        found: dict[int, bytes] = {}
        for f in element.findall(ns + tag):
            gap = bytes([FILL]) * int(f.get("MinOffset") or 0)
            body = sample_of(f.text or "")
            found.setdefault(int(f.get("Position") or 1), body + gap if left else gap + body)
        return b"".join(found[k] for k in sorted(found, reverse=left))

    middle = sample_of(element.findtext(f"{ns}Sequence") or "")
    return fragments("LeftFragment", True) + middle + fragments("RightFragment", False)


def byte_skeletons(path: Path) -> Iterator[Skeleton]:
    """One for each internal signature that a format names."""
    root = ET.parse(path).getroot()
    signatures = {s.get("ID"): s for s in root.iter(f"{_N}InternalSignature")}
    for form in root.iter(f"{_N}FileFormat"):
        extension = form.findtext(f"{_N}Extension") or ""
        for number in form.findall(f"{_N}InternalSignatureID"):
            sequences = signatures[number.text].findall(f"{_N}ByteSequence") if number.text in signatures else []
            if sequences:
                puid = form.get("PUID") or ""
                yield Skeleton(number.text or "", puid, sequences_to_bytes(sequences, _N), extension)


def container_skeletons(path: Path, kind: str) -> Iterator[Skeleton]:
    """One container for each signature of that kind, ZIP or OLE2."""
    root = ET.parse(path).getroot()
    puids: dict[str, str] = {}
    for mapping in root.iter("FileFormatMapping"):
        puids.setdefault(mapping.get("signatureId") or "", mapping.get("Puid") or "")
    for signature in root.iter("ContainerSignature"):
        if signature.get("ContainerType") != kind:
            continue
        members: dict[str, bytes] = {}
        for file in signature.iter("File"):
            inner = next(file.iter("InternalSignature"), None)
            data = sequences_to_bytes(inner.findall("ByteSequence"), "") if inner is not None else b""
            members[file.findtext("Path") or ""] = data
        identifier = signature.get("Id") or ""
        yield Skeleton(identifier, puids[identifier], _packed(members, kind), "")


def _packed(members: dict[str, bytes], kind: str) -> bytes:
    if kind == "OLE2":
        return compound_file(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()
