"""A package under examination as the judges in ``metadata`` see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ingest.packages.examined import Subject
from ingest.sources.folder import FolderSource


class SubjectTree:
    """The :class:`metadata.package_tree.PackageTree` of a subject: paths from its ledger, bytes from its source."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    @property
    def name(self) -> str:
        """The package's folder: the single top folder of what was sent, or the folder itself that was sent."""
        root, source = self._subject.root.rstrip("/"), self._subject.source
        return root or (source.name if isinstance(source, FolderSource) else "")

    def size_of(self, path: str) -> int | None:
        return self._subject.ledger.size_of(path)

    def has_folder(self, folder: str) -> bool:
        return next(self._subject.ledger.paths(folder), None) is not None

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        return sorted(self._subject.ledger.children(folder, limit))

    def paths(self, folder: str = "") -> Iterator[str]:
        return self._subject.ledger.paths(folder)

    def open(self, path: str) -> BinaryIO:
        return self._subject.source.open(path)
