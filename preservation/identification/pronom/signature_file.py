"""The two official PRONOM files, read: byte signatures with formats and priorities, and container signatures.

``DROID_SignatureFile_Vnnn.xml`` and ``container-signature-yyyymmdd.xml`` as The National Archives publish them. They
are the operator's own files, not what agencies send; they are read with the same care all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metadata.xml import Element, iter_elements
from preservation.identification.pronom.expression import (
    Gap,
    Node,
    alternatives_of,
    joined,
    parse_expression,
)


@dataclass(frozen=True, slots=True)
class PronomFormat:
    """One file format. ``extensions`` are lower-case, without the dot; ``superior_to`` are PUIDs it goes before."""

    puid: str
    name: str
    version: str
    mime: str
    extensions: tuple[str, ...]
    superior_to: frozenset[str]


@dataclass(frozen=True, slots=True)
class ByteSequence:
    """``reference`` is BOF, EOF or VAR; offsets are gaps among ``nodes``."""

    reference: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ByteSignature:
    """All ``sequences`` must be there. ``puid`` is the format it tells."""

    puid: str
    sequences: tuple[ByteSequence, ...]


@dataclass(frozen=True, slots=True)
class InnerFile:
    """A file that a container must have. One of ``signatures`` must match it; with none, being there is enough."""

    path: str
    signatures: tuple[tuple[ByteSequence, ...], ...]


@dataclass(frozen=True, slots=True)
class ContainerSignature:
    """All ``files`` must be there and match. ``kind`` is ZIP or OLE2."""

    kind: str
    puids: tuple[str, ...]
    files: tuple[InnerFile, ...]


@dataclass(frozen=True, slots=True)
class SignatureFiles:
    """Everything in both files. ``triggers`` are the PUIDs after which a container of that kind is looked into.

    ``refused`` are signatures that could not be read, with the reason.
    """

    formats: Mapping[str, PronomFormat]
    signatures: Sequence[ByteSignature]
    containers: Sequence[ContainerSignature]
    triggers: Mapping[str, str]
    refused: Sequence[str]


def read_signature_files(binary: Path, container: Path) -> SignatureFiles:
    """Read both files. Raises OSError; XmlRefused or ValueError when they are not what they should be."""
    reader = _Reader()
    reader.binary(binary)
    if not reader.formats or not reader.signatures:
        raise ValueError(f"{binary.name} is no DROID signature file")
    reader.container(container)
    if not reader.containers:
        raise ValueError(f"{container.name} is no container signature file")
    return SignatureFiles(reader.formats, reader.signatures, reader.containers, reader.triggers, tuple(reader.refused))


class _Reader:
    def __init__(self) -> None:
        self.formats: dict[str, PronomFormat] = {}
        self.signatures: list[ByteSignature] = []
        self.containers: list[ContainerSignature] = []
        self.triggers: dict[str, str] = {}
        self.refused: list[str] = []

    def binary(self, path: Path) -> None:
        sequences: dict[str, tuple[ByteSequence, ...]] = {}
        formats: list[Element] = []
        for element in _elements(path, {"InternalSignature", "FileFormat"}):
            if element.local == "FileFormat":
                formats.append(element)
                continue
            identifier = element.attributes.get("ID", "")
            try:
                sequences[identifier] = _sequences(element)
            except ValueError as error:
                self.refused.append(f"{identifier}: {error}")
        puids = {element.attributes["ID"]: element.attributes["PUID"] for element in formats}
        for element in formats:
            self._format(element, puids, sequences)

    def _format(
        self, element: Element, puids: Mapping[str, str], sequences: Mapping[str, tuple[ByteSequence, ...]]
    ) -> None:
        puid = element.attributes["PUID"]
        texts: dict[str, list[str]] = {}
        for child in element.children:
            texts.setdefault(child.local, []).append(child.text.strip())
        self.formats[puid] = PronomFormat(
            puid,
            element.attributes.get("Name", ""),
            element.attributes.get("Version", ""),
            element.attributes.get("MIMEType", "").split(",")[0].strip(),
            tuple(dict.fromkeys(text.lower() for text in texts.get("Extension", []))),
            frozenset(puids[i] for i in texts.get("HasPriorityOverFileFormatID", []) if i in puids),
        )
        for identifier in texts.get("InternalSignatureID", []):
            if found := sequences.get(identifier):
                self.signatures.append(ByteSignature(puid, found))

    def container(self, path: Path) -> None:
        signatures: list[Element] = []
        puids: dict[str, list[str]] = {}
        for element in _elements(path, {"ContainerSignature", "FileFormatMapping", "TriggerPuid"}):
            found = element.attributes
            if element.local == "ContainerSignature":
                signatures.append(element)
            elif element.local == "FileFormatMapping":
                puids.setdefault(found["signatureId"], []).append(found["Puid"])
            else:
                self.triggers[found["Puid"]] = found["ContainerType"]
        for element in signatures:
            identifier = element.attributes["Id"]
            try:
                files = tuple(_inner_file(one) for one in _all(element, "File"))
            except ValueError as error:
                self.refused.append(f"container {identifier}: {error}")
                continue
            kind = element.attributes["ContainerType"]
            self.containers.append(ContainerSignature(kind, tuple(puids.get(identifier, ())), files))


def _elements(path: Path, names: set[str]) -> Iterator[Element]:
    """Elements of these local names, whatever their namespace."""
    for namespace in ("http://www.nationalarchives.gov.uk/pronom/SignatureFile}", ""):
        wanted = frozenset(namespace + name for name in names)
        any_found = False
        with path.open("rb") as stream:
            for event in iter_elements(stream, wanted, place=path.name):
                if isinstance(event, Element):
                    any_found = True
                    yield event
        if any_found:
            return


def _all(element: Element, name: str) -> Iterator[Element]:
    for child in element.children:
        if child.local == name:
            yield child
        else:
            yield from _all(child, name)


def _inner_file(element: Element) -> InnerFile:
    path = next((child.text.strip() for child in element.children if child.local == "Path"), "")
    return InnerFile(path, tuple(_sequences(one) for one in _all(element, "InternalSignature")))


def _sequences(element: Element) -> tuple[ByteSequence, ...]:
    """Raises ValueError for an expression that is none, or when there is no sequence."""
    found = tuple(_sequence(child) for child in element.children if child.local == "ByteSequence")
    if not found:
        raise ValueError("a signature without a sequence")
    return found


def _sequence(element: Element) -> ByteSequence:
    reference = {"BOFoffset": "BOF", "EOFoffset": "EOF"}.get(element.attributes.get("Reference", ""), "VAR")
    if text := element.attributes.get("Sequence"):
        return ByteSequence(reference, parse_expression(text))
    parts = sorted(
        (child for child in element.children if child.local == "SubSequence"),
        key=lambda one: _number(one, "Position", 1),
    )
    nodes: list[Node] = []
    for at, part in enumerate(parts):
        low = _number(part, "SubSeqMinOffset")
        high = _limit(part, "SubSeqMaxOffset")
        if reference == "BOF" and at == 0:
            nodes.append(Gap(low, low if high is None else max(low, high)))
        elif at > 0:
            nodes.append(Gap(low, None if reference == "EOF" or high is None else max(low, high)))
        nodes += _subsequence(part)
    if reference == "EOF":
        low = _number(parts[-1], "SubSeqMinOffset")
        nodes.append(Gap(low, max(low, _limit(parts[-1], "SubSeqMaxOffset") or 0)))
    return ByteSequence(reference, joined(nodes))


def _subsequence(element: Element) -> list[Node]:
    text = next((child.text for child in element.children if child.local == "Sequence"), "")
    return [*_fragments(element, left=True), *parse_expression(text), *_fragments(element, left=False)]


def _fragments(element: Element, *, left: bool) -> list[Node]:
    """Left fragments lie before the sequence, position 1 nearest to it; right ones behind it. One position may have
    several: they are alternatives."""
    positions: dict[int, list[tuple[Node, ...]]] = {}
    for child in element.children:
        if child.local == ("LeftFragment" if left else "RightFragment"):
            low = _number(child, "MinOffset")
            high = _limit(child, "MaxOffset")
            gap = Gap(low, None if high is None else max(low, high))
            text = parse_expression(child.text)
            positions.setdefault(_number(child, "Position", 1), []).append(
                joined((*text, gap)) if left else joined((gap, *text))
            )
    nodes: list[Node] = []
    for position in sorted(positions, reverse=left):
        options = positions[position]
        if len(options) == 1:
            nodes += options[0]
        elif (node := alternatives_of(options)) is not None:
            nodes.append(node)
    return nodes


def _number(element: Element, name: str, default: int = 0) -> int:
    return int(element.attributes.get(name, "").strip() or default)


def _limit(element: Element, name: str) -> int | None:
    text = element.attributes.get(name, "").strip()
    return int(text) if text else None
