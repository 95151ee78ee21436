"""What the PREMIS of an AIP says its files are, held against the files: sizes at once, digests in the one pass.

Only of objects whose identifier ends with the path of a file (``…/data/<path>``): what another system calls its objects
otherwise cannot be told apart from files that are not in the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ingest.packages.examined import Subject
from ingest.packages.reading import reading
from metadata.identifiers import Algorithm, Digest
from metadata.xml import Element, iter_elements, read_exact

_WHOLE = frozenset(f"{namespace}}}object" for namespace in ("http://www.loc.gov/premis/v3", "info:lc/xmlns/premis-v2"))
_DATA = "data/"
_ALGORITHMS = frozenset(algorithm.value for algorithm in Algorithm)


def premis_fixity(subject: Subject, base: str, path: str) -> None:
    """Read the PREMIS at ``path`` for the files under ``base``; other sizes and digests than theirs become findings.

    To be called when it has been seen what the METS files name: a file is not named by being in PREMIS.
    """
    if subject.ledger.size_of(path) is not None:
        reading(subject, path, lambda stream: _read(subject, stream, base, path))


def _read(subject: Subject, stream: BinaryIO, base: str, path: str) -> bool:
    for item in iter_elements(stream, _WHOLE, place=path):
        if isinstance(item, Element):
            _object(subject, item, base, path)
    return True


def _object(subject: Subject, element: Element, base: str, path: str) -> None:
    identifier = _text(element, "objectIdentifier", "objectIdentifierValue")
    _, found, inside = f"/{identifier}".partition(f"/{_DATA}")
    file = f"{base}{_DATA}{inside}"
    held = subject.ledger.size_of(file) if found else None
    if held is None:
        return
    size = _text(element, "objectCharacteristics", "size")
    if size and size != str(held):
        subject.findings.add("SIP-SIZE", file, mets=path, declared=size, found=held)
    for algorithm, text in _fixities(element):
        try:
            subject.ledger.declare(file, Digest.parse(algorithm, text), path)
        except ValueError:
            subject.findings.add("SIP-CHECKSUM", file, mets=path, kind=algorithm.value, checksum=text)


def _fixities(element: Element) -> Iterator[tuple[Algorithm, str]]:
    """The digests that the object has, of the algorithms that we have: PREMIS may use any."""
    for part in element.children:
        for fixity in part.children if part.local == "objectCharacteristics" else ():
            name = _text(fixity, "messageDigestAlgorithm").lower().replace("-", "")
            if fixity.local == "fixity" and name in _ALGORITHMS:
                yield Algorithm(name), _text(fixity, "messageDigest")


def _text(element: Element, *path: str) -> str:
    """The text at a path of local names; "" when it is not there."""
    at: Element | None = element
    for name in path:
        at = next((child for child in at.children if child.local == name), None) if at is not None else None
    return read_exact(at.text.strip()) if at is not None else ""
