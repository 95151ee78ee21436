"""A package as its rules see it: its paths and sizes, and the bytes of the few files that describe it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol


class PackageTree(Protocol):
    """A package under judgement. Paths are as received, with ``/``, relative to the package's root.

    What comes from it may be hostile: judges read through ``metadata.xml`` and never touch the file system themselves.
    A package may have a million files, so a judge keeps nothing for each.
    """

    @property
    def name(self) -> str:
        """The name of the package's root folder; empty when the files lie at the top of an archive file."""
        ...

    def size_of(self, path: str) -> int | None:
        """Bytes of the file at ``path``; None when there is none of exactly that name."""
        ...

    def has_folder(self, folder: str) -> bool:
        """Whether there is such a folder (``folder`` ends with ``/``)."""
        ...

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        """The names of what lies directly in ``folder`` (empty for the root), sorted; folders end with ``/``."""
        ...

    def paths(self, folder: str = "") -> Iterator[str]:
        """Every file under ``folder``, however deep, in the order of their paths."""
        ...

    def open(self, path: str) -> BinaryIO:
        """The file's bytes, once through. Raises OSError when they cannot be read."""
        ...
