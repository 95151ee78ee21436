"""The files of a document as they go out: of one that only links to another (``.fetch.txt``), that other's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from metadata.catalogue import Catalogue, Document
from metadata.errors import NotFound
from metadata.holdings import AipVersion, Member
from metadata.identifiers import VersionId
from metadata.text import Sentence

LINK = ".fetch.txt"


@dataclass(frozen=True, slots=True)
class GivenFile:
    """One file that goes out: from which AIP version, and where in ``rep1`` it goes."""

    version: AipVersion
    member: Member
    path: str


def files_of(catalogue: Catalogue, version: AipVersion, document: Document) -> Iterator[GivenFile]:
    """The files of a document, links replaced by what they link to. Raises NotFound for what is not held (any more)."""
    for member in document.members:
        if not member.path.endswith(LINK):
            yield GivenFile(version, member, content_path(member.path))
            continue
        name = content_path(member.path).removesuffix(LINK)
        held = list(_held(catalogue, document))
        for other, found in held:
            inside = name if len(held) == 1 else f"{name}/{content_path(found.path).removeprefix('data/')}"
            yield GivenFile(other, found, inside)


def content_path(path: str) -> str:
    """Where a content file lies in ``rep1``; files of other representations get a folder of their own."""
    _, _, _, representation, data, inside = path.split("/", 5)
    return f"{data}/{inside}" if representation == "rep1" else f"{data}/{representation}/{inside}"


def _held(catalogue: Catalogue, document: Document) -> Iterator[tuple[AipVersion, Member]]:
    """The files of the document that this one links to: an ingest takes no link to what is only a link itself."""
    text = document.record.fields.get("linkedDocument", "")
    name, _, number = text.partition("#")
    try:
        version = catalogue.holdings.version(VersionId.parse(name))
        found = catalogue.holdings.document(version.id, int(number)) if version else None
    except ValueError:
        version = found = None
    if version is None or found is None:
        title = document.record.title
        raise NotFound(
            Sentence(
                f"Tài liệu “{title}” chỉ là liên kết, và tài liệu được liên kết không có trong kho.",
                f"The document “{title}” is only a link, and what it links to is not held.",
            )
        )
    yield from ((version, member) for member in found.members if not member.path.endswith(LINK))
